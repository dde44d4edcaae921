//! What the tests of this crate share.

mod log;
mod memory;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use postroom_core::{
    event::{Event, Facts, Kind},
    id::{DestinationName, EventId, RouteName, SourceName},
    route::Target,
    time::Timestamp,
};
use postroom_store::NewEvent;
use tokio::time::Instant;

pub(crate) use self::{log::Log, memory::Memory};
use crate::Clock;

/// A Tuesday, as Unix milliseconds: 2030-01-01T12:00:00Z.
pub(crate) const NOON: i64 = 1_893_499_200_000;

/// A wall clock that begins at [`NOON`] and goes with tokio's time, which tests pause.
pub(crate) fn clock() -> Clock {
    let start = Instant::now();
    Clock::new(move || Timestamp::from_unix_ms(NOON).plus(start.elapsed()))
}

/// An event for `destination` whose body is `body` and whose lane is called by the first letter of it.
pub(crate) fn new_event(destination: &str, body: impl Into<Bytes>) -> NewEvent {
    let body = body.into();
    let event = Event {
        id: EventId::new(uuid::Uuid::now_v7()),
        received_at: Timestamp::from_unix_ms(NOON),
        source: SourceName::new("s"),
        kind: Kind::Unrecognized,
        subject: None,
        ordering_key: String::from_utf8_lossy(&body[..1]).into(),
        verdict: None,
        facts: Facts::default(),
        note: None,
        labels: BTreeMap::new(),
        content_type: None,
        body_bytes: body.len() as u64,
        hops: 0,
    };
    NewEvent {
        event: Arc::new(event),
        body: body.into(),
        targets: vec![Target { destination: DestinationName::new(destination), route: RouteName::new("r") }],
        explanations: Vec::new(),
        mark: None,
    }
}
