//! Lanes: which delivery may start next.
//!
//! A lane is a destination and an ordering key. Its deliveries go one at a time, in order of their ids; a delivery
//! that waits for a retry holds back its own lane and no other. Lanes of a destination run side by side up to its
//! concurrency.
//!
//! Memory grows with the lanes that wait, not with what waits in them: a lane holds a window of its first
//! [`limits::LANE_WINDOW_MAX`] deliveries and remembers whether more wait in the store. [`Lanes::refills`] says which
//! lanes want the next ones.
//!
//! A lane stays busy from [`Lanes::start`] until [`Lanes::settle`], and the caller settles only after the outcome is
//! durable. Otherwise a crash could deliver an older event again after a newer one.

mod destination;
mod window;

use std::{collections::BTreeMap, sync::Arc};

use self::destination::Destination;
pub use self::destination::Load;
use crate::{
    id::{DeliveryId, DestinationName, EventId},
    limits,
    time::Timestamp,
};

/// What happens to waiting deliveries when a lane is held up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backlog {
    /// All go, in order.
    #[default]
    Keep,
    /// Only the newest goes; the older ones become superseded.
    Latest,
}

/// How a destination's lanes are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneSettings {
    /// Deliveries in flight at once, at least one.
    pub concurrency: u32,
    /// What happens to waiting deliveries when a lane is held up.
    pub backlog: Backlog,
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
}

/// What became of an added ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// It is in the lane's window.
    Queued,
    /// The window is full: it stays in the store until a refill.
    Spilled,
    /// It takes the place of these. Record them as superseded, then call [`Lanes::release`]; until then the lane
    /// starts nothing.
    Supersedes(Vec<DeliveryId>),
    /// There is no such destination: it stays in the store.
    NoDestination,
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
    },
}

/// A lane that wants the next deliveries from the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refill {
    /// Which lane.
    pub lane: LaneKey,
    /// Only deliveries after this one.
    pub after: Option<DeliveryId>,
    /// At most this many.
    pub limit: usize,
}

/// All lanes of all destinations.
#[derive(Debug, Default)]
pub struct Lanes {
    destinations: BTreeMap<DestinationName, Destination>,
    /// Who was served last, so that a busy destination does not starve the ones behind it.
    last_served: Option<DestinationName>,
}

impl Lanes {
    /// Adds a destination.
    pub fn open(&mut self, name: DestinationName, settings: LaneSettings) {
        self.destinations.insert(name.clone(), Destination::new(name, settings));
    }

    /// Adds a waiting delivery. Tickets of one lane must come in order of their ids.
    pub fn add(&mut self, ticket: Ticket) -> Added {
        match self.destinations.get_mut(&ticket.lane.destination) {
            Some(destination) => destination.add(ticket),
            None => Added::NoDestination,
        }
    }

    /// Takes a delivery that may start at `now`; its lane is busy from here on.
    pub fn start(&mut self, now: Timestamp) -> Option<Ticket> {
        let names: Vec<DestinationName> = match &self.last_served {
            None => self.destinations.keys().cloned().collect(),
            Some(last) => {
                let (before, after): (Vec<_>, Vec<_>) =
                    self.destinations.keys().cloned().partition(|name| name <= last);
                after.into_iter().chain(before).collect()
            }
        };
        for name in names {
            if let Some(ticket) =
                self.destinations.get_mut(&name).and_then(|destination| destination.start(now))
            {
                self.last_served = Some(name);
                return Some(ticket);
            }
        }
        None
    }

    /// Says that the delivery in flight on `lane` failed in a way that holds the lane up, and gives the deliveries
    /// that are superseded for that (perhaps the failed one among them). Call it before recording the outcome, record
    /// both together, then settle.
    pub fn hold_up(&mut self, lane: &LaneKey) -> Vec<DeliveryId> {
        self.destinations
            .get_mut(&lane.destination)
            .map(|destination| destination.hold_up(&lane.key))
            .unwrap_or_default()
    }

    /// Ends the flight of `id` after its outcome was recorded.
    pub fn settle(&mut self, lane: &LaneKey, id: DeliveryId, next: Next) {
        if let Some(destination) = self.destinations.get_mut(&lane.destination) {
            destination.settle(&lane.key, id, next);
        }
    }

    /// Lets a lane go on after its superseded deliveries were recorded.
    pub fn release(&mut self, lane: &LaneKey) {
        if let Some(destination) = self.destinations.get_mut(&lane.destination) {
            destination.release(&lane.key);
        }
    }

    /// Starts nothing more on a destination until `until`; then one delivery goes first, as a probe. Says whether this
    /// counts: a pause that lasts longer stands.
    pub fn pause(&mut self, destination: &DestinationName, until: Timestamp) -> bool {
        self.destinations.get_mut(destination).is_some_and(|destination| destination.pause(until))
    }

    /// Says that a delivery got through to the remote side. Gives whether that ended a pause: the delivery was its probe.
    pub fn reached(&mut self, destination: &DestinationName) -> bool {
        self.destinations.get_mut(destination).is_some_and(Destination::reached)
    }

    /// Takes the lanes that want their next deliveries. Each is given once until [`Lanes::refill`] answers.
    pub fn refills(&mut self) -> Vec<Refill> {
        self.destinations.values_mut().flat_map(Destination::take_refills).collect()
    }

    /// Answers a [`Refill`]. `tickets` are what the store had after `refill.after`, in order. The result is as for
    /// [`Lanes::add`].
    pub fn refill(&mut self, refill: &Refill, tickets: Vec<Ticket>) -> Added {
        match self.destinations.get_mut(&refill.lane.destination) {
            Some(destination) => destination.refill(&refill.lane.key, tickets),
            None => Added::NoDestination,
        }
    }

    /// When something may be ready that is not ready now; `None` while only a settlement or a new delivery can
    /// change anything.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.destinations.values().filter_map(Destination::wake_at).min()
    }

    /// How busy a destination is.
    #[must_use]
    pub fn load(&self, destination: &DestinationName) -> Option<Load> {
        self.destinations.get(destination).map(Destination::load)
    }

    /// How many deliveries are in flight.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.destinations.values().map(|destination| destination.load().in_flight).sum()
    }
}

const WINDOW_MAX: usize = limits::LANE_WINDOW_MAX;

#[cfg(test)]
mod tests;
