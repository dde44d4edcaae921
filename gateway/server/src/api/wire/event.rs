//! Events.

use postroom_core::{
    event::{Facts, UnknownName, Verdict},
    id::SourceName,
    route::Explanation,
};
use postroom_engine::emitting_destination;
use postroom_openapi::events;
use postroom_store::{DeliveryRecord, EventFilter, EventRecord};

use super::{instant, kind, kind_from, moment, state};

/// How much of an event is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Depth {
    /// As in a list.
    Listed,
    /// With its deliveries and what the routes said.
    Whole,
}

pub(in crate::api) fn event(record: EventRecord, depth: Depth) -> events::Event {
    let EventRecord { event, explanations, deliveries, .. } = record;
    let facts = event.facts;
    let whole = depth == Depth::Whole;
    events::Event {
        id: event.id.to_string(),
        received_at: moment(event.received_at),
        made_by: emitting_destination(&event.source).map(|destination| events::Maker {
            destination: destination.to_owned(),
            hops: event.hops.into(),
        }),
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
        routes: whole
            .then(|| explanations.into_iter().map(|explanation| route_result(&explanation)).collect()),
    }
}

/// How a route looked at an event. A condition that holds is no reason for leaving it.
pub(in crate::api) fn route_result(explanation: &Explanation) -> events::RouteResult {
    let decided = explanation.reasons.iter().filter(|reason| reason.holds == explanation.matched);
    events::RouteResult {
        name: explanation.route.to_string(),
        matched: explanation.matched,
        reasons: decided.map(ToString::to_string).collect(),
    }
}

pub(super) fn named(id: Option<String>, name: Option<String>) -> Option<events::NamedId> {
    let name = name.map(|name| postroom_core::event::display_name(&name).to_owned());
    (id.is_some() || name.is_some()).then_some(events::NamedId { id, name })
}

/// Fails for a kind that no event can have.
pub(in crate::api) fn event_filter(filter: events::EventFilter) -> Result<EventFilter, UnknownName> {
    let events::EventFilter {
        kind,
        source,
        subject,
        label,
        monitor,
        collection,
        text,
        received_after,
        received_before,
    } = filter;
    Ok(EventFilter {
        kind: kind.as_ref().map(kind_from).transpose()?,
        source: source.map(SourceName::new),
        subject,
        label,
        monitor,
        collection,
        text: text.map(|text| text.to_lowercase()),
        since: received_after.map(instant),
        until: received_before.map(instant),
    })
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

pub(in crate::api) fn verdict(verdict: Verdict) -> events::Verdict {
    match verdict {
        Verdict::Passed => events::Verdict::Passed,
        Verdict::Failed => events::Verdict::Failed,
        Verdict::Unknown => events::Verdict::Unknown,
    }
}
