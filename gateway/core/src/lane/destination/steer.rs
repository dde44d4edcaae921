//! What people and outcomes do to a destination: cancel, hurry, hold; and how it stands.

use std::sync::Arc;

use super::Destination;
use crate::{
    id::DeliveryId,
    lane::{Cancel, Load, gate::Gate},
    time::Timestamp,
};

/// A delivery that is cancelled in the store, and that a read under way might still bring.
#[derive(Debug)]
pub(super) struct Cancelled {
    lane: Arc<str>,
    recorded: bool,
}

impl Destination {
    pub(in crate::lane) fn gate(&mut self) -> &mut Gate {
        &mut self.gate
    }

    pub(in crate::lane) fn reached(&mut self, now: Timestamp) -> bool {
        self.now = self.now.max(now);
        let recovered = self.gate.reached();
        if recovered {
            let waiting: Vec<Arc<str>> = self.turns.furthest().map(|(_, key)| Arc::clone(key)).collect();
            for key in waiting.iter().rev() {
                if self.lanes.get(key).is_some_and(|lane| !lane.asked) {
                    self.hurry_lane(key);
                }
            }
            self.reading.hurry();
        }
        recovered
    }

    pub(in crate::lane) fn hurry(&mut self, key: &Arc<str>, id: DeliveryId, now: Timestamp) -> bool {
        self.now = self.now.max(now);
        if self.lanes.contains_key(key) {
            return self.hurry_lane(key);
        }
        let Some(seen) = self.reading.seen().filter(|seen| id <= *seen) else {
            // What holds its lane up is not in memory either.
            return self.hurried.len() < self.bounds.places && self.hurried.insert(id);
        };
        if !self.reading.may_be_outside(key) {
            return false;
        }
        if !self.make_room() {
            return self.hurry_outside(key);
        }
        // An earlier wish, from when there was no room, is carried out with this one.
        self.hurried_outside.remove(key);
        self.open(key).leave(seen);
        self.hurry_lane(key);
        self.want(key);
        true
    }

    /// Has the next sweep look for a lane outside and cut its wait short, because there is no room for it now. Gives
    /// whether there is room for the wish.
    fn hurry_outside(&mut self, key: &Arc<str>) -> bool {
        if self.hurried_outside.len() >= self.bounds.places {
            return false;
        }
        self.hurried_outside.insert(Arc::clone(key));
        self.reading.leave_outside(key, self.now, self.now);
        true
    }

    /// Carries out the wish for a lane that has come in from outside.
    pub(super) fn hurry_from_outside(&mut self, key: &Arc<str>) {
        if self.hurried_outside.remove(key) {
            self.hurry_lane(key);
        }
    }

    /// Forgets wishes for lanes that a whole sweep has not found.
    pub(super) fn forget_hurried_outside(&mut self) {
        self.hurried_outside.retain(|key| self.reading.may_be_outside(key));
    }

    /// Carries out the wish for a delivery that the tail has come to.
    pub(super) fn hurry_read(&mut self, key: &Arc<str>, id: DeliveryId) {
        if self.hurried.remove(&id) {
            self.hurry(key, id, self.now);
        }
    }

    /// Forgets wishes for deliveries that were final when the tail came by.
    pub(super) fn forget_hurried(&mut self) {
        let seen = self.reading.seen();
        self.hurried.retain(|id| Some(*id) > seen);
    }

    /// Has a lane go on as soon as it can. Gives whether it waits.
    fn hurry_lane(&mut self, key: &Arc<str>) -> bool {
        let Some(lane) = self.lanes.get_mut(key) else { return false };
        let due = lane.head().map(|head| head.due);
        let waits = lane.go_on(self.now);
        if lane.head().map(|head| head.due) != due && !lane.is_busy() {
            self.step_out(key);
            self.step_in(key);
        }
        waits
    }

    pub(in crate::lane) fn cancel(&mut self, key: &Arc<str>, id: DeliveryId) -> Cancel {
        if self.lanes.get(key).is_some_and(|lane| lane.is_in_flight(id)) {
            return Cancel::InFlight;
        }
        if self.edit(key, |lane| lane.remove(id)) == Some(true) {
            self.step_out(key);
            self.edit(key, |lane| lane.records += 1);
            return Cancel::Taken;
        }
        self.cancelled.insert(id, Cancelled { lane: Arc::clone(key), recorded: false });
        Cancel::Stored
    }

    pub(in crate::lane) fn forget_cancelled(&mut self, id: DeliveryId) {
        if let Some(cancelled) = self.cancelled.get_mut(&id) {
            cancelled.recorded = true;
        }
        self.forget_recorded();
    }

    pub(super) fn is_cancelled(&self, id: DeliveryId) -> bool {
        // Nearly always there are none: no hashing then.
        !self.cancelled.is_empty() && self.cancelled.contains_key(&id)
    }

    /// Forgets cancelled deliveries that nothing can bring back: neither a read that began before the record, nor the
    /// feed, which may be far behind the store.
    pub(super) fn forget_recorded(&mut self) {
        if self.cancelled.is_empty() {
            return;
        }
        let (reading, lanes) = (&self.reading, &self.lanes);
        self.cancelled.retain(|id, cancelled| {
            let read =
                reading.is_under_way() || lanes.get(&cancelled.lane).is_some_and(|lane| lane.is_read());
            !cancelled.recorded || read || !reading.has_heard_of(*id)
        });
    }

    pub(in crate::lane) fn wake_at(&self) -> Option<Timestamp> {
        let in_line =
            self.turns.next_line(self.retries_in_flight < self.retries_max).map(|_| Timestamp::EPOCH);
        let waiting = in_line.or(self.turns.next_due());
        let opens_at = self.gate.opens_at(self.unsettled);
        let start = waiting.zip(opens_at).map(|(waiting, opens_at)| waiting.max(opens_at));
        // A sweep that is due already waits for room, not for time.
        let sweep = self.reading.sweep_at().filter(|at| *at > self.now);
        [start, sweep].into_iter().flatten().min()
    }

    pub(in crate::lane) fn load(&self) -> Load {
        Load {
            in_flight: self.unsettled.in_flight,
            paused_until: self.gate.paused_until(),
            gate: self.gate.state(),
            behind: self.reading.is_behind() || self.reading.has_outside(),
        }
    }

    pub(in crate::lane) fn in_flight(&self) -> u32 {
        self.unsettled.in_flight
    }
}
