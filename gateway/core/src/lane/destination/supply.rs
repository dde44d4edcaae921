//! What memory holds of what waits: reads, their answers, and which lanes leave it when there is no room.

use std::sync::Arc;

use super::{Destination, Waiting};
use crate::{
    id::DeliveryId,
    lane::{LaneKey, Read, Ticket, reading::UnderWay},
    limits::LANE_WINDOW_MAX,
    time::Timestamp,
};

/// Lanes with the deliveries that became superseded.
type Superseded = Vec<(LaneKey, Vec<DeliveryId>)>;

impl Destination {
    /// Says that the store has deliveries up to `up_to` that were not added.
    pub(in crate::lane) fn missed(&mut self, up_to: DeliveryId) {
        self.reading.note(up_to);
    }

    pub(in crate::lane) fn reads(&mut self) -> Vec<Read> {
        let mut reads = Vec::new();
        for key in std::mem::take(&mut self.wanting) {
            // Room may be gone since; the answer then leaves the lane as it was.
            let short = self.lanes.get(&key).is_some_and(|lane| lane.is_short(self.only_newest(lane), true));
            if short && let Some(lane) = self.lanes.get_mut(&key) {
                let after = lane.begin_read();
                let lane = LaneKey { destination: self.name.clone(), key };
                reads.push(Read::Lane { lane, after, limit: LANE_WINDOW_MAX });
            } else if self.lanes.get(&key).is_some_and(|lane| !lane.is_busy()) {
                // It has waited for a read that it does not need any more.
                self.step_in(&key);
            }
        }
        if self.reading.is_wanting(self.now)
            && self.make_room_to_read()
            && let Some(after) = self.reading.begin(self.now)
        {
            reads.push(Read::Destination { destination: self.name.clone(), after, limit: self.bounds.read });
        }
        reads
    }

    fn make_room_to_read(&mut self) -> bool {
        let free = self.bounds.places.saturating_sub(self.places);
        let lacking = self.bounds.read.saturating_sub(free);
        lacking == 0 || self.evict(lacking)
    }

    /// Leaves lanes outside that wait for a moment, the furthest first, until `places` are free that were not. When
    /// there are not so many it changes nothing and gives `false`.
    pub(super) fn evict(&mut self, places: usize) -> bool {
        let mut freed = 0;
        let mut out: Vec<(Timestamp, Arc<str>)> = Vec::new();
        for (due, key) in self.turns.furthest() {
            if freed >= places {
                break;
            }
            // The answer to a read must find its lane as it was.
            if let Some(lane) = self.lanes.get(key).filter(|lane| !lane.is_read()) {
                freed += lane.places();
                out.push((due, Arc::clone(key)));
            }
        }
        if freed < places {
            return false;
        }
        for (due, key) in out {
            self.step_out(&key);
            self.lanes.remove(&key);
            self.reading.leave_outside(&key, due, self.now);
        }
        self.places -= freed;
        true
    }

    pub(in crate::lane) fn answer(&mut self, read: &Read, tickets: &[Ticket], now: Timestamp) -> Superseded {
        self.now = self.now.max(now);
        let superseded = match read {
            Read::Lane { lane, limit, .. } => self.answer_lane(&lane.key, tickets, tickets.len() < *limit),
            Read::Destination { limit, .. } => {
                let all = tickets.len() < *limit;
                match self.reading.answered() {
                    Some(UnderWay::Tail(newest)) => self.answer_tail(newest, tickets, all),
                    Some(UnderWay::Sweep) => self.answer_sweep(tickets, all),
                    None => Vec::new(),
                }
            }
        };
        self.forget_recorded();
        superseded
    }

    fn answer_lane(&mut self, key: &Arc<str>, tickets: &[Ticket], all: bool) -> Superseded {
        let free = self.bounds.places.saturating_sub(self.places);
        let tickets: Vec<(Waiting, bool)> =
            tickets.iter().map(|ticket| (ticket.into(), self.is_cancelled(ticket.id))).collect();
        let now = self.now;
        self.edit(key, |lane| {
            lane.refill(&tickets, all, lane.places() + free);
            if lane.take_hurried() {
                lane.hurry(now);
            }
        });
        let mut superseded = Vec::new();
        self.move_on_into(&mut superseded, key);
        superseded
    }

    fn answer_tail(&mut self, newest: Option<DeliveryId>, tickets: &[Ticket], all: bool) -> Superseded {
        let mut superseded = Vec::new();
        for ticket in tickets {
            if !self.take_from_tail(ticket, &mut superseded) {
                return superseded;
            }
            self.reading.saw(ticket.id);
            self.hurry_read(&ticket.lane.key, ticket.id);
        }
        if all {
            self.reading.tail_ended(newest);
        }
        self.forget_hurried();
        superseded
    }

    /// Accounts for the next delivery of the tail; `false` when there is no room for its lane.
    fn take_from_tail(&mut self, ticket: &Ticket, superseded: &mut Superseded) -> bool {
        let key = &ticket.lane.key;
        if self.is_cancelled(ticket.id) {
            return true;
        }
        if self.lanes.contains_key(key) {
            if !self.take_in(key, ticket.into()) {
                self.open(key).leave(ticket.id);
            }
        } else if self.reading.may_be_outside(key) {
            return true;
        } else if self.is_crowded() && ticket.due > self.now {
            self.reading.leave_outside(key, ticket.due, self.now);
            return true;
        } else if !self.take_in(key, ticket.into()) {
            return false;
        }
        self.move_on_into(superseded, key);
        true
    }

    fn answer_sweep(&mut self, tickets: &[Ticket], all: bool) -> Superseded {
        let mut superseded = Vec::new();
        let mut ended = all;
        for ticket in tickets {
            if !self.reading.has_seen(ticket.id) {
                ended = true;
                break;
            }
            let left = self.reading.sweeps_past(ticket.id, &ticket.lane.key);
            if !left && !self.lanes.contains_key(&ticket.lane.key) && !self.is_cancelled(ticket.id) {
                self.take_from_sweep(ticket, &mut superseded);
            }
        }
        if ended {
            self.reading.sweep_ended(self.now);
            self.forget_hurried_outside();
        }
        for key in std::mem::take(&mut self.lingering) {
            if let Some(lane) = self.lanes.get_mut(&key) {
                lane.lingers = false;
            }
            self.move_on_into(&mut superseded, &key);
        }
        superseded
    }

    /// Takes the first delivery of a lane that is outside, if it may go soon.
    fn take_from_sweep(&mut self, ticket: &Ticket, superseded: &mut Superseded) {
        let key = &ticket.lane.key;
        let mut head = Waiting::from(ticket);
        if self.reading.sweep_hurries() || self.hurried_outside.contains(key) {
            head.due = head.due.min(self.now);
        }
        let waits = self.is_crowded() && head.due > self.now;
        if waits || !self.take_in(key, head) {
            self.reading.leave_outside(key, head.due, self.now);
            return;
        }
        self.hurried_outside.remove(key);
        let seen = self.reading.seen();
        self.open(key).doubt(seen);
        self.move_on_into(superseded, key);
    }

    fn move_on_into(&mut self, superseded: &mut Superseded, key: &Arc<str>) {
        let ids = self.move_on(key);
        if !ids.is_empty() {
            let lane = LaneKey { destination: self.name.clone(), key: Arc::clone(key) };
            superseded.push((lane, ids));
        }
    }

    /// Whether lanes that must wait are better left outside.
    fn is_crowded(&self) -> bool {
        self.places > self.bounds.places / 2
    }
}
