//! Lanes: which delivery may start next.
//!
//! A lane is a destination and an ordering key. Its deliveries go one at a time, in order of their ids; a delivery
//! that waits for a retry holds back its own lane and no other. Lanes of a destination run side by side up to its
//! concurrency.
//!
//! Memory is bounded whatever waits: a lane holds its first [`limits::LANE_WINDOW_MAX`] deliveries, a destination its
//! share of [`limits::TICKETS_TOGETHER_MAX`] of all its lanes. The rest waits in the store; [`Lanes::reads`] says what to
//! read next.
//!
//! A lane stays busy from [`Lanes::start`] until [`Lanes::settle`], and the caller settles only after the outcome is
//! durable. Otherwise a crash could deliver an older event again after a newer one. The destination's concurrency counts
//! only until [`Lanes::ended`]: other lanes do not wait for the disk.

mod destination;
mod gate;
mod outside;
mod reading;
mod ticket;
mod turns;
mod window;

use std::collections::BTreeMap;

use self::destination::Destination;
pub use self::ticket::{Added, Backlog, Cancel, GateState, LaneKey, LaneSettings, Load, Next, Read, Ticket};
use crate::{
    id::{DeliveryId, DestinationName},
    limits,
    time::Timestamp,
};

/// How much of a destination is in memory.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Deliveries, or lanes if those are more.
    places: usize,
    /// Deliveries that one read brings.
    read: usize,
    /// Bits that remember which lanes are not in memory: 256 KiB. At a hundred thousand lanes one in a hundred others
    /// is mistaken for one of them, at a million two in five; a mistaken lane costs a read.
    filter_bits: usize,
    /// Attempts that have ended and are not recorded yet.
    unrecorded: u32,
    /// What their outcomes take.
    unrecorded_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            places: limits::TICKETS_MAX,
            read: limits::READ_TICKETS_MAX,
            filter_bits: 1 << 21,
            unrecorded: limits::UNRECORDED_MAX,
            unrecorded_bytes: limits::UNRECORDED_BYTES_MAX,
        }
    }
}

impl Bounds {
    /// The share of one of `destinations`.
    fn shared_by(destinations: usize) -> Self {
        let share = limits::TICKETS_TOGETHER_MAX / destinations.max(1);
        let places = share.clamp(limits::TICKETS_MIN, limits::TICKETS_MAX);
        // A read needs so much room at once: with more, lanes would have to leave whenever something is read.
        let read = limits::READ_TICKETS_MAX.min(places / 4);
        Self { places, read, ..Self::default() }
    }
}

/// All lanes of all destinations.
#[derive(Debug, Default)]
pub struct Lanes {
    bounds: Bounds,
    destinations: Vec<Destination>,
    places: BTreeMap<DestinationName, usize>,
    /// Who is served next, so that a busy destination does not starve the ones behind it.
    turn: usize,
}

impl Lanes {
    /// Has room for so many destinations, which share the memory for what waits; then [`Lanes::open`] each.
    #[must_use]
    pub fn for_destinations(count: usize) -> Self {
        Self { bounds: Bounds::shared_by(count), ..Self::default() }
    }

    /// Adds a destination. It begins behind: what waits for it is read from the store.
    pub fn open(&mut self, name: DestinationName, settings: LaneSettings) {
        self.places.insert(name.clone(), self.destinations.len());
        self.destinations.push(Destination::new(name, settings, self.bounds));
    }

    /// Lets a destination go on with other settings. What waits, what is in flight, pauses and the breaker stand.
    pub fn change(&mut self, name: &DestinationName, settings: LaneSettings) {
        if let Some(destination) = self.of(name) {
            destination.change(settings);
        }
    }

    /// Adds a delivery that the store has committed. They must come in order of their ids.
    pub fn add(&mut self, ticket: Ticket, now: Timestamp) -> Added {
        match self.of(&ticket.lane.destination) {
            Some(destination) => destination.add(&ticket, now),
            None => Added::NoDestination,
        }
    }

    /// Says that deliveries up to `up_to` were committed and did not all come by [`Lanes::add`].
    pub fn missed(&mut self, up_to: DeliveryId) {
        for destination in &mut self.destinations {
            destination.missed(up_to);
        }
    }

    /// Takes what is to be read from the store. Each is given once until [`Lanes::answer`].
    pub fn reads(&mut self) -> Vec<Read> {
        self.destinations.iter_mut().flat_map(Destination::reads).collect()
    }

    /// Answers a [`Read`] with what the store had, in order of the ids. Gives lanes with the deliveries that became
    /// superseded: record those, then call [`Lanes::release`] for each lane.
    #[must_use = "the lanes given start nothing until they are released"]
    pub fn answer(
        &mut self,
        read: &Read,
        tickets: Vec<Ticket>,
        now: Timestamp,
    ) -> Vec<(LaneKey, Vec<DeliveryId>)> {
        let (Read::Lane { lane: LaneKey { destination, .. }, .. } | Read::Destination { destination, .. }) =
            read;
        self.of(destination).map(|destination| destination.answer(read, &tickets, now)).unwrap_or_default()
    }

    /// Takes a delivery that may start at `now`; its lane is busy from here on.
    pub fn start(&mut self, now: Timestamp) -> Option<Ticket> {
        let count = self.destinations.len();
        let (place, ticket) = (self.turn..self.turn + count)
            .find_map(|place| Some((place % count, self.destinations[place % count].start(now)?)))?;
        self.turn = place + 1;
        Some(ticket)
    }

    /// Gives deliveries that are likely to start next after the one on `lane`, at most `limit`: the heads in line at its
    /// destination, then those behind it.
    #[must_use]
    pub fn next_up(&self, lane: &LaneKey, limit: usize) -> Vec<Ticket> {
        let place = self.places.get(&lane.destination);
        place.map(|place| self.destinations[*place].next_up(&lane.key, limit)).unwrap_or_default()
    }

    /// Whether a delivery is in memory and has not started.
    #[must_use]
    pub fn is_waiting(&self, lane: &LaneKey, id: DeliveryId) -> bool {
        let place = self.places.get(&lane.destination);
        place.is_some_and(|place| self.destinations[*place].is_waiting(&lane.key, id))
    }

    /// Says that the delivery in flight on `lane` failed in a way that holds the lane up, and gives the deliveries
    /// that are superseded for that (perhaps the failed one among them). Call it before recording the outcome, record
    /// both together, then settle.
    pub fn hold_up(&mut self, lane: &LaneKey) -> Vec<DeliveryId> {
        self.of(&lane.destination).map(|destination| destination.hold_up(&lane.key)).unwrap_or_default()
    }

    /// Says that the attempt at `id` has ended and its outcome, which takes so many bytes, is being recorded: another
    /// lane may have its place. Its own lane stays busy until [`Lanes::settle`].
    pub fn ended(&mut self, lane: &LaneKey, id: DeliveryId, bytes: usize) {
        if let Some(destination) = self.of(&lane.destination) {
            destination.ended(&lane.key, id, bytes);
        }
    }

    /// Lets the lane of `id` go on after its outcome was recorded, or when there is none to record. Gives deliveries that
    /// came meanwhile and are superseded: record them, then call [`Lanes::release`].
    #[must_use = "if there are any, the lane starts nothing until it is released"]
    pub fn settle(&mut self, lane: &LaneKey, id: DeliveryId, next: Next) -> Vec<DeliveryId> {
        self.of(&lane.destination)
            .map(|destination| destination.settle(&lane.key, id, next))
            .unwrap_or_default()
    }

    /// Lets a lane go on after its superseded or cancelled deliveries were recorded. Gives further ones as
    /// [`Lanes::settle`] does.
    #[must_use = "if there are any, the lane starts nothing until it is released"]
    pub fn release(&mut self, lane: &LaneKey) -> Vec<DeliveryId> {
        self.of(&lane.destination).map(|destination| destination.release(&lane.key)).unwrap_or_default()
    }

    /// Starts nothing more on a destination until `until`; then one delivery goes first, as a probe. Says whether this
    /// counts: a pause that lasts longer stands.
    pub fn pause(&mut self, destination: &DestinationName, until: Timestamp) -> bool {
        self.of(destination).is_some_and(|destination| destination.gate().pause(until))
    }

    /// [`Lanes::pause`] because the settings do not work, so that other settings end it.
    pub fn pause_until_mended(&mut self, destination: &DestinationName, until: Timestamp) -> bool {
        self.of(destination).is_some_and(|destination| destination.gate().pause_until_mended(until))
    }

    /// Says that a destination has other settings: where the ones before did not work, one delivery goes first, as a probe.
    pub fn mended(&mut self, destination: &DestinationName) {
        if let Some(destination) = self.of(destination) {
            destination.gate().mended();
        }
    }

    /// Starts nothing on a destination until it is released, or releases it. A release ends a pause and the breaker's
    /// wait too: one delivery goes first, as a probe.
    pub fn hold(&mut self, destination: &DestinationName, held: bool) {
        if let Some(destination) = self.of(destination) {
            destination.gate().hold(held);
        }
    }

    /// Takes back a hold that could not be kept: pauses and the breaker stand as if it had never been.
    pub fn undo_hold(&mut self, destination: &DestinationName) {
        if let Some(destination) = self.of(destination) {
            destination.gate().undo_hold();
        }
    }

    /// Starts nothing on a destination until then, because of its schedule; `None` opens it.
    pub fn close_until(&mut self, destination: &DestinationName, until: Option<Timestamp>) {
        if let Some(destination) = self.of(destination) {
            destination.gate().close_until(until);
        }
    }

    /// Says that a delivery failed in a way that may pass. When that opens the breaker of its destination, or was the
    /// breaker's probe, the result is the moment of the next probe.
    pub fn failed(&mut self, lane: &LaneKey, id: DeliveryId, now: Timestamp) -> Option<Timestamp> {
        self.of(&lane.destination)?.gate().failed(id, now)
    }

    /// Says that the remote side of a destination has answered: it took a delivery or refused it for good. Gives
    /// whether that ended a pause or the breaker. Then deliveries that wait for a retry become due at `now`, unless
    /// the remote side asked for the wait.
    pub fn reached(&mut self, destination: &DestinationName, now: Timestamp) -> bool {
        self.of(destination).is_some_and(|destination| destination.reached(now))
    }

    /// Takes out a waiting delivery that someone cancels.
    pub fn cancel(&mut self, lane: &LaneKey, id: DeliveryId) -> Cancel {
        self.of(&lane.destination).map_or(Cancel::Stored, |destination| destination.cancel(&lane.key, id))
    }

    /// Says that a delivery for which [`Lanes::cancel`] gave [`Cancel::Stored`] is final, by that cancel or before it.
    /// Not for one that still waits: no read may have brought it, and none would any more.
    pub fn forget_cancelled(&mut self, lane: &LaneKey, id: DeliveryId) {
        if let Some(destination) = self.of(&lane.destination) {
            destination.forget_cancelled(id);
        }
    }

    /// Has the lane of a waiting delivery go on as soon as it can: its head becomes due at `now`, or when it is known
    /// what follows for it. Says whether the lane waits; one whose head is with the plugin does not.
    pub fn hurry(&mut self, lane: &LaneKey, id: DeliveryId, now: Timestamp) -> bool {
        self.of(&lane.destination).is_some_and(|destination| destination.hurry(&lane.key, id, now))
    }

    /// When something may be ready that is not ready now; `None` while only a settlement, an answer or a new delivery
    /// can change anything.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.destinations.iter().filter_map(Destination::wake_at).min()
    }

    /// How busy a destination is.
    #[must_use]
    pub fn load(&self, destination: &DestinationName) -> Option<Load> {
        self.places.get(destination).map(|place| self.destinations[*place].load())
    }

    /// How many deliveries are in flight. Those that have ended and are being recorded are not.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.destinations.iter().map(Destination::in_flight).sum()
    }

    fn of(&mut self, destination: &DestinationName) -> Option<&mut Destination> {
        self.places.get(destination).map(|place| &mut self.destinations[*place])
    }
}

#[cfg(test)]
mod tests;
