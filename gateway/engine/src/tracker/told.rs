//! What is told of a monitor or a collection, as an event. The body is described in `docs/monitors.md`.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use postroom_core::{
    event::{Facts, MadeKind, Verdict, display_name},
    id::EventId,
    monitor::{CollectionWatch, Identity, OpenIncident, Run, RunRef},
    time::Timestamp,
};
use serde::Serialize;

use super::failures::Failure;
use crate::intake::Made;

/// Something that is told of a monitor.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) kind: MadeKind,
    pub(super) monitor: Identity,
    pub(super) incident: Option<OpenIncident>,
    pub(super) resolved_at: Option<Timestamp>,
    pub(super) silence: Option<Quiet>,
    /// The monitor's last run.
    pub(super) run: Option<Run>,
    /// The event that brought it about, if one did.
    pub(super) caused_by: Option<EventId>,
    pub(super) failures: Vec<Failure>,
    /// Who said that the monitor is no more, if that brought it about.
    pub(super) forgotten_by: Option<String>,
}

/// A time without runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quiet {
    /// The last run before it.
    pub(super) since: Timestamp,
    pub(super) expected_every: Option<Duration>,
    /// How long it was, when it is over.
    pub(super) lasted: Option<Duration>,
}

impl Told {
    /// The run whose failures are worth asking for: one that fails, of an incident that is told.
    pub(super) fn failing_run(&self) -> Option<&Run> {
        let tells_of_failures = matches!(self.kind, MadeKind::IncidentOpened | MadeKind::IncidentReminder);
        let failing = self.incident.as_ref()?.last_failing.event;
        self.run.as_ref().filter(|run| tells_of_failures && run.event == failing)
    }

    /// The event, told at `now`.
    pub(super) fn made(&self, now: Timestamp) -> Made {
        let Identity {
            uid,
            name,
            collection_name,
            collection_id,
            environment_name,
            environment_id,
            labels,
            ..
        } = &self.monitor;
        Made {
            kind: self.kind,
            subject: uid.clone(),
            facts: Facts {
                monitor_name: name.clone(),
                monitor_id: Some(uid.clone()),
                collection_name: collection_name.clone(),
                collection_id: collection_id.clone(),
                environment_name: environment_name.clone(),
                environment_id: environment_id.clone(),
                action: None,
                model: None,
            },
            labels: labels.clone(),
            verdict: Some(verdict(self.kind)),
            body: json(&Body {
                kind: self.kind.as_str(),
                incident: self.incident.as_ref().map(|incident| self.incident(incident, now)),
                monitor: Some(Monitor {
                    uid,
                    name: name.as_deref().map(display_name),
                    collection_name: collection_name.as_deref().map(display_name),
                    collection_uid: collection_id.as_deref(),
                    environment_name: environment_name.as_deref().map(display_name),
                    environment_uid: environment_id.as_deref(),
                }),
                collection: None,
                run: self.run.as_ref().map(LastRun::of),
                silence: self.silence.map(|quiet| Silence {
                    since: rfc3339(quiet.since),
                    expected_every_s: quiet.expected_every.map(|every| every.as_secs()),
                    duration_s: quiet.lasted.map(|lasted| lasted.as_secs()),
                }),
                caused_by: self.caused_by.map(|event| event.to_string()),
                failures: (!self.failures.is_empty()).then(|| self.failures.iter().map(Failed::of).collect()),
                forgotten_by: self.forgotten_by.as_deref(),
            }),
        }
    }

    fn incident(&self, incident: &OpenIncident, now: Timestamp) -> Incident {
        let until = self.resolved_at.unwrap_or(now);
        Incident {
            id: incident.id.to_string(),
            opened_at: rfc3339(incident.opened_at),
            resolved_at: self.resolved_at.map(rfc3339),
            duration_s: incident.opened_at.until(until).as_secs(),
            severity: incident.severity.as_str(),
            runs: incident.runs,
            failed_runs: incident.failed_runs,
            first_failing: Reference::of(incident.first_failing),
            last_failing: Reference::of(incident.last_failing),
            reminders: incident.reminders,
        }
    }
}

/// What is told of a collection whose backups stay away since `overdue_since`.
pub(super) fn overdue(watch: &CollectionWatch, overdue_since: Timestamp) -> Made {
    Made {
        kind: MadeKind::BackupOverdue,
        subject: watch.uid.clone(),
        facts: Facts {
            collection_name: watch.name.clone(),
            collection_id: Some(watch.uid.clone()),
            ..Facts::default()
        },
        labels: Default::default(),
        verdict: Some(verdict(MadeKind::BackupOverdue)),
        body: json(&Body {
            kind: MadeKind::BackupOverdue.as_str(),
            incident: None,
            monitor: None,
            collection: Some(Collection {
                uid: &watch.uid,
                name: watch.name.as_deref().map(display_name),
                last_backup: Reference { event_id: watch.last_event.to_string(), at: rfc3339(watch.last_at) },
                overdue_since: rfc3339(overdue_since),
            }),
            run: None,
            silence: None,
            caused_by: None,
            failures: None,
            forgotten_by: None,
        }),
    }
}

const fn verdict(kind: MadeKind) -> Verdict {
    match kind {
        MadeKind::IncidentOpened
        | MadeKind::IncidentReminder
        | MadeKind::MonitorSilent
        | MadeKind::BackupOverdue => Verdict::Failed,
        MadeKind::IncidentResolved | MadeKind::MonitorResumed => Verdict::Passed,
    }
}

#[derive(Serialize)]
struct Body<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<Incident>,
    #[serde(skip_serializing_if = "Option::is_none")]
    monitor: Option<Monitor<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collection: Option<Collection<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<LastRun>,
    #[serde(skip_serializing_if = "Option::is_none")]
    silence: Option<Silence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caused_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<Vec<Failed<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    forgotten_by: Option<&'a str>,
}

#[derive(Serialize)]
struct Incident {
    id: String,
    opened_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_at: Option<String>,
    duration_s: u64,
    severity: &'static str,
    runs: u32,
    failed_runs: u32,
    first_failing: Reference,
    last_failing: Reference,
    reminders: u32,
}

#[derive(Serialize)]
struct Reference {
    event_id: String,
    at: String,
}

#[derive(Serialize)]
struct Monitor<'a> {
    uid: &'a str,
    name: Option<&'a str>,
    collection_name: Option<&'a str>,
    collection_uid: Option<&'a str>,
    environment_name: Option<&'a str>,
    environment_uid: Option<&'a str>,
}

#[derive(Serialize)]
struct Collection<'a> {
    uid: &'a str,
    name: Option<&'a str>,
    last_backup: Reference,
    overdue_since: String,
}

#[derive(Serialize)]
struct LastRun {
    event_id: String,
    at: String,
    verdict: &'static str,
    requests: Option<u32>,
    failed_tests: Option<u32>,
    errors: Option<u32>,
    latency_mean_ms: Option<f64>,
}

#[derive(Serialize)]
struct Silence {
    since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_every_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_s: Option<u64>,
}

#[derive(Serialize)]
struct Failed<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl Reference {
    fn of(run: RunRef) -> Self {
        Self { event_id: run.event.to_string(), at: rfc3339(run.at) }
    }
}

impl LastRun {
    fn of(run: &Run) -> Self {
        Self {
            event_id: run.event.to_string(),
            at: rfc3339(run.at),
            verdict: run.verdict.as_str(),
            requests: run.numbers.requests,
            failed_tests: run.numbers.failed_tests,
            errors: run.numbers.errors,
            latency_mean_ms: run.numbers.latency_mean_ms().map(tenths),
        }
    }
}

impl<'a> Failed<'a> {
    fn of(failure: &'a Failure) -> Self {
        let Failure { name, request, error } = failure;
        Self { name, request: request.as_deref(), error: error.as_deref() }
    }
}

/// A third of a millisecond is nothing that anybody wants to read in sixteen digits.
fn tenths(ms: f64) -> f64 {
    (ms * 10.0).round() / 10.0
}

/// A moment as the API writes it.
fn rfc3339(at: Timestamp) -> String {
    let nearest = if at < Timestamp::EPOCH { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    let moment = DateTime::from_timestamp_millis(at.as_unix_ms()).unwrap_or(nearest);
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn json(body: &Body<'_>) -> Bytes {
    serde_json::to_vec(body).expect("texts and numbers can be written").into()
}

#[cfg(test)]
mod tests;
