//! Monitors, their runs and incidents.

use std::time::Duration;

use postroom_core::{
    event::{Verdict, display_name},
    id::SourceName,
    monitor::{
        Counts, Monitor, Mute, OpenIncident, Phase, Policy, PolicyHint, Run, RunRef, Severity,
        summary::{self, Bucket, Slo},
    },
    time::Timestamp,
};
use postroom_openapi::{events, incidents, monitors};
use postroom_store::{
    IncidentFilter, IncidentRecord, IncidentState, MonitorFilter, MonitorRow, TimelineEntry,
};

use super::{
    event::{Depth, named, verdict},
    instant, moment,
};

/// What a monitor's page says when most of its runs never arrive.
const HINT: &str = "the runs look as if the integration notified for 3 failures and then first success only: most runs never \
                    arrive, so their absence means nothing, availability cannot be told, and the first pass resolves; choose \
                    \"Notify for all completed monitor runs\" in Postman";

pub(in crate::api) fn monitor(
    row: MonitorRow,
    policy: &Policy,
    now: Timestamp,
    depth: Depth,
) -> monitors::Monitor {
    let monitor = row.monitor;
    let expected_every_s = monitor.expected_every(policy).map(|every| every.as_secs());
    let maintenance = policy.maintenance.as_ref().and_then(|schedule| schedule.open_at(now).ok().flatten());
    let (identity, track) = (monitor.identity, monitor.track);
    let last = monitor.last_run;
    monitors::Monitor {
        uid: identity.uid,
        name: shown(identity.name),
        last_verdict: last.as_ref().map(|run| verdict(run.verdict)),
        last_run_at: last.as_ref().map(|run| moment(run.at)),
        silent: monitor.cadence.silent_since.is_some(),
        silent_since: monitor.cadence.silent_since.map(moment),
        incident: track.incident.as_ref().map(open_incident),
        phase: phase(track.phase),
        failures_in_row: track.failures,
        passes_in_row: track.passes,
        counts: monitors::RunCounts {
            passed: monitor.counts.passed,
            failed: monitor.counts.failed,
            unknown: monitor.counts.unknown,
        },
        first_seen_at: moment(monitor.first_seen),
        collection: named(identity.collection_id, identity.collection_name),
        environment: named(identity.environment_id, identity.environment_name),
        source: identity.source.to_string(),
        labels: identity.labels,
        mute: monitor.mute.filter(|mute| mute.until > now).map(mute),
        maintenance_until: maintenance.map(moment),
        expected_every_s,
        notification_policy: notification_policy(track.policy_hint),
        hint: (track.policy_hint == PolicyHint::FailuresThenSuccess).then(|| HINT.to_owned()),
        last_run: last.filter(|_| depth == Depth::Whole).map(run),
        slo: None,
    }
}

/// What is left to say of a monitor that was so, and is forgotten.
pub(in crate::api) fn forgotten(monitor: Monitor) -> monitors::ForgottenMonitor {
    let Counts { passed, failed, unknown } = monitor.counts;
    monitors::ForgottenMonitor {
        uid: monitor.identity.uid,
        name: shown(monitor.identity.name),
        runs: passed.saturating_add(failed).saturating_add(unknown),
        resolved_incident: monitor.track.incident.map(|incident| incident.id.to_string()),
        was_silent: monitor.cadence.silent_since.is_some(),
    }
}

pub(in crate::api) fn slo(since: Timestamp, passed: u64, failed: u64, target: f64) -> monitors::MonitorSlo {
    let Slo { availability, budget_total_runs, budget_left_share } = summary::slo(passed, failed, target);
    monitors::MonitorSlo {
        target,
        since: moment(since),
        runs: passed + failed,
        failed,
        availability,
        budget_runs: budget_total_runs,
        budget_left: budget_left_share,
    }
}

fn shown(name: Option<String>) -> Option<String> {
    name.map(|name| display_name(&name).to_owned())
}

fn mute(mute: Mute) -> monitors::Mute {
    let Mute { until, by, reason } = mute;
    monitors::Mute { until: moment(until), by, reason }
}

fn open_incident(incident: &OpenIncident) -> monitors::MonitorIncident {
    monitors::MonitorIncident {
        id: incident.id.to_string(),
        opened_at: moment(incident.opened_at),
        severity: severity(incident.severity),
        runs: incident.runs,
        failed_runs: incident.failed_runs,
    }
}

fn phase(phase: Phase) -> monitors::MonitorPhase {
    match phase {
        Phase::Ok => monitors::MonitorPhase::Ok,
        Phase::Failing => monitors::MonitorPhase::Failing,
        Phase::Open => monitors::MonitorPhase::Open,
        Phase::Recovering => monitors::MonitorPhase::Recovering,
    }
}

fn notification_policy(hint: PolicyHint) -> monitors::NotificationPolicy {
    match hint {
        PolicyHint::Unclear => monitors::NotificationPolicy::Unclear,
        PolicyHint::EveryRun => monitors::NotificationPolicy::EveryRun,
        PolicyHint::FailuresThenSuccess => monitors::NotificationPolicy::FailuresThenSuccess,
    }
}

fn severity(severity: Severity) -> monitors::Severity {
    match severity {
        Severity::Info => monitors::Severity::Info,
        Severity::Warning => monitors::Severity::Warning,
        Severity::Error => monitors::Severity::Error,
        Severity::Critical => monitors::Severity::Critical,
    }
}

pub(in crate::api) fn run(run: Run) -> monitors::MonitorRun {
    let Run { event, at, verdict: said, numbers } = run;
    monitors::MonitorRun {
        at: moment(at),
        event_id: event.to_string(),
        verdict: verdict(said),
        requests: numbers.requests.map(u64::from),
        latency_mean_ms: numbers.latency_mean_ms(),
        latency_total_ms: numbers.latency_total_ms,
        passed_tests: numbers.passed_tests.map(u64::from),
        failed_tests: numbers.failed_tests.map(u64::from),
        errors: numbers.errors.map(u64::from),
        warnings: numbers.warnings.map(u64::from),
    }
}

pub(in crate::api) fn bucket(bucket: Bucket) -> monitors::RunBucket {
    let Bucket {
        start,
        runs,
        passed,
        failed,
        unknown,
        availability,
        latency_mean_ms,
        latency_p50_ms,
        latency_p95_ms,
        requests,
        failed_tests,
        errors,
    } = bucket;
    monitors::RunBucket {
        start: moment(start),
        runs,
        passed,
        failed,
        unknown,
        availability,
        latency_mean_ms,
        latency_p50_ms,
        latency_p95_ms,
        requests,
        failed_tests,
        errors,
    }
}

/// How long its stretches are at least; `None` for runs that are not summed up.
pub(in crate::api) fn resolution(
    resolution: monitors::Resolution,
) -> Option<(summary::Resolution, Duration)> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    match resolution {
        monitors::Resolution::Run => None,
        monitors::Resolution::Hour => Some((summary::Resolution::Hour, DAY / 24)),
        monitors::Resolution::Day => Some((summary::Resolution::Day, DAY)),
        monitors::Resolution::Week => Some((summary::Resolution::Week, 7 * DAY)),
        monitors::Resolution::Month => Some((summary::Resolution::Month, 28 * DAY)),
    }
}

pub(in crate::api) fn monitor_filter(filter: monitors::MonitorFilter, now: Timestamp) -> MonitorFilter {
    let monitors::MonitorFilter { text, verdict, silent, incident, muted, source, label } = filter;
    let verdict = verdict.map(|verdict| match verdict {
        events::Verdict::Passed => Verdict::Passed,
        events::Verdict::Failed => Verdict::Failed,
        events::Verdict::Unknown => Verdict::Unknown,
    });
    MonitorFilter {
        text,
        verdict,
        silent,
        incident_open: incident.map(|incident| incident == monitors::HasIncident::Open),
        muted_at: (muted == Some(true)).then_some(now),
        unmuted_at: (muted == Some(false)).then_some(now),
        source: source.map(SourceName::new),
        label,
    }
}

pub(in crate::api) fn incident_filter(filter: incidents::IncidentFilter) -> IncidentFilter {
    let incidents::IncidentFilter { state, monitor, since, until } = filter;
    let state = state.map(|state| match state {
        incidents::IncidentState::Open => IncidentState::Open,
        incidents::IncidentState::Resolved => IncidentState::Resolved,
    });
    IncidentFilter { state, monitor, since: since.map(instant), until: until.map(instant) }
}

pub(in crate::api) fn incident(record: IncidentRecord, depth: Depth) -> incidents::Incident {
    let duration = record.resolved_at.map(|at| record.opened_at.until(at).as_secs());
    let state = match record.state {
        IncidentState::Open => incidents::IncidentState::Open,
        IncidentState::Resolved => incidents::IncidentState::Resolved,
    };
    let timeline = || record.timeline.into_iter().map(timeline_entry).collect();
    incidents::Incident {
        id: record.id.to_string(),
        monitor_uid: record.monitor,
        monitor_name: shown(record.monitor_name),
        state,
        severity: severity(record.severity),
        opened_at: moment(record.opened_at),
        resolved_at: record.resolved_at.map(moment),
        duration_s: duration,
        runs: record.runs,
        failed_runs: record.failed_runs,
        first_failing: run_link(record.first_failing),
        last_failing: run_link(record.last_failing),
        resolved_by: record.resolved_by.map(run_link),
        reminders: record.reminders,
        announced: record.announced,
        timeline: (depth == Depth::Whole).then(timeline),
    }
}

fn run_link(run: RunRef) -> incidents::RunLink {
    let RunRef { event, at } = run;
    incidents::RunLink { event_id: event.to_string(), at: moment(at) }
}

fn timeline_entry(entry: TimelineEntry) -> incidents::TimelineEntry {
    let TimelineEntry { at, what, event, note } = entry;
    incidents::TimelineEntry { at: moment(at), what, event_id: event.map(|id| id.to_string()), note }
}
