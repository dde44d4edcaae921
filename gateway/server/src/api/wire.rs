//! From the domain's types to the contract's, and back for what a request can say.

use std::collections::BTreeMap;

use postroom_core::{
    delivery::DeliveryState,
    event::{Facts, Kind, Verdict},
    outcome::OutcomeKind,
    time::Timestamp,
};
use postroom_engine::DestinationLoad;
use postroom_host::Status;
use postroom_openapi::{deliveries, destinations, events, time};
use postroom_store::{AttemptRecord, DeliveryRecord, EventRecord};

use super::DestinationInfo;

/// How much of an event is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// As in a list.
    Listed,
    /// With its deliveries and what the routes said.
    Whole,
}

pub(super) fn event(record: EventRecord, depth: Depth) -> events::Event {
    let EventRecord { event, explanations, deliveries, .. } = record;
    let facts = event.facts;
    let whole = depth == Depth::Whole;
    events::Event {
        id: event.id.to_string(),
        received_at: moment(event.received_at),
        source: event.source.to_string(),
        kind: kind(event.kind),
        subject: event.subject,
        verdict: event.verdict.map(verdict),
        activity: activity(&facts),
        monitor: named(facts.monitor_id, facts.monitor_name),
        collection: named(facts.collection_id, facts.collection_name),
        environment: named(facts.environment_id, facts.environment_name),
        note: event.note,
        labels: event.labels,
        content_type: event.content_type,
        body_bytes: event.body_bytes,
        deliveries: whole.then(|| deliveries.into_iter().map(event_delivery).collect()),
        routes: whole.then(|| {
            explanations
                .into_iter()
                .map(|explanation| events::RouteResult {
                    name: explanation.route.to_string(),
                    matched: explanation.matched,
                    reasons: explanation.reasons.iter().map(ToString::to_string).collect(),
                })
                .collect()
        }),
    }
}

fn named(id: Option<String>, name: Option<String>) -> Option<events::NamedId> {
    let name = name.map(|name| postroom_core::event::display_name(&name).to_owned());
    (id.is_some() || name.is_some()).then_some(events::NamedId { id, name })
}

fn activity(facts: &Facts) -> Option<events::ActivitySummary> {
    let Facts { action, model, .. } = facts;
    (action.is_some() || model.is_some())
        .then(|| events::ActivitySummary { action: action.clone(), model: model.clone() })
}

fn event_delivery(record: DeliveryRecord) -> events::EventDelivery {
    events::EventDelivery {
        id: record.id.to_string(),
        destination: record.destination.to_string(),
        route: record.route.to_string(),
        state: state(record.state),
        attempts: record.attempts,
    }
}

pub(super) fn delivery(
    record: DeliveryRecord,
    attempts: Option<Vec<(u32, AttemptRecord)>>,
) -> deliveries::Delivery {
    deliveries::Delivery {
        id: record.id.to_string(),
        event_id: record.event.to_string(),
        destination: record.destination.to_string(),
        route: record.route.to_string(),
        lane: record.lane.to_string(),
        state: state(record.state),
        attempts_made: record.attempts,
        next_attempt_at: record.due.map(moment),
        created_at: moment(record.created_at),
        finished_at: record.finished_at.map(moment),
        last_outcome: record.last_outcome.map(|last| deliveries::OutcomeSummary {
            kind: outcome(last.kind),
            code: filled(last.code),
            message: filled(last.message),
        }),
        attempts: attempts.map(|attempts| attempts.into_iter().map(attempt).collect()),
    }
}

fn attempt((number, record): (u32, AttemptRecord)) -> deliveries::Attempt {
    let AttemptRecord { started_at, finished_at, outcome: made } = record;
    deliveries::Attempt {
        number,
        started_at: moment(started_at),
        finished_at: moment(finished_at),
        outcome: outcome(made.kind),
        code: filled(made.code),
        message: filled(made.message),
        record: made.record_json.and_then(|json| {
            // The host has checked that it is an object; the store gives back what it got.
            serde_json::from_str::<BTreeMap<String, serde_json::Value>>(&json).ok()
        }),
    }
}

pub(super) fn destination(
    info: &DestinationInfo,
    load: DestinationLoad,
    waiting: u64,
) -> destinations::Destination {
    let (mut state, mut detail) = status(&info.status.borrow());
    if state == destinations::DestinationState::Ready {
        if load.paused_until.is_some() {
            state = destinations::DestinationState::Paused;
        }
        detail = load.trouble.map(|trouble| match state {
            destinations::DestinationState::Paused => trouble.reason,
            _ => format!("failing since {}: {}", moment(trouble.since), trouble.reason),
        });
    }
    destinations::Destination {
        name: info.name.to_string(),
        plugin: info.plugin.clone(),
        plugin_version: Some(info.plugin_version.clone()),
        state,
        detail,
        paused_until: load.paused_until.map(moment),
        in_flight: load.in_flight.into(),
        waiting: waiting.saturating_sub(load.in_flight.into()),
    }
}

fn status(status: &Status) -> (destinations::DestinationState, Option<String>) {
    use destinations::DestinationState;
    match status {
        Status::Starting => (DestinationState::Starting, None),
        Status::Ready { .. } => (DestinationState::Ready, None),
        Status::Backoff { last_error, .. } => (DestinationState::BackingOff, Some(last_error.clone())),
        Status::Refused { reason } => (DestinationState::Refused, Some(reason.clone())),
        Status::Stopped => (DestinationState::Stopped, None),
    }
}

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn moment(at: Timestamp) -> time::Timestamp {
    time::Timestamp::from_unix_ms(at.as_unix_ms())
}

pub(super) fn kind(kind: Kind) -> events::Kind {
    match kind {
        Kind::MonitorRun => events::Kind::MonitorRun,
        Kind::CollectionBackup => events::Kind::CollectionBackup,
        Kind::Activity => events::Kind::Activity,
        Kind::Unrecognized => events::Kind::Unrecognized,
    }
}

pub(super) fn kind_from(kind: events::Kind) -> Kind {
    match kind {
        events::Kind::MonitorRun => Kind::MonitorRun,
        events::Kind::CollectionBackup => Kind::CollectionBackup,
        events::Kind::Activity => Kind::Activity,
        events::Kind::Unrecognized => Kind::Unrecognized,
    }
}

fn verdict(verdict: Verdict) -> events::Verdict {
    match verdict {
        Verdict::Passed => events::Verdict::Passed,
        Verdict::Failed => events::Verdict::Failed,
        Verdict::Unknown => events::Verdict::Unknown,
    }
}

fn state(state: DeliveryState) -> deliveries::DeliveryState {
    use deliveries::DeliveryState as Wire;
    match state {
        DeliveryState::Pending => Wire::Pending,
        DeliveryState::Retrying => Wire::Retrying,
        DeliveryState::Delivered => Wire::Delivered,
        DeliveryState::Skipped => Wire::Skipped,
        DeliveryState::Superseded => Wire::Superseded,
        DeliveryState::Dead => Wire::Dead,
        DeliveryState::Cancelled => Wire::Cancelled,
    }
}

pub(super) fn state_from(state: deliveries::DeliveryState) -> DeliveryState {
    use deliveries::DeliveryState as Wire;
    match state {
        Wire::Pending => DeliveryState::Pending,
        Wire::Retrying => DeliveryState::Retrying,
        Wire::Delivered => DeliveryState::Delivered,
        Wire::Skipped => DeliveryState::Skipped,
        Wire::Superseded => DeliveryState::Superseded,
        Wire::Dead => DeliveryState::Dead,
        Wire::Cancelled => DeliveryState::Cancelled,
    }
}

fn outcome(outcome: OutcomeKind) -> deliveries::OutcomeKind {
    match outcome {
        OutcomeKind::Delivered => deliveries::OutcomeKind::Delivered,
        OutcomeKind::Skipped => deliveries::OutcomeKind::Skipped,
        OutcomeKind::Retry => deliveries::OutcomeKind::Retry,
        OutcomeKind::RateLimited => deliveries::OutcomeKind::RateLimited,
        OutcomeKind::Permanent => deliveries::OutcomeKind::Permanent,
        OutcomeKind::Misconfigured => deliveries::OutcomeKind::Misconfigured,
    }
}
