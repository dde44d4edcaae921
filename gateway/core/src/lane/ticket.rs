//! What goes in and out of lanes.

use std::sync::Arc;

use crate::{
    id::{DeliveryId, DestinationName, EventId},
    time::Timestamp,
};

/// What happens to waiting deliveries when a lane is held up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backlog {
    /// All go, in order.
    #[default]
    Keep,
    /// Only the newest goes; the older ones become superseded. What is delivered once more is as old as its event.
    Latest,
}

/// How a destination's lanes are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneSettings {
    /// Deliveries in flight at once, at least one.
    pub concurrency: u32,
    /// What happens to waiting deliveries when a lane is held up.
    pub backlog: Backlog,
    /// Deliveries that may start in a second; `None` for any number.
    pub starts_per_second: Option<u32>,
}

/// Names a lane.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneKey {
    /// Where the deliveries go.
    pub destination: DestinationName,
    /// The ordering key of their events.
    pub key: Arc<str>,
}

/// A waiting delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Which delivery; also its place in the lane.
    pub id: DeliveryId,
    /// The event to deliver.
    pub event: EventId,
    /// Its lane.
    pub lane: LaneKey,
    /// Attempts that were counted so far.
    pub attempts: u32,
    /// Not before this moment.
    pub due: Timestamp,
    /// It repeats an earlier delivery, so it may be behind newer events.
    pub repeats: bool,
}

/// What became of an added ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// It is in memory.
    Queued,
    /// It stays in the store and comes by reading.
    Stored,
    /// It takes the place of these. Record them as superseded, then call [`Lanes::release`]; until then the lane
    /// starts nothing.
    ///
    /// [`Lanes::release`]: super::Lanes::release
    Supersedes(Vec<DeliveryId>),
    /// There is no such destination: it stays in the store.
    NoDestination,
}

/// What is to be read from the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// The next waiting deliveries of one lane, in order of their ids.
    Lane {
        /// Which lane.
        lane: LaneKey,
        /// Only deliveries after this one.
        after: Option<DeliveryId>,
        /// At most this many.
        limit: usize,
    },
    /// The next waiting deliveries of all lanes of a destination, in order of their ids.
    Destination {
        /// Which destination.
        destination: DestinationName,
        /// Only deliveries after this one.
        after: Option<DeliveryId>,
        /// At most this many.
        limit: usize,
    },
}

/// What follows for a delivery that was in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is final; the lane moves on.
    Finished,
    /// It keeps its place at the head and may go again then, with that many attempts counted.
    Again {
        /// Not before this moment.
        due: Timestamp,
        /// Attempts that were counted so far.
        attempts: u32,
        /// The remote side asked for this wait: recovery does not shorten it.
        asked: bool,
    },
}

/// Where a delivery was that someone wants to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancel {
    /// With the plugin, or its outcome is being recorded. Nothing has changed here.
    InFlight,
    /// It waited in memory and is gone from there. Record it, then call [`Lanes::release`]; until then the lane starts
    /// nothing.
    ///
    /// [`Lanes::release`]: super::Lanes::release
    Taken,
    /// Not in memory. No read brings it any more, so it must become final: record it, then call
    /// [`Lanes::forget_cancelled`].
    ///
    /// [`Lanes::forget_cancelled`]: super::Lanes::forget_cancelled
    Stored,
}

/// What a destination's gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateState {
    /// Deliveries start as there is room.
    Open,
    /// An outcome asked for a pause, or the pause is over and its probe is still out.
    Paused,
    /// A person holds it.
    Held,
    /// Outside its schedule.
    Closed,
    /// It kept failing: one delivery at a time probes it.
    Breaker,
}

/// How busy a destination is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Deliveries in flight; not those that have ended and are being recorded.
    pub in_flight: u32,
    /// Nothing starts before this moment: the end of a pause, the breaker's next probe, or when the schedule opens.
    pub paused_until: Option<Timestamp>,
    /// What the gate says.
    pub gate: GateState,
    /// More waits in the store than what memory holds.
    pub behind: bool,
}
