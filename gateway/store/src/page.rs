//! What a list asks for and what it gives.

use postroom_core::{
    delivery::DeliveryState,
    event::Kind,
    id::{DestinationName, EventId, ReplayId, SourceName},
    time::Timestamp,
};

/// Which part of a list: the `limit` newest before the row numbered `before`.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest {
    /// A number that an earlier [`Page::next`] gave; `None` begins at the newest.
    pub before: Option<i64>,
    /// At most this many rows.
    pub limit: usize,
}

/// One page of a list, newest first.
///
/// A page looks at a bounded number of rows. With a filter that few of them meet it may hold less than was asked for,
/// even nothing, while [`Page::next`] says where to go on.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<i64>,
}

/// Which events to list; what is not set does not matter.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// What the event is.
    pub kind: Option<Kind>,
    /// The source it came in by.
    pub source: Option<SourceName>,
    /// The monitor's or collection's id.
    pub subject: Option<String>,
}

/// Which deliveries to list, count or replay; what is not set does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Where the delivery stands.
    pub state: Option<DeliveryState>,
    /// Where it goes.
    pub destination: Option<DestinationName>,
    /// Its event.
    pub event: Option<EventId>,
    /// What its event is.
    pub kind: Option<Kind>,
    /// The source its event came in by.
    pub source: Option<SourceName>,
    /// What its event is about: the monitor's or collection's id.
    pub subject: Option<String>,
    /// Made at this moment or later.
    pub since: Option<Timestamp>,
    /// Made before this moment.
    pub until: Option<Timestamp>,
    /// The replay that made it.
    pub replay: Option<ReplayId>,
}
