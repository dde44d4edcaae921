//! Monitors, runs and incidents for tests.

use postroom_core::{
    event::Verdict,
    id::{IncidentId, SourceName},
    monitor::{
        CollectionWatch, Identity, Monitor, Mute, Numbers, OpenIncident, Pause, Phase, PolicyHint, Run,
        RunRef, Severity, Watch,
    },
    time::Timestamp,
};

use super::{at, event_id};
use crate::{
    Alive, IncidentRecord, IncidentState, MonitorChange, RunRange, Store, TimelineEntry, TrackChange,
};

/// The run that event number `n` told of, accepted at `ms`.
pub(crate) fn run_at(n: u32, ms: i64, verdict: Verdict) -> Run {
    let numbers = Numbers {
        requests: Some(n),
        latency_total_ms: Some(u64::from(n) * 100),
        passed_tests: None,
        failed_tests: Some(3),
        errors: Some(0),
        warnings: None,
    };
    Run { event: event_id(n), at: at(ms), verdict, numbers }
}

pub(crate) fn run(n: u32) -> Run {
    run_at(n, super::received_at(n).as_unix_ms(), Verdict::Failed)
}

/// A monitor of which little is known.
pub(crate) fn monitor(uid: &str) -> Monitor {
    let identity = Identity {
        uid: uid.to_owned(),
        name: None,
        collection_name: None,
        collection_id: None,
        environment_name: None,
        environment_id: None,
        source: SourceName::new("acme"),
        labels: Default::default(),
    };
    Monitor::new(identity, at(1_000))
}

pub(crate) fn named(uid: &str, name: &str) -> Monitor {
    let mut monitor = monitor(uid);
    monitor.identity.name = Some(name.to_owned());
    monitor
}

/// A monitor of which everything is known, and nothing twice.
pub(crate) fn full(uid: &str) -> Monitor {
    let mut monitor = named(uid, " Nächtliche Tests ");
    let identity = &mut monitor.identity;
    identity.collection_name = Some("Orders".to_owned());
    identity.collection_id = Some("c-1".to_owned());
    identity.environment_name = Some("Staging".to_owned());
    identity.environment_id = Some("e-1".to_owned());
    identity.labels = [("team".to_owned(), "payments \"1\"".to_owned())].into();
    let reference = |n: u32| RunRef { event: event_id(n), at: at(i64::from(n)) };
    monitor.last_run = Some(run(9));
    (monitor.counts.passed, monitor.counts.failed, monitor.counts.unknown) = (1, 2, 3);
    let track = &mut monitor.track;
    (track.phase, track.failures, track.passes) = (Phase::Recovering, 4, 5);
    track.since = Some(at(6));
    (track.first_failing, track.last_failing) = (Some(reference(7)), Some(reference(8)));
    (track.flips, track.decided) = (u32::MAX - 1, 32);
    track.policy_hint = PolicyHint::FailuresThenSuccess;
    track.incident = Some(OpenIncident {
        id: incident_id(11),
        opened_at: at(12),
        severity: Severity::Critical,
        runs: 13,
        failed_runs: 14,
        first_failing: reference(15),
        last_failing: reference(16),
        reminded_at: Some(at(17)),
        reminders: 18,
        announced: true,
    });
    let cadence = &mut monitor.cadence;
    cadence.gaps_s = vec![300, 301, u32::MAX];
    cadence.pauses = vec![Pause { began: at(19), gap_s: 20, is_heard: false }];
    (cadence.learning_since, cadence.silent_since) = (Some(at(21)), Some(at(22)));
    cadence.silence_announced = true;
    monitor.mute = Some(Mute { until: at(23), by: "ann".to_owned(), reason: Some("deploy".to_owned()) });
    monitor
}

pub(crate) fn incident_id(n: u8) -> IncidentId {
    IncidentId::from_bytes([n; 16])
}

/// Incident number `n` of a monitor, opened at that many milliseconds and resolved when `resolved_at` says.
pub(crate) fn incident(n: u8, monitor: &str, resolved_at: Option<i64>) -> IncidentRecord {
    let number = u32::from(n);
    let opened_at = at(n.into());
    let entry = |at: Timestamp, what: &str| TimelineEntry {
        at,
        what: what.to_owned(),
        event: Some(event_id(number)),
        note: None,
    };
    IncidentRecord {
        id: incident_id(n),
        monitor: monitor.to_owned(),
        monitor_name: Some("Night run".to_owned()),
        state: if resolved_at.is_some() { IncidentState::Resolved } else { IncidentState::Open },
        severity: Severity::Error,
        opened_at,
        resolved_at: resolved_at.map(at),
        first_failing: run(number).reference(),
        last_failing: run(number + 1).reference(),
        resolved_by: resolved_at.map(|_| run(number + 2).reference()),
        runs: 5,
        failed_runs: 4,
        reminders: 3,
        announced: n.is_multiple_of(2),
        timeline: vec![TimelineEntry { note: Some("2 of 3".to_owned()), ..entry(opened_at, "opened") }],
    }
}

pub(crate) fn collection(uid: &str, last_at: i64) -> CollectionWatch {
    CollectionWatch {
        uid: uid.to_owned(),
        name: Some("Orders".to_owned()),
        last_at: at(last_at),
        last_event: event_id(1),
        overdue_since: None,
    }
}

/// A sign of life at `ms`.
pub(crate) fn alive(ms: i64) -> Alive {
    Alive { at: at(ms), watch: Watch::since(at(ms - 2)), following_since: at(ms - 1) }
}

/// A change of nothing, as of `ms`.
pub(crate) fn tracked(ms: i64) -> TrackChange {
    TrackChange {
        position: None,
        alive: alive(ms),
        monitors: Vec::new(),
        incidents: Vec::new(),
        collections: Vec::new(),
        forgotten: Vec::new(),
        events: Vec::new(),
    }
}

/// A monitor with runs to add.
pub(crate) fn with_runs(monitor: Monitor, runs: Vec<Run>) -> MonitorChange {
    MonitorChange { monitor, due_at: None, runs }
}

pub(crate) async fn keep_monitors(store: &dyn Store, monitors: Vec<MonitorChange>) {
    store.track(TrackChange { monitors, ..tracked(1) }).await.unwrap();
}

pub(crate) async fn keep_incidents(store: &dyn Store, incidents: Vec<IncidentRecord>) {
    store.track(TrackChange { incidents, ..tracked(1) }).await.unwrap();
}

pub(crate) async fn runs(store: &dyn Store, uid: &str, range: RunRange) -> Vec<Run> {
    store.runs(uid.to_owned(), range).await.unwrap()
}
