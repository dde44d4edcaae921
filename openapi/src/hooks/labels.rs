//! Labels from the query: `?token=…&label.team=payments`.
//!
//! Postman does not send again, so a label that does not fit costs the label and never the event: it is left out, and
//! a note says so.

use std::collections::BTreeMap;

use crate::expect;

/// What makes a query parameter a label.
const PREFIX: &str = "label.";
/// How many labels that were left out a note names; it counts the rest.
const NAMED_MAX: usize = 8;

/// What one request may add.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) labels_max: usize,
    /// Longest name or value, in bytes.
    pub(super) bytes_max: usize,
}

/// The labels that fit, and a note on those that were left out, if any. The note shows names and no values: a value
/// can be anything, also a token that went astray.
pub(super) fn parse(
    query: &[(String, String)],
    limits: Limits,
) -> (BTreeMap<String, String>, Option<String>) {
    let mut labels = BTreeMap::new();
    let mut left_out = Vec::new();
    for (name, value) in query {
        let Some(name) = name.strip_prefix(PREFIX) else { continue };
        match fault(name, value, &labels, limits) {
            Some(reason) => left_out.push((name, reason)),
            None => drop(labels.insert(name.to_owned(), value.clone())),
        }
    }
    (labels, note(&left_out))
}

/// Why a label does not fit beside those that are there already.
fn fault(name: &str, value: &str, labels: &BTreeMap<String, String>, limits: Limits) -> Option<String> {
    let Limits { labels_max, bytes_max } = limits;
    if name.is_empty() {
        Some("it has no name".to_owned())
    } else if name.len() > bytes_max {
        Some(format!("its name is longer than {bytes_max} bytes"))
    } else if value.len() > bytes_max {
        Some(format!("its value is longer than {bytes_max} bytes"))
    } else if labels.contains_key(name) {
        Some("it is given twice, the first one is kept".to_owned())
    } else if labels.len() >= labels_max {
        Some(format!("no more than {labels_max} are taken"))
    } else {
        None
    }
}

fn note(left_out: &[(&str, String)]) -> Option<String> {
    let named = left_out.iter().take(NAMED_MAX);
    let mut sentences: Vec<_> =
        named.map(|(name, reason)| format!("{} left out: {reason}", shown(name))).collect();
    let rest = left_out.len() - sentences.len();
    if rest > 0 {
        sentences.push(format!("{rest} more labels left out"));
    }
    (!sentences.is_empty()).then(|| sentences.join("; "))
}

/// A label's name for people: cut, and without control characters, which a terminal would obey.
fn shown(name: &str) -> String {
    if name.is_empty() {
        return "a label".to_owned();
    }
    format!("label `{}`", expect::shown(name))
}
