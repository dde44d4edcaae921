//! The events that the gateway makes of incidents and silences.

use std::time::Duration;

use chrono::DateTime;
use postroom_sdk::{Event, Failure};
use serde_json::Value;

use super::Signal;
use crate::{
    alertmanager::Status,
    facts::{Counts, Facts, What},
    severity::SeverityMap,
};

/// Most assertions that are kept.
const FAILURES_MAX: usize = 50;

/// Reads an event. Every field may be absent, but something has to say which monitor it is about.
pub(super) fn read(
    event: &Event,
    what: What,
    status: Status,
    severity: SeverityMap,
) -> Result<Signal, Failure> {
    let body: Value = serde_json::from_slice(event.body()).unwrap_or_default();
    let (monitor, incident, run, silence) =
        (&body["monitor"], &body["incident"], &body["run"], &body["silence"]);
    let Some(id) = text(monitor, "uid").or_else(|| event.subject().map(str::to_owned)) else {
        return Err(Failure::permanent("no_monitor", "the event does not say which monitor it is about"));
    };
    let usual = match what {
        What::Failing if count(run, "errors") > Some(0) => severity.errors,
        What::Failing => severity.failed_tests,
        What::Silent => severity.silent,
    };
    let (fingerprint, began) = match what {
        What::Failing => (id.clone(), time(incident, "opened_at")),
        // A monitor may fail and be silent at the same time: these are two incidents.
        What::Silent => (format!("{id}:silent"), time(silence, "since")),
    };
    let duration = match what {
        What::Failing => count(incident, "duration_s").map(Duration::from_secs),
        What::Silent => None,
    };
    Ok(Signal {
        fingerprint,
        began_unix_ms: began,
        facts: Facts {
            what,
            status,
            severity: text(incident, "severity").and_then(|name| name.parse().ok()).unwrap_or(usual),
            monitor_id: Some(id.clone()),
            id,
            source: event.source().to_owned(),
            monitor: text(monitor, "name"),
            collection: text(monitor, "collection_name"),
            environment: text(monitor, "environment_name"),
            counts: Counts {
                failed_tests: count(run, "failed_tests"),
                errors: count(run, "errors"),
                requests: count(run, "requests"),
                mean_latency_ms: count(run, "latency_mean_ms"),
                ..Counts::default()
            },
            runs: count(incident, "runs"),
            failed_runs: count(incident, "failed_runs"),
            duration,
            failures: failures(&body["failures"]),
        },
    })
}

fn failures(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten().take(FAILURES_MAX);
    list.filter_map(|failure| match (text(failure, "name"), text(failure, "error")) {
        (Some(name), Some(error)) => Some(format!("{name}: {error}")),
        (name, error) => name.or(error),
    })
    .collect()
}

fn text(object: &Value, name: &str) -> Option<String> {
    let text = object[name].as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A number that is not negative, without its fraction.
fn count(object: &Value, name: &str) -> Option<u64> {
    let number = &object[name];
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and a cast from a float saturates"
    )]
    let whole = || number.as_f64().filter(|number| *number >= 0.0).map(|number| number as u64);
    number.as_u64().or_else(whole)
}

/// A time in milliseconds since 1970.
fn time(object: &Value, name: &str) -> Option<u64> {
    let time = DateTime::parse_from_rfc3339(object[name].as_str()?).ok()?;
    u64::try_from(time.timestamp_millis()).ok()
}
