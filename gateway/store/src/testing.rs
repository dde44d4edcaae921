//! Values for tests: each differs from the others where a mix-up would matter.

pub(crate) mod monitors;

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

use crate::{AttemptRecord, DeliveryChange, Mark, NewBody, NewEvent, PageRequest, Store};

/// A UUIDv7 of the moment when event number `n` is accepted.
pub(crate) fn event_id(n: u32) -> EventId {
    let mut bytes = [7; 16];
    bytes[..6].copy_from_slice(&received_at(n).as_unix_ms().to_be_bytes()[2..]);
    EventId::from_bytes(bytes)
}

/// When event number `n` is accepted.
pub(crate) fn received_at(n: u32) -> Timestamp {
    at(1_000 + i64::from(n))
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
        received_at: received_at(n),
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
        hops: 0,
    };
    let target = |name: &&str| Target { destination: destination(name), route: RouteName::new("all") };
    with_body(
        NewEvent {
            event: Arc::new(event),
            body: NewBody::Inline(Bytes::new()),
            targets: destinations.iter().map(target).collect(),
            explanations: vec![explanation()],
            mark: None,
        },
        format!("body {n}"),
    )
}

pub(crate) fn with_body(new: NewEvent, body: impl Into<Bytes>) -> NewEvent {
    let body = body.into();
    let length = body.len() as u64;
    changed(NewEvent { body: NewBody::Inline(body), ..new }, |event| event.body_bytes = length)
}

/// Sent under an idempotency key; `body` stands for the body's hash.
pub(crate) fn marked(new: NewEvent, key: &str, body: u8) -> NewEvent {
    NewEvent { mark: Some(Mark { key: key.to_owned(), body_sha256: [body; 32] }), ..new }
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

pub(crate) fn page<P>(before: Option<P>, limit: usize) -> PageRequest<P> {
    PageRequest { before, limit }
}

pub(crate) async fn accept(store: &dyn Store, new: NewEvent) -> Vec<DeliveryId> {
    store.accept(new).await.unwrap().deliveries
}

/// An event whose deliveries end in `state` at `finished_at`, in milliseconds.
pub(crate) async fn finished(
    store: &dyn Store,
    new: NewEvent,
    state: DeliveryState,
    finished_at: i64,
) -> Vec<DeliveryId> {
    let ids = accept(store, new).await;
    let changes = ids.iter().map(|id| DeliveryChange { at: at(finished_at), ..change(*id, state) });
    store.record(changes.collect()).await.unwrap();
    ids
}

pub(crate) async fn body(store: &dyn Store, n: u32) -> Bytes {
    store.body(event_id(n)).await.unwrap().unwrap().read().await.unwrap()
}

/// What waits for one destination.
pub(crate) async fn waiting_for(store: &dyn Store, name: &str) -> Vec<DeliveryId> {
    let tickets = store.waiting(destination(name), None, usize::MAX).await.unwrap();
    tickets.into_iter().map(|ticket| ticket.id).collect()
}

/// What waits for any destination.
pub(crate) async fn waiting(store: &dyn Store) -> Vec<DeliveryId> {
    let mut all = Vec::new();
    for count in store.waiting_counts().await.unwrap() {
        let ids = waiting_for(store, count.destination.as_str()).await;
        assert_eq!(ids.len() as u64, count.waiting);
        all.extend(ids);
    }
    all.sort();
    all
}
