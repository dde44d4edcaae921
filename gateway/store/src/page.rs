//! What a list asks for and what it gives.

use postroom_core::{
    delivery::DeliveryState,
    event::Kind,
    id::{DestinationName, EventId, ReplayId, SourceName},
    time::Timestamp,
};

/// Which part of a list. What is newest first is paged by the number of a row, the `limit` newest before the one numbered
/// `before`; monitors by a [`MonitorPlace`].
#[derive(Debug, Clone, Copy)]
pub struct PageRequest<P = i64> {
    /// A place that an earlier [`Page::next`] gave; `None` begins at the first row.
    pub before: Option<P>,
    /// At most this many rows.
    pub limit: usize,
}

/// One page of a list.
///
/// A page looks at a bounded number of rows. With a filter that few of them meet it may hold less than was asked for,
/// even nothing, while [`Page::next`] says where to go on.
#[derive(Debug, Clone)]
pub struct Page<T, P = i64> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<P>,
}

/// From where on a list is followed, in the order in which its rows were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowFrom {
    /// From what comes after now.
    Now,
    /// From behind the row of this number; 0 is before the first one. One that was never told is refused
    /// ([`StoreError::UnknownPlace`](crate::StoreError::UnknownPlace)): it is of another database, such as the one before a
    /// backup was restored.
    After(i64),
}

/// What came in a list, oldest first. All of it is durable, so no number in it ever means another row.
///
/// It looks at a bounded number of rows, as a [`Page`] does.
#[derive(Debug, Clone)]
pub struct Followed<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where to go on.
    pub last: i64,
    /// Whether there is more already.
    pub is_more: bool,
}

/// A place in the list of monitors, behind one that was there. It may have another name by now, or be gone: the place stays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MonitorPlace {
    /// What the list is in the order of: the name, or without one the id, in lower case.
    pub list_name: String,
    /// The id.
    pub uid: String,
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
    /// A label, and its value unless any will do.
    pub label: Option<(String, Option<String>)>,
    /// The id of the monitor that it is about.
    pub monitor: Option<String>,
    /// The id of a collection in it.
    pub collection: Option<String>,
    /// A part of a name or an id in it, of its subject or of its note, in lower case.
    pub text: Option<String>,
    /// Accepted at this moment or later.
    pub since: Option<Timestamp>,
    /// Accepted before this moment.
    pub until: Option<Timestamp>,
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
