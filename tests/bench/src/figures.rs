//! What was measured: for each figure the values of all rounds, and the notes that belong to the run.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The figures of a run. A figure's name says its unit.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    series: BTreeMap<String, Vec<f64>>,
    facts: Map<String, Value>,
    skipped: Vec<String>,
}

impl Figures {
    /// Adds the value of one round.
    pub(crate) fn add(&mut self, name: impl Into<String>, value: f64) {
        self.series.entry(name.into()).or_default().push(value);
    }

    /// The median of all rounds; `None` for what was not measured.
    pub(crate) fn median(&self, name: &str) -> Option<f64> {
        self.series.get(name).and_then(|values| median(values))
    }

    /// Adds what one figure is to another, by their medians.
    pub(crate) fn add_ratio(&mut self, name: &str, of: &str, to: &str) {
        if let (Some(of), Some(to)) = (self.median(of), self.median(to)) {
            self.add(name, of / to);
        }
    }

    /// Adds something about the run that is no figure.
    pub(crate) fn fact(&mut self, name: &str, value: impl Into<Value>) {
        self.facts.insert(name.to_owned(), value.into());
    }

    /// Says that something was not measured, and why.
    pub(crate) fn skip(&mut self, what: &str, why: &str) {
        let line = format!("skipped: {what}: {why}");
        crate::note(&line);
        self.skipped.push(line);
    }

    pub(crate) fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The medians at the top, and below them everything they were made of.
    pub(crate) fn json(&self) -> Value {
        let medians =
            self.series.iter().filter_map(|(name, values)| Some((name.clone(), json!(median(values)?))));
        let mut all: Map<String, Value> = medians.collect();
        all.insert("run".to_owned(), Value::Object(self.facts.clone()));
        all.insert("rounds".to_owned(), json!(self.series));
        all.insert("skipped".to_owned(), json!(self.skipped));
        Value::Object(all)
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

#[cfg(test)]
mod tests;
