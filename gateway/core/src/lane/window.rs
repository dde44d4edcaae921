//! One lane: the first of its waiting deliveries, and whether more wait in the store.

use std::collections::VecDeque;

use super::{
    Next, Ticket,
    turns::{Line, Turn},
};
use crate::{
    id::{DeliveryId, EventId},
    limits::LANE_WINDOW_MAX,
    time::Timestamp,
};

/// A ticket without its lane, which thousands of them would repeat.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub(super) id: DeliveryId,
    pub(super) event: EventId,
    pub(super) attempts: u32,
    pub(super) due: Timestamp,
    pub(super) repeats: bool,
}

impl From<&Ticket> for Waiting {
    fn from(ticket: &Ticket) -> Self {
        let &Ticket { id, event, attempts, due, repeats, .. } = ticket;
        Self { id, event, attempts, due, repeats }
    }
}

impl Waiting {
    /// Whether this one, which is behind `other`, says something newer. Their places say so unless one of them repeats an
    /// earlier delivery; ids of events begin with the time.
    fn is_newer(&self, other: &Self) -> bool {
        !(self.repeats || other.repeats) || self.event >= other.event
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Flight {
    id: DeliveryId,
    /// The line that it came from.
    pub(super) line: Line,
    /// The attempt is over, and its outcome is being recorded.
    pub(super) ended: bool,
    /// What that outcome takes.
    pub(super) bytes: usize,
}

#[derive(Debug, Default)]
pub(super) struct Lane {
    /// Waiting deliveries in order. The head stays here while it is in flight.
    window: VecDeque<Waiting>,
    /// The delivery that was started and is not settled.
    pub(super) flight: Option<Flight>,
    /// Records under way that the lane waits for: superseded and cancelled deliveries.
    pub(super) records: u32,
    /// The head failed since something last went through.
    pub(super) held_up: bool,
    /// The remote side asked for the head's wait.
    pub(super) asked: bool,
    /// Where it stands in line.
    pub(super) turn: Option<Turn>,
    /// It has nothing left, and stays known until the read under way is answered.
    pub(super) lingers: bool,
    /// Someone wants it to go on, and its head is being read or recorded.
    hurried: bool,
    /// The store may have no more of it; not worth a question before the window is used up.
    unsure: bool,
    /// A read is under way; everything up to this delivery was in the store when it began.
    read_up_to: Option<DeliveryId>,
    /// The newest delivery that stayed in the store, or may have.
    newest_stored: Option<DeliveryId>,
    /// The newest delivery that ever was in the window.
    newest_loaded: Option<DeliveryId>,
}

impl Lane {
    pub(super) fn head(&self) -> Option<&Waiting> {
        self.window.front()
    }

    /// What waits behind the head.
    pub(super) fn behind_head(&self) -> impl Iterator<Item = &Waiting> {
        self.window.iter().skip(1)
    }

    /// Places that it takes of its destination's.
    pub(super) fn places(&self) -> usize {
        self.window.len().max(1)
    }

    pub(super) fn takes_more(&self) -> bool {
        !self.has_stored() && self.window.len() < LANE_WINDOW_MAX
    }

    /// Takes the next delivery into the window.
    pub(super) fn load(&mut self, ticket: Waiting) {
        if self.window.is_empty() {
            // Most lanes have one delivery at a time: no room for more before there are more.
            self.window.reserve_exact(1);
            // A head that has failed before, read back after a restart, holds its lane up still.
            self.held_up |= ticket.attempts > 0;
        }
        self.newest_loaded = Some(ticket.id);
        self.window.push_back(ticket);
    }

    /// Notes that deliveries up to `id` stay in the store.
    pub(super) fn leave(&mut self, id: DeliveryId) {
        self.newest_stored = self.newest_stored.max(Some(id));
        self.unsure = false;
    }

    /// Notes that deliveries up to `id` may be in the store.
    pub(super) fn doubt(&mut self, id: Option<DeliveryId>) {
        self.newest_stored = self.newest_stored.max(id);
        self.unsure = true;
    }

    pub(super) fn has_stored(&self) -> bool {
        self.newest_stored > self.newest_loaded
    }

    /// Takes what the store had after the window, each with whether it was cancelled, so far as the window does not
    /// grow above `window_max`. `all` says that the store has no more than these.
    pub(super) fn refill(&mut self, tickets: &[(Waiting, bool)], all: bool, window_max: usize) {
        let Some(read_up_to) = self.read_up_to.take() else { return };
        self.unsure = false;
        // The store may be ahead of the feed. What was committed after the read began comes by itself: taken here as
        // well, it would go twice, the second time behind newer ones.
        let covered = tickets.partition_point(|(ticket, _)| ticket.id <= read_up_to);
        let window_max = window_max.min(LANE_WINDOW_MAX);
        for (ticket, is_cancelled) in &tickets[..covered] {
            if *is_cancelled {
                // Read past, or the next read would bring it again, for as long as its record takes.
                self.newest_loaded = Some(ticket.id);
            } else if self.window.len() < window_max {
                self.load(*ticket);
            } else {
                return;
            }
        }
        if all || covered < tickets.len() {
            // What was asked for and not given is final already. What was left in the store since the read began is
            // not covered by the answer and keeps the lane marked.
            self.newest_loaded = self.newest_loaded.max(Some(read_up_to));
        }
    }

    /// Whether the store should be read for this lane. `only_newest` says that nothing should go before the newest is
    /// known, `room` that the window may grow.
    pub(super) fn is_short(&self, only_newest: bool, room: bool) -> bool {
        let low = self.window.len() <= LANE_WINDOW_MAX / 2;
        let worth_it = only_newest || !(self.unsure || self.held_up);
        !self.is_read() && self.has_stored() && (self.window.is_empty() || room && low && worth_it)
    }

    /// Begins a read: gives the delivery after which.
    pub(super) fn begin_read(&mut self) -> Option<DeliveryId> {
        self.read_up_to = self.newest_stored;
        self.newest_loaded
    }

    /// Whether a read of this lane is under way.
    pub(super) fn is_read(&self) -> bool {
        self.read_up_to.is_some()
    }

    /// Removes all but the newest waiting delivery, and gives their ids.
    pub(super) fn supersede(&mut self) -> Vec<DeliveryId> {
        let newest = |newest: Waiting, next: Waiting| if next.is_newer(&newest) { next } else { newest };
        let Some(newest) = self.window.iter().copied().reduce(newest) else { return Vec::new() };
        if self.head().is_some_and(|head| head.id != newest.id) {
            self.asked = false;
        }
        let superseded = self.window.iter().map(|ticket| ticket.id).filter(|id| *id != newest.id).collect();
        self.window.retain(|ticket| ticket.id == newest.id);
        superseded
    }

    /// Begins the flight of the head.
    pub(super) fn launch(&mut self, line: Line) -> Option<Waiting> {
        let head = *self.head()?;
        self.turn = None;
        self.flight = Some(Flight { id: head.id, line, ended: false, bytes: 0 });
        Some(head)
    }

    pub(super) fn is_in_flight(&self, id: DeliveryId) -> bool {
        self.flight.is_some_and(|flight| flight.id == id)
    }

    /// Notes that the attempt at `id` is over, and what its outcome takes; gives its flight unless that was known.
    pub(super) fn end(&mut self, id: DeliveryId, bytes: usize) -> Option<Flight> {
        let flight = self.flight.as_mut().filter(|flight| flight.id == id && !flight.ended)?;
        (flight.ended, flight.bytes) = (true, bytes);
        Some(*flight)
    }

    /// Ends the flight of `id`.
    pub(super) fn land(&mut self, id: DeliveryId) -> Option<Flight> {
        self.flight.take_if(|flight| flight.id == id)
    }

    /// Applies what follows for the delivery that was in flight. It is no longer at the head if a newer one
    /// superseded it.
    pub(super) fn settle(&mut self, id: DeliveryId, next: Next, now: Timestamp) {
        let hurried = std::mem::take(&mut self.hurried);
        let Some(head) = self.window.front_mut().filter(|head| head.id == id) else { return };
        match next {
            Next::Finished => {
                self.window.pop_front();
                (self.held_up, self.asked) = (false, false);
            }
            Next::Again { due, attempts, asked } => {
                (head.due, head.attempts) = (due, attempts);
                self.asked = asked;
                if hurried {
                    self.hurry(now);
                }
            }
        }
    }

    /// Takes a waiting delivery out.
    pub(super) fn remove(&mut self, id: DeliveryId) -> bool {
        let Ok(place) = self.window.binary_search_by_key(&id, |ticket| ticket.id) else { return false };
        self.window.remove(place);
        if place == 0 {
            (self.held_up, self.asked) = (false, false);
        }
        true
    }

    /// Has the lane go on at `now`, or as soon as its head is known. Gives whether it waits at all.
    pub(super) fn go_on(&mut self, now: Timestamp) -> bool {
        match self.flight {
            Some(flight) => self.hurried = flight.ended,
            None if self.window.is_empty() => self.hurried = self.is_read() || self.has_stored(),
            None => {
                self.hurry(now);
                return true;
            }
        }
        self.hurried
    }

    /// Takes the wish to go on, if the head is known that it is for.
    pub(super) fn take_hurried(&mut self) -> bool {
        self.flight.is_none() && std::mem::take(&mut self.hurried)
    }

    /// Makes the head due at `now` if it waits for later. Gives whether that changed anything.
    pub(super) fn hurry(&mut self, now: Timestamp) -> bool {
        self.asked = false;
        match self.window.front_mut().filter(|head| head.due > now) {
            Some(head) => {
                head.due = now;
                true
            }
            None => false,
        }
    }

    pub(super) fn contains(&self, id: DeliveryId) -> bool {
        self.window.binary_search_by_key(&id, |ticket| ticket.id).is_ok()
    }

    /// Whether something under way must end before the next may start.
    pub(super) fn is_busy(&self) -> bool {
        self.flight.is_some() || self.records > 0
    }

    /// Whether a waiting delivery is in the window or will be read behind it.
    #[cfg(test)]
    pub(super) fn knows_of(&self, id: DeliveryId) -> bool {
        self.contains(id) || self.newest_stored >= Some(id) && self.newest_loaded < Some(id)
    }

    #[cfg(test)]
    pub(super) fn is_hurried(&self) -> bool {
        self.hurried
    }

    /// Whether nothing is left to remember.
    pub(super) fn is_idle(&self) -> bool {
        self.window.is_empty() && !self.is_busy() && !self.is_read() && !self.has_stored()
    }
}
