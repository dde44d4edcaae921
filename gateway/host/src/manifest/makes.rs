//! What a plugin makes beside outcomes: events of its own, and measurements.

use std::collections::BTreeSet;

use postroom_core::event::EmittedKind;
use serde_json::{Map, Value};

use super::{ManifestError, invalid};
use crate::plugin_metrics::{MetricKind, is_name};

/// Most kinds, and most metrics, of one plugin.
const MAX: usize = 64;
const HELP_BYTES_MAX: usize = 256;
const BUCKETS_MAX: usize = 24;
/// From a cached answer to a slow backup, in seconds.
const BUCKETS: [f64; 12] = [0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// A metric that a plugin has.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredMetric {
    /// Its name, without the gateway's prefix.
    pub name: String,
    /// What kind of number it is.
    pub kind: MetricKind,
    /// What it says, for people.
    pub help: String,
    /// Of a histogram, the upper bounds of its buckets, growing.
    pub buckets: Vec<f64>,
}

pub(super) fn emits(document: &Map<String, Value>) -> Result<Vec<EmittedKind>, ManifestError> {
    let Some(value) = document.get("emits") else { return Ok(Vec::new()) };
    let kinds: Option<Vec<EmittedKind>> = value
        .as_array()
        .filter(|kinds| kinds.len() <= MAX)
        .and_then(|kinds| kinds.iter().map(|kind| kind.as_str()?.parse().ok()).collect());
    kinds.ok_or_else(|| {
        invalid("emits", "a list of at most 64 kinds of [a-z0-9_], none of them one of the gateway's own")
    })
}

pub(super) fn metrics(document: &Map<String, Value>) -> Result<Vec<DeclaredMetric>, ManifestError> {
    let Some(value) = document.get("metrics") else { return Ok(Vec::new()) };
    let metrics: Option<Vec<DeclaredMetric>> = value
        .as_array()
        .filter(|metrics| metrics.len() <= MAX)
        .and_then(|metrics| metrics.iter().map(metric).collect());
    metrics
        .filter(|metrics| {
            let names: BTreeSet<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
            names.len() == metrics.len()
        })
        .ok_or_else(|| {
            invalid(
                "metrics",
                "a list of at most 64 { \"name\": [a-z0-9_], each once, \"kind\": \"counter\", \"gauge\" or \"histogram\" }",
            )
        })
}

fn metric(value: &Value) -> Option<DeclaredMetric> {
    let name = value.get("name")?.as_str().filter(|name| is_name(name))?;
    let kind = value.get("kind")?.as_str()?;
    let help = value.get("help").map_or(Some(""), Value::as_str)?;
    let fits = help.len() <= HELP_BYTES_MAX && !help.contains(char::is_control);
    Some(DeclaredMetric {
        name: name.to_owned(),
        kind: MetricKind::ALL.into_iter().find(|known| known.as_str() == kind)?,
        help: fits.then(|| help.to_owned())?,
        buckets: match value.get("buckets") {
            None => BUCKETS.to_vec(),
            Some(buckets) => bounds(buckets)?,
        },
    })
}

fn bounds(value: &Value) -> Option<Vec<f64>> {
    let bounds: Vec<f64> = value.as_array()?.iter().map(Value::as_f64).collect::<Option<_>>()?;
    let grow = bounds.windows(2).all(|pair| pair[0] < pair[1]);
    ((1..=BUCKETS_MAX).contains(&bounds.len()) && grow).then_some(bounds)
}

#[cfg(test)]
mod tests;
