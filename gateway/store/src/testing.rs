//! Values for tests: each differs from the others where a mix-up would matter.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use postroom_core::{
    delivery::DeliveryState,
    event::{Event, Facts, Kind, Verdict},
    id::{DeliveryId, DestinationName, EventId, RouteName, SourceName},
    lane::LaneKey,
    outcome::{Outcome, OutcomeKind},
    route::{Explanation, Reason, Target},
    time::Timestamp,
};

use crate::{Accepted, AttemptRecord, DeliveryChange, NewEvent, PageRequest, Store};

pub(crate) fn event_id(n: u32) -> EventId {
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    EventId::from_bytes(bytes)
}

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(ms)
}

pub(crate) fn destination(name: &str) -> DestinationName {
    DestinationName::new(name)
}

pub(crate) fn lane(destination: &str, key: &str) -> LaneKey {
    LaneKey { destination: DestinationName::new(destination), key: key.into() }
}

/// Event number `n` with ordering key `key`, for each of `destinations`.
pub(crate) fn new_event(n: u32, key: &str, destinations: &[&str]) -> NewEvent {
    let event = Event {
        id: event_id(n),
        received_at: at(1_000 + i64::from(n)),
        source: SourceName::new("acme"),
        kind: Kind::MonitorRun,
        subject: Some(key.to_owned()),
        ordering_key: key.into(),
        verdict: Some(Verdict::Failed),
        facts: Facts { monitor_name: Some(" Night \u{1F319} ".to_owned()), ..Facts::default() },
        note: None,
        labels: BTreeMap::from([("team".to_owned(), "payments".to_owned())]),
        content_type: Some("application/json".to_owned()),
        body_bytes: 0,
    };
    let target = |name: &&str| Target { destination: destination(name), route: RouteName::new("all") };
    with_body(
        NewEvent {
            event: Arc::new(event),
            body: Bytes::new(),
            targets: destinations.iter().map(target).collect(),
            explanations: vec![explanation()],
        },
        format!("body {n}"),
    )
}

pub(crate) fn with_body(new: NewEvent, body: impl Into<Bytes>) -> NewEvent {
    let body = body.into();
    changed(NewEvent { body: body.clone(), ..new }, |event| event.body_bytes = body.len() as u64)
}

pub(crate) fn changed(mut new: NewEvent, change: impl FnOnce(&mut Event)) -> NewEvent {
    change(Arc::make_mut(&mut new.event));
    new
}

pub(crate) fn explanation() -> Explanation {
    let reason = Reason {
        condition: "kinds".to_owned(),
        wanted: "activity, \"quoted\"".to_owned(),
        found: "monitor_run".to_owned(),
        holds: false,
    };
    Explanation { route: RouteName::new("activities"), matched: false, reasons: vec![reason] }
}

pub(crate) fn outcome(kind: OutcomeKind) -> Outcome {
    Outcome {
        kind,
        retry_after: Some(Duration::from_millis(1_500)),
        code: format!("code_{kind}"),
        message: format!("message of {kind}"),
        record_json: Some(r#"{"id":"1"}"#.to_owned()),
    }
}

pub(crate) fn attempt(ms: i64, kind: OutcomeKind) -> AttemptRecord {
    AttemptRecord { started_at: at(ms), finished_at: at(ms + 5), outcome: outcome(kind) }
}

/// A change without attempt, such as superseded.
pub(crate) fn change(id: DeliveryId, state: DeliveryState) -> DeliveryChange {
    DeliveryChange { id, state, attempts: None, due: None, at: at(9_000), attempt: None }
}

pub(crate) fn page(before: Option<i64>, limit: usize) -> PageRequest {
    PageRequest { before, limit }
}

pub(crate) async fn accept(store: &dyn Store, new: NewEvent) -> Vec<DeliveryId> {
    let Accepted { deliveries } = store.accept(new).await.unwrap();
    deliveries
}

pub(crate) async fn waiting(store: &dyn Store) -> Vec<DeliveryId> {
    store.waiting(None, usize::MAX).await.unwrap().into_iter().map(|ticket| ticket.id).collect()
}
