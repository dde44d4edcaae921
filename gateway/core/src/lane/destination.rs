//! The lanes of one destination: ready ones in turn, waiting ones by time, all behind one gate.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use super::{Added, Backlog, LaneKey, LaneSettings, Next, Refill, Ticket, WINDOW_MAX, window::Lane};
use crate::{
    id::{DeliveryId, DestinationName},
    time::Timestamp,
};

/// How busy a destination is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Deliveries in flight.
    pub in_flight: u32,
    /// Nothing starts before this moment.
    pub paused_until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Paused(Timestamp),
    /// The pause is over: one delivery at a time until one gets through.
    Probing,
}

#[derive(Debug)]
pub(super) struct Destination {
    name: DestinationName,
    settings: LaneSettings,
    gate: Gate,
    in_flight: u32,
    lanes: HashMap<Arc<str>, Lane>,
    /// Lanes whose head may go now, in turn.
    ready: VecDeque<Arc<str>>,
    /// Lanes whose head waits for a moment.
    timers: BTreeSet<(Timestamp, Arc<str>)>,
    wanting: HashSet<Arc<str>>,
}

impl Destination {
    pub(super) fn new(name: DestinationName, settings: LaneSettings) -> Self {
        Self {
            name,
            settings,
            gate: Gate::Open,
            in_flight: 0,
            lanes: HashMap::new(),
            ready: VecDeque::new(),
            timers: BTreeSet::new(),
            wanting: HashSet::new(),
        }
    }

    pub(super) fn add(&mut self, ticket: Ticket) -> Added {
        let key = Arc::clone(&ticket.lane.key);
        let lane = self.lanes.entry(Arc::clone(&key)).or_default();
        let was_waiting = !lane.window.is_empty();
        // A head that has failed before, read back after a restart, holds its lane up still.
        lane.held_up |= !was_waiting && ticket.attempts > 0;
        if !lane.push(ticket) {
            return Added::Spilled;
        }
        self.after_growth(&key, was_waiting)
    }

    pub(super) fn refill(&mut self, key: &Arc<str>, tickets: Vec<Ticket>) -> Added {
        let Some(lane) = self.lanes.get_mut(key) else { return Added::Queued };
        let was_waiting = !lane.window.is_empty();
        lane.refill(tickets);
        let added = self.after_growth(key, was_waiting);
        self.tidy(key);
        added
    }

    /// Supersedes or schedules a lane whose window has grown.
    fn after_growth(&mut self, key: &Arc<str>, was_waiting: bool) -> Added {
        let Some(lane) = self.lanes.get_mut(key) else { return Added::Queued };
        if lane.busy {
            return Added::Queued;
        }
        if self.settings.backlog == Backlog::Latest && lane.held_up {
            let head_due = lane.window.front().map(|ticket| ticket.due);
            let superseded = lane.supersede();
            if !superseded.is_empty() {
                lane.busy = true;
                self.unschedule(key, head_due);
                return Added::Supersedes(superseded);
            }
        }
        if !was_waiting {
            self.schedule(key);
        }
        Added::Queued
    }

    pub(super) fn start(&mut self, now: Timestamp) -> Option<Ticket> {
        if let Gate::Paused(until) = self.gate
            && until <= now
        {
            self.gate = Gate::Probing;
        }
        let room = match self.gate {
            Gate::Open => self.in_flight < self.settings.concurrency.max(1),
            Gate::Paused(_) => false,
            Gate::Probing => self.in_flight == 0,
        };
        if !room {
            return None;
        }
        while let Some((due, _)) = self.timers.first()
            && *due <= now
        {
            let (_, key) = self.timers.pop_first()?;
            self.ready.push_back(key);
        }
        let key = self.ready.pop_front()?;
        let lane = self.lanes.get_mut(&key)?;
        lane.busy = true;
        self.in_flight += 1;
        lane.window.front().cloned()
    }

    pub(super) fn hold_up(&mut self, key: &Arc<str>) -> Vec<DeliveryId> {
        let Some(lane) = self.lanes.get_mut(key) else { return Vec::new() };
        lane.held_up = true;
        match self.settings.backlog {
            Backlog::Keep => Vec::new(),
            Backlog::Latest => lane.supersede(),
        }
    }

    pub(super) fn settle(&mut self, key: &Arc<str>, id: DeliveryId, next: Next) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let Some(lane) = self.lanes.get_mut(key) else { return };
        // The delivery is no longer at the head if a newer one superseded it.
        if let Some(head) = lane.window.front_mut().filter(|head| head.id == id) {
            match next {
                Next::Finished => {
                    lane.window.pop_front();
                    lane.held_up = false;
                }
                Next::Again { due, attempts } => {
                    head.due = due;
                    head.attempts = attempts;
                }
            }
        }
        self.release(key);
    }

    pub(super) fn release(&mut self, key: &Arc<str>) {
        if let Some(lane) = self.lanes.get_mut(key) {
            lane.busy = false;
            self.schedule(key);
            self.tidy(key);
        }
    }

    /// Puts a lane that is not busy where its head belongs. Ready lanes are found by the timer in their turn.
    fn schedule(&mut self, key: &Arc<str>) {
        if let Some(head) = self.lanes.get(key).and_then(|lane| lane.window.front()) {
            self.timers.insert((head.due, Arc::clone(key)));
        }
    }

    fn unschedule(&mut self, key: &Arc<str>, head_due: Option<Timestamp>) {
        let timed = head_due.is_some_and(|due| self.timers.remove(&(due, Arc::clone(key))));
        if !timed {
            self.ready.retain(|ready| ready != key);
        }
    }

    /// Notes whether a lane wants a refill, and forgets it when nothing is left.
    fn tidy(&mut self, key: &Arc<str>) {
        let Some(lane) = self.lanes.get(key) else { return };
        if lane.is_idle() {
            self.lanes.remove(key);
            self.wanting.remove(key);
        } else {
            self.wanting.insert(Arc::clone(key));
        }
    }

    pub(super) fn take_refills(&mut self) -> Vec<Refill> {
        let mut refills = Vec::new();
        for key in self.wanting.drain() {
            if let Some(after) = self.lanes.get_mut(&key).and_then(Lane::wants_refill) {
                let lane = LaneKey { destination: self.name.clone(), key };
                refills.push(Refill { lane, after, limit: WINDOW_MAX });
            }
        }
        refills
    }

    pub(super) fn pause(&mut self, until: Timestamp) -> bool {
        // Several deliveries in flight may ask for a pause. Who asked for the longest knows best.
        let counts = !matches!(self.gate, Gate::Paused(standing) if standing >= until);
        if counts {
            self.gate = Gate::Paused(until);
        }
        counts
    }

    pub(super) fn reached(&mut self) -> bool {
        let ended = self.gate == Gate::Probing;
        if ended {
            self.gate = Gate::Open;
        }
        ended
    }

    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        let waiting =
            self.ready.front().map(|_| Timestamp::EPOCH).or(self.timers.first().map(|(due, _)| *due))?;
        match self.gate {
            Gate::Open if self.in_flight < self.settings.concurrency.max(1) => Some(waiting),
            Gate::Probing if self.in_flight == 0 => Some(waiting),
            Gate::Paused(until) => Some(until.max(waiting)),
            Gate::Open | Gate::Probing => None,
        }
    }

    pub(super) fn load(&self) -> Load {
        let paused_until = match self.gate {
            Gate::Paused(until) => Some(until),
            Gate::Open | Gate::Probing => None,
        };
        Load { in_flight: self.in_flight, paused_until }
    }
}
