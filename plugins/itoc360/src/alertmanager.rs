//! A monitor run as the webhook body of Alertmanager, version 4.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use postroom_sdk::MonitorRun;
use serde::Serialize;

/// The label of an event that becomes the alert's link. Postman itself sends none.
const GENERATOR_URL: &str = "generator_url";

/// One run and what the gateway knows about it.
#[derive(Debug)]
pub(crate) struct Alert<'a> {
    pub(crate) run: &'a MonitorRun,
    pub(crate) status: Status,
    /// The same for every run of a monitor: ITOC360 finds the open incident by it.
    pub(crate) fingerprint: &'a str,
    pub(crate) received_unix_ms: u64,
    pub(crate) source: &'a str,
    pub(crate) labels: Vec<(&'a str, &'a str)>,
}

/// The only two values that ITOC360 takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
        let labels = self.labels();
        let annotations = map([("summary", Some(self.summary())), ("description", Some(self.description()))]);
        // A body of Postman has no time: the run ended about when the gateway received it.
        let time = time(self.received_unix_ms);
        let alert = AlertBody {
            status: self.status,
            labels: labels.clone(),
            annotations: annotations.clone(),
            ends_at: (self.status == Status::Resolved).then(|| time.clone()),
            starts_at: time,
            fingerprint: self.fingerprint.to_owned(),
            generator_url: self.generator_url(),
        };
        Body {
            receiver: "postroom",
            status: self.status,
            alerts: [alert],
            group_labels: map([("fingerprint", Some(self.fingerprint.to_owned()))]),
            common_labels: labels,
            common_annotations: annotations,
            version: "4",
            group_key: self.fingerprint.to_owned(),
        }
    }

    /// The event's labels, and what the run says; where both have a name, the run's.
    fn labels(&self) -> BTreeMap<String, String> {
        let own = self.labels.iter().filter(|(name, _)| *name != GENERATOR_URL);
        let mut labels: BTreeMap<_, _> =
            own.map(|(name, value)| (label_name(name), (*value).to_owned())).collect();
        labels.extend(map([
            ("severity", Some(self.severity().to_owned())),
            ("monitor", self.run.monitor_name.clone()),
            ("monitor_id", self.run.monitor_id().map(str::to_owned)),
            ("collection", self.run.collection_name.clone()),
            ("environment", self.run.environment_name.clone()),
            ("source", Some(self.source.to_owned())),
        ]));
        labels
    }

    /// A run with errors could not be carried out as a whole, which is worse than a test that failed.
    fn severity(&self) -> &'static str {
        match self.status {
            Status::Resolved => "info",
            Status::Firing if self.run.errors.is_some_and(|errors| errors > 0) => "critical",
            Status::Firing => "error",
        }
    }

    /// The incident's title. Without counts, so that it stays the same from run to run.
    fn summary(&self) -> String {
        let monitor = self.run.monitor_name.as_deref().unwrap_or(self.fingerprint);
        match self.status {
            Status::Firing => format!("Monitor {monitor} is failing"),
            Status::Resolved => format!("Monitor {monitor} passes again"),
        }
    }

    fn description(&self) -> String {
        let run = self.run;
        let counts = [
            ("failed tests", run.failed_tests),
            ("passed tests", run.passed_tests),
            ("errors", run.errors),
            ("warnings", run.warnings),
            ("requests", run.request_count),
            ("total latency in ms", run.total_latency_ms),
        ];
        let counts = counts.into_iter().filter_map(|(name, count)| Some(format!("{name}: {}", count?)));
        let names = [("collection", &run.collection_name), ("environment", &run.environment_name)];
        let names = names.into_iter().filter_map(|(what, name)| Some(format!("{what}: {}", name.as_ref()?)));
        counts.chain(names).collect::<Vec<_>>().join(", ")
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

/// RFC 3339, in UTC, to the second.
fn time(unix_ms: u64) -> String {
    let time = i64::try_from(unix_ms).ok().and_then(DateTime::from_timestamp_millis);
    // A time that no calendar holds cannot come from the gateway's clock; it is no reason to keep an alert back.
    time.unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests;
