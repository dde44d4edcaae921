//! What goes into the store and what comes out.

use std::sync::Arc;

use bytes::Bytes;
use postroom_core::{
    delivery::DeliveryState,
    event::{Event, Kind},
    id::{DeliveryId, DestinationName, EventId, ReplayId, RouteName, SourceName},
    lane::Ticket,
    outcome::{Outcome, OutcomeKind},
    route::{Explanation, Target},
    time::Timestamp,
};

use crate::body::NewBody;

/// An event to keep, with the decision where it goes.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The event.
    pub event: Arc<Event>,
    /// Its body, byte for byte.
    pub body: NewBody,
    /// Where it goes: one delivery each.
    pub targets: Vec<Target>,
    /// What each route said. Of an event that goes somewhere, only the routes that matched are kept.
    pub explanations: Vec<Explanation>,
    /// What makes a second sending of the same event known as one.
    pub mark: Option<Mark>,
}

/// An idempotency key and what was sent under it; its scope is the event's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The key, of 1 to `limits::IDEMPOTENCY_KEY_BYTES_MAX` bytes.
    pub key: String,
    /// Tells a repeat, which is answered with the first event, from another body, which is an event of its own.
    pub body_sha256: [u8; 32],
}

/// An event that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The event; of a repeat, the first one.
    pub event: EventId,
    /// What it is.
    pub kind: Kind,
    /// The deliveries that accepting it made, in the order of the targets.
    pub deliveries: Vec<DeliveryId>,
    /// Whether this was sent before under the same mark, so that nothing was written.
    pub repeated: bool,
}

/// An event on its way to a plugin.
#[derive(Debug, Clone)]
pub struct LoadedEvent {
    /// The event.
    pub event: Arc<Event>,
    /// Its body, unless that is a file.
    pub body: Option<Bytes>,
}

/// A delivery that was just committed, with its event at hand so that the first attempt reads nothing.
#[derive(Debug, Clone)]
pub struct FreshDelivery {
    /// The waiting delivery.
    pub ticket: Ticket,
    /// Its event.
    pub event: Arc<Event>,
    /// The body, unless it is so large that it was kept apart, or the commit was so large that memory must not hold
    /// all its bodies. Without it, [`crate::Store::body`] reads it.
    pub body: Option<Bytes>,
}

/// The deliveries of one commit, in the order of their ids. A reader that finds a gap before `first`, because it
/// could not keep up, reads what is missing from the store.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The id of the first delivery of the commit.
    pub first: DeliveryId,
    /// The id of the last delivery of the commit.
    pub last: DeliveryId,
    /// All of them.
    pub deliveries: Vec<FreshDelivery>,
}

/// Attempts kept of a delivery, the newest ones. A paused destination is probed for as long as it takes, and those
/// attempts do not count against any budget.
pub const ATTEMPTS_KEPT_MAX: i64 = 200;

/// What became of a delivery.
#[derive(Debug, Clone)]
pub struct DeliveryChange {
    /// Which delivery.
    pub id: DeliveryId,
    /// Where it stands now.
    pub state: DeliveryState,
    /// Attempts counted so far; `None` leaves the number as it is.
    pub attempts: Option<u32>,
    /// When it may be tried again.
    pub due: Option<Timestamp>,
    /// When this was decided.
    pub at: Timestamp,
    /// The attempt that led here; `None` for a decision without one, such as superseded.
    pub attempt: Option<AttemptRecord>,
}

/// One try of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
}

/// A stored event without its body.
#[derive(Debug, Clone)]
pub struct EventRecord {
    /// The event.
    pub event: Event,
    /// What each route said when it was accepted.
    pub explanations: Vec<Explanation>,
    /// Its deliveries; filled in by [`crate::Store::event`], empty in lists.
    pub deliveries: Vec<DeliveryRecord>,
}

/// A stored delivery.
#[derive(Debug, Clone)]
pub struct DeliveryRecord {
    /// Which delivery.
    pub id: DeliveryId,
    /// Its event.
    pub event: EventId,
    /// Where it goes.
    pub destination: DestinationName,
    /// The route that sent it there.
    pub route: RouteName,
    /// The ordering key of its lane.
    pub lane: Arc<str>,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts counted so far.
    pub attempts: u32,
    /// When it was made: its event was accepted, or it was asked for again.
    pub created_at: Timestamp,
    /// When it may be tried again.
    pub due: Option<Timestamp>,
    /// When it became final.
    pub finished_at: Option<Timestamp>,
    /// How the last attempt ended.
    pub last_outcome: Option<LastOutcome>,
    /// The delivery that this one repeats, if a person asked for it again.
    pub replay_of: Option<DeliveryId>,
    /// The delivery that repeats this one. `None` for the newest of its chain, the only one of it that can go again.
    pub replayed_by: Option<DeliveryId>,
    /// The replay that made it, if it was made by one.
    pub replay: Option<ReplayId>,
}

/// A delivery with what its event is.
#[derive(Debug, Clone)]
pub struct DeliveryOfEvent {
    /// The delivery.
    pub delivery: DeliveryRecord,
    /// What the event is.
    pub kind: Kind,
    /// The source it came in by.
    pub source: SourceName,
    /// The monitor's or collection's id.
    pub subject: Option<String>,
}

/// The short form of how the last attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastOutcome {
    /// The class.
    pub kind: OutcomeKind,
    /// The stable code.
    pub code: String,
    /// The sentence for people.
    pub message: String,
}

/// A delivery with its attempts, oldest first; of very many, the newest [`ATTEMPTS_KEPT_MAX`].
#[derive(Debug, Clone)]
pub struct DeliveryDetail {
    /// The delivery.
    pub delivery: DeliveryRecord,
    /// Its attempts, each with its number, 1 for the first. Of very many only the newest are kept.
    pub attempts: Vec<(u32, AttemptRecord)>,
}

/// How much waits for a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingCount {
    /// Which destination, configured or not.
    pub destination: DestinationName,
    /// Deliveries that are pending or retrying.
    pub waiting: u64,
}

/// A person's wish that a destination starts nothing until it is resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Since when.
    pub at: Timestamp,
    /// Who asked for it.
    pub by: String,
}
