//! The lanes of one destination, in memory and out of it, behind one gate.

mod steer;
mod supply;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{
    Added, Backlog, Bounds, LaneKey, LaneSettings, Next, Ticket,
    gate::{Gate, Unsettled},
    reading::Reading,
    turns::{Line, Turns},
    window::{Lane, Waiting},
};
use crate::{
    id::{DeliveryId, DestinationName},
    time::Timestamp,
};

#[derive(Debug)]
pub(super) struct Destination {
    name: DestinationName,
    backlog: Backlog,
    gate: Gate,
    turns: Turns,
    reading: Reading,
    lanes: HashMap<Arc<str>, Lane>,
    bounds: Bounds,
    /// What the lanes take of the bound.
    places: usize,
    /// Lanes that want to be read.
    wanting: HashSet<Arc<str>>,
    /// Lanes that are kept until the sweep's read is answered.
    lingering: Vec<Arc<str>>,
    cancelled: HashMap<DeliveryId, steer::Cancelled>,
    /// Deliveries that people want to go and that the tail has not come to.
    hurried: BTreeSet<DeliveryId>,
    /// Lanes outside that people want to go and for which there was no room.
    hurried_outside: HashSet<Arc<str>>,
    unsettled: Unsettled,
    retries_in_flight: u32,
    /// Retries that may be in flight: not all, or slow ones would shut out the lanes that are well.
    retries_max: u32,
    /// The latest moment known.
    now: Timestamp,
}

impl Destination {
    pub(super) fn new(name: DestinationName, settings: LaneSettings, bounds: Bounds) -> Self {
        Self {
            name,
            backlog: settings.backlog,
            gate: Gate::new(&settings, bounds),
            turns: Turns::default(),
            reading: Reading::new(bounds.filter_bits),
            lanes: HashMap::new(),
            bounds,
            places: 0,
            wanting: HashSet::new(),
            lingering: Vec::new(),
            cancelled: HashMap::new(),
            hurried: BTreeSet::new(),
            hurried_outside: HashSet::new(),
            unsettled: Unsettled::default(),
            retries_in_flight: 0,
            retries_max: retries_max(settings),
            now: Timestamp::EPOCH,
        }
    }

    /// Goes on with other settings: what waits, what is in flight and the gate's state stand.
    pub(super) fn change(&mut self, settings: LaneSettings) {
        self.backlog = settings.backlog;
        self.gate.change(&settings);
        self.retries_max = retries_max(settings);
    }

    pub(super) fn add(&mut self, ticket: &Ticket, now: Timestamp) -> Added {
        self.now = self.now.max(now);
        let (key, id) = (&ticket.lane.key, ticket.id);
        if self.reading.has_seen(id) {
            let in_memory = self.lanes.get(key).is_some_and(|lane| lane.contains(id));
            return if in_memory { Added::Queued } else { Added::Stored };
        }
        if self.reading.is_behind() {
            self.reading.note(id);
            return Added::Stored;
        }
        if self.is_cancelled(id) {
            self.reading.saw(id);
            return Added::Stored;
        }
        let known = self.lanes.contains_key(key);
        if !known && !self.make_room() {
            self.reading.note(id);
            return Added::Stored;
        }
        let all_in_memory = known || !self.reading.may_be_outside(key);
        self.reading.saw(id);
        self.hurried.remove(&id);
        if all_in_memory && self.take_in(key, ticket.into()) {
            let superseded = self.move_on(key);
            return if superseded.is_empty() { Added::Queued } else { Added::Supersedes(superseded) };
        }
        self.open(key).leave(id);
        self.hurry_from_outside(key);
        self.want(key);
        Added::Stored
    }

    /// Takes a delivery into its lane's window. `false` when there is no room: then it stays in the store.
    fn take_in(&mut self, key: &Arc<str>, ticket: Waiting) -> bool {
        let room = match self.lanes.get(key) {
            Some(lane) => lane.takes_more() && (lane.head().is_none() || self.places < self.bounds.places),
            None => self.make_room(),
        };
        if !room {
            return false;
        }
        self.open(key);
        self.edit(key, |lane| lane.load(ticket));
        true
    }

    /// The lane called `key`, known from here on.
    fn open(&mut self, key: &Arc<str>) -> &mut Lane {
        self.lanes.entry(Arc::clone(key)).or_insert_with(|| {
            self.places += 1;
            Lane::default()
        })
    }

    /// Changes a lane, and the count of places with it.
    fn edit<T>(&mut self, key: &str, change: impl FnOnce(&mut Lane) -> T) -> Option<T> {
        let lane = self.lanes.get_mut(key)?;
        let before = lane.places();
        let result = change(lane);
        self.places = self.places - before + lane.places();
        Some(result)
    }

    pub(super) fn start(&mut self, now: Timestamp) -> Option<Ticket> {
        self.now = self.now.max(now);
        self.turns.pass_time(now);
        let line = self.turns.next_line(self.retries_in_flight < self.retries_max)?;
        if !self.gate.admit(now, self.unsettled) {
            return None;
        }
        let key = self.turns.pop(line)?;
        let head = self.lanes.get_mut(&key)?.launch(line)?;
        self.unsettled.in_flight += 1;
        self.retries_in_flight += u32::from(line == Line::Again);
        Some(self.ticket(&key, &head))
    }

    fn ticket(&self, key: &Arc<str>, waiting: &Waiting) -> Ticket {
        let Waiting { id, event, attempts, due, repeats } = *waiting;
        let lane = LaneKey { destination: self.name.clone(), key: Arc::clone(key) };
        Ticket { id, event, lane, attempts, due, repeats }
    }

    pub(super) fn next_up(&self, key: &Arc<str>, limit: usize) -> Vec<Ticket> {
        let heads = self.turns.in_line().filter_map(|key| Some((key, self.lanes.get(key)?.head()?)));
        let behind =
            self.lanes.get(key).into_iter().flat_map(Lane::behind_head).map(|waiting| (key, waiting));
        heads.chain(behind).take(limit).map(|(key, waiting)| self.ticket(key, waiting)).collect()
    }

    pub(super) fn is_waiting(&self, key: &str, id: DeliveryId) -> bool {
        self.lanes.get(key).is_some_and(|lane| lane.contains(id) && !lane.is_in_flight(id))
    }

    pub(super) fn hold_up(&mut self, key: &str) -> Vec<DeliveryId> {
        let backlog = self.backlog;
        let superseded = self.edit(key, |lane| {
            lane.held_up = true;
            match backlog {
                Backlog::Keep => Vec::new(),
                Backlog::Latest => lane.supersede(),
            }
        });
        superseded.unwrap_or_default()
    }

    pub(super) fn ended(&mut self, key: &str, id: DeliveryId, bytes: usize) {
        if let Some(flight) = self.lanes.get_mut(key).and_then(|lane| lane.end(id, bytes)) {
            self.unsettled.in_flight -= 1;
            self.unsettled.unrecorded += 1;
            self.unsettled.unrecorded_bytes += bytes;
            self.retries_in_flight -= u32::from(flight.line == Line::Again);
        }
    }

    pub(super) fn settle(&mut self, key: &Arc<str>, id: DeliveryId, next: Next) -> Vec<DeliveryId> {
        self.ended(key, id, 0);
        let Some(flight) = self.lanes.get_mut(key).and_then(|lane| lane.land(id)) else { return Vec::new() };
        self.unsettled.unrecorded -= 1;
        self.unsettled.unrecorded_bytes -= flight.bytes;
        let now = self.now;
        self.edit(key, |lane| lane.settle(id, next, now));
        self.move_on(key)
    }

    pub(super) fn release(&mut self, key: &Arc<str>) -> Vec<DeliveryId> {
        if let Some(lane) = self.lanes.get_mut(key) {
            lane.records = lane.records.saturating_sub(1);
        }
        self.move_on(key)
    }

    /// Puts a lane where it belongs after anything about it has changed: in line, in want of a read, or out of mind.
    /// Gives deliveries that became superseded; their record holds the lane until its release.
    fn move_on(&mut self, key: &Arc<str>) -> Vec<DeliveryId> {
        self.want(key);
        let Some(lane) = self.lanes.get(key) else { return Vec::new() };
        let only_newest = self.only_newest(lane);
        if lane.is_busy() {
            return Vec::new();
        }
        if lane.is_idle() {
            self.forget(key);
            return Vec::new();
        }
        if only_newest {
            let superseded = self.edit(key, Lane::supersede).unwrap_or_default();
            if !superseded.is_empty() {
                self.step_out(key);
                self.edit(key, |lane| lane.records += 1);
                return superseded;
            }
        }
        self.step_in(key);
        Vec::new()
    }

    /// Asks for a read of a lane that is short of deliveries.
    fn want(&mut self, key: &Arc<str>) {
        let room = self.places < self.bounds.places;
        if self.lanes.get(key).is_some_and(|lane| lane.is_short(self.only_newest(lane), room)) {
            self.wanting.insert(Arc::clone(key));
        }
    }

    /// Whether a lane's newest delivery counts alone: it failed, or the whole destination starts nothing.
    fn only_newest(&self, lane: &Lane) -> bool {
        self.backlog == Backlog::Latest && (lane.held_up || !self.gate.is_open())
    }

    /// Puts a lane in line, unless its newest delivery counts alone and is being read.
    fn step_in(&mut self, key: &Arc<str>) {
        let Some(lane) = self.lanes.get(key).filter(|lane| lane.turn.is_none()) else { return };
        let awaits_read = lane.is_read() || self.wanting.contains(key);
        let Some(head) = lane.head().filter(|_| !(self.only_newest(lane) && awaits_read)) else { return };
        let line = if head.attempts > 0 { Line::Again } else { Line::First };
        let turn = self.turns.put(key, head.due, line, self.now);
        if let Some(lane) = self.lanes.get_mut(key) {
            lane.turn = Some(turn);
        }
    }

    fn step_out(&mut self, key: &str) {
        if let Some(turn) = self.lanes.get_mut(key).and_then(|lane| lane.turn.take()) {
            self.turns.take_out(turn);
        }
    }

    /// Drops a lane that has nothing left. While a sweep's read is under way it stays known: the answer may show
    /// deliveries of it that were finished since.
    fn forget(&mut self, key: &Arc<str>) {
        if self.reading.is_sweep_under_way() {
            if let Some(lane) = self.lanes.get_mut(key)
                && !std::mem::replace(&mut lane.lingers, true)
            {
                self.lingering.push(Arc::clone(key));
            }
        } else if let Some(lane) = self.lanes.remove(key) {
            self.places -= lane.places();
        }
    }

    /// Whether a lane that is not known has a place, if need be by leaving another outside.
    fn make_room(&mut self) -> bool {
        self.places < self.bounds.places || self.evict(1)
    }
}

/// Retries that may be in flight at once.
fn retries_max(settings: LaneSettings) -> u32 {
    let concurrency = settings.concurrency.max(1);
    (concurrency - (concurrency / 4).max(1)).max(1)
}

#[cfg(test)]
impl Destination {
    /// Places taken, counted afresh.
    pub(super) fn places(&self) -> usize {
        let places = self.lanes.values().map(Lane::places).sum();
        assert_eq!(self.places, places, "the running count is wrong");
        places
    }

    /// Whether lanes are about to go early.
    pub(super) fn hurries(&self) -> bool {
        self.reading.hurries()
            || !self.hurried.is_empty()
            || !self.hurried_outside.is_empty()
            || self.lanes.values().any(Lane::is_hurried)
    }

    /// Whether a waiting delivery is accounted for: it comes when its turn does.
    pub(super) fn knows_of(&self, key: &str, id: DeliveryId) -> bool {
        let in_its_place =
            self.lanes.get(key).map_or_else(|| self.reading.may_be_outside(key), |lane| lane.knows_of(id));
        in_its_place || !self.reading.has_seen(id)
    }

    /// Whether a lane that is not known has a place, or could have one.
    pub(super) fn has_room_for_one(&self) -> bool {
        self.places < self.bounds.places || self.turns.furthest().next().is_some()
    }

    pub(super) fn unrecorded(&self) -> u32 {
        self.unsettled.unrecorded
    }
}
