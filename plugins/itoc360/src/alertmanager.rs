//! An alert as the webhook body of Alertmanager, version 4.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};

use crate::{facts::Facts, template::one_line};

/// The label of an event that becomes the alert's link. Postman itself sends none.
const GENERATOR_URL: &str = "generator_url";
/// Names of labels that say what the gateway knows. Nobody else's may replace them.
pub(crate) const OWN_LABELS: [&str; 6] =
    ["severity", "monitor", "monitor_id", "collection", "environment", "source"];
/// Longest value of a label, in characters.
const LABEL_CHARS_MAX: usize = 256;

/// One alert.
#[derive(Debug)]
pub(crate) struct Alert<'a> {
    /// The same for every event of an incident: ITOC360 finds the open one by it.
    pub(crate) fingerprint: &'a str,
    pub(crate) facts: &'a Facts,
    pub(crate) summary: String,
    pub(crate) description: String,
    /// When it began, in milliseconds since 1970.
    pub(crate) starts_unix_ms: u64,
    /// When it was over, if it is resolved.
    pub(crate) received_unix_ms: u64,
    /// Of the event.
    pub(crate) labels: Vec<(&'a str, &'a str)>,
    /// Of the settings; they win over the event's.
    pub(crate) fixed_labels: &'a BTreeMap<String, String>,
}

/// The only two values that ITOC360 takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Firing,
    Resolved,
}

/// The webhook body.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Body {
    receiver: &'static str,
    status: Status,
    alerts: [AlertBody; 1],
    group_labels: BTreeMap<String, String>,
    common_labels: BTreeMap<String, String>,
    common_annotations: BTreeMap<String, String>,
    version: &'static str,
    group_key: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AlertBody {
    status: Status,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
    fingerprint: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<String>,
}

impl Alert<'_> {
    pub(crate) fn body(&self) -> Body {
        let status = self.facts.status;
        let labels = self.labels();
        let description = (!self.description.is_empty()).then(|| self.description.clone());
        let annotations = map([("summary", Some(self.summary.clone())), ("description", description)]);
        // A body of Postman has no time: the run ended about when the gateway received it.
        let ends_at = (status == Status::Resolved).then(|| rfc3339(self.received_unix_ms));
        let alert = AlertBody {
            status,
            labels: labels.clone(),
            annotations: annotations.clone(),
            ends_at,
            starts_at: rfc3339(self.starts_unix_ms),
            fingerprint: self.fingerprint.to_owned(),
            generator_url: self.generator_url(),
        };
        Body {
            receiver: "postroom",
            status,
            alerts: [alert],
            group_labels: map([("fingerprint", Some(self.fingerprint.to_owned()))]),
            common_labels: labels,
            common_annotations: annotations,
            version: "4",
            group_key: self.fingerprint.to_owned(),
        }
    }

    /// The event's labels, those of the settings, and what is known of the monitor; where a name comes twice, the last.
    fn labels(&self) -> BTreeMap<String, String> {
        let own = self.labels.iter().filter(|(name, _)| *name != GENERATOR_URL);
        let own = own.map(|(name, value)| (label_name(name), (*value).to_owned()));
        let fixed = self.fixed_labels.iter().map(|(name, value)| (name.clone(), value.clone()));
        let mut labels: BTreeMap<_, _> = own.chain(fixed).collect();
        labels.extend(map([
            ("severity", Some(self.facts.severity.to_string())),
            ("monitor", self.facts.monitor.clone()),
            ("monitor_id", self.facts.monitor_id.clone()),
            ("collection", self.facts.collection.clone()),
            ("environment", self.facts.environment.clone()),
            ("source", Some(self.facts.source.clone())),
        ]));
        labels.into_iter().map(|(name, value)| (name, one_line(&value, LABEL_CHARS_MAX))).collect()
    }

    fn generator_url(&self) -> Option<String> {
        let (_, url) = self.labels.iter().find(|(name, _)| *name == GENERATOR_URL)?;
        let scheme = url::Url::parse(url).ok()?.scheme().to_owned();
        matches!(scheme.as_str(), "http" | "https").then(|| (*url).to_owned())
    }
}

/// Entries that have a value.
fn map<const N: usize>(entries: [(&str, Option<String>); N]) -> BTreeMap<String, String> {
    entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// A name as Prometheus allows it; others would not pass the tools behind.
fn label_name(name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// Whether a label may have this name as it is.
pub(crate) fn is_label_name(name: &str) -> bool {
    !name.is_empty() && label_name(name) == name
}

/// RFC 3339, in UTC, to the second.
pub(crate) fn rfc3339(unix_ms: u64) -> String {
    let time = i64::try_from(unix_ms).ok().and_then(DateTime::from_timestamp_millis);
    // A time that no calendar holds cannot come from the gateway's clock; it is no reason to keep an alert back.
    time.unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests;
