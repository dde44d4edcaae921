//! Random arrivals, gaps, failures, cancellations and stale reads against a plain model. Memory is made tiny, so that
//! lanes leave it and come back all the time.
//!
//! Whatever happens: a lane goes strictly in order of the ids, one at a time; nothing goes twice, early or after it was
//! final; whatever waits is accounted for; memory keeps its bounds; and in the end everything has gone.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use proptest::prelude::*;

use super::*;

const TINY: Bounds = Bounds { places: 12, read: 4, filter_bits: 24, unrecorded: 3, unrecorded_bytes: 3 };

#[derive(Debug, Clone)]
enum Action {
    Arrive {
        key: u8,
        count: u8,
    },
    /// The feed brings some, or leaves them out.
    Feed {
        count: u8,
        lost: bool,
    },
    Start,
    /// The flight that is longest in the air ends. It keeps its place until it is recorded, or not.
    End {
        keeps_place: bool,
        ok: bool,
        wait_s: u16,
        asked: bool,
    },
    /// A record becomes durable.
    Record,
    Ask,
    /// The store is looked at for a read, whose answer comes later.
    Look {
        which: u8,
    },
    Answer {
        which: u8,
    },
    Cancel {
        which: u8,
    },
    /// A cancel that comes too late: the store is asked, and answers that the delivery is final.
    CancelFinal {
        which: u8,
    },
    Hurry {
        which: u8,
    },
    Pause {
        wait_s: u8,
    },
    Hold(bool),
    Wait {
        seconds: u16,
    },
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => (0u8..30, 1u8..6).prop_map(|(key, count)| Action::Arrive { key, count }),
        1 => (0u8..30, 30u8..90).prop_map(|(key, count)| Action::Arrive { key, count }),
        8 => (1u8..12, proptest::bool::weighted(0.1)).prop_map(|(count, lost)| Action::Feed { count, lost }),
        8 => Just(Action::Start),
        8 => (proptest::bool::weighted(0.2), any::<bool>(), 1u16..500, any::<bool>())
            .prop_map(|(keeps_place, ok, wait_s, asked)| Action::End { keeps_place, ok, wait_s, asked }),
        10 => Just(Action::Record),
        6 => Just(Action::Ask),
        6 => any::<u8>().prop_map(|which| Action::Look { which }),
        6 => any::<u8>().prop_map(|which| Action::Answer { which }),
        1 => any::<u8>().prop_map(|which| Action::Cancel { which }),
        1 => any::<u8>().prop_map(|which| Action::CancelFinal { which }),
        1 => any::<u8>().prop_map(|which| Action::Hurry { which }),
        1 => (0u8..20).prop_map(|wait_s| Action::Pause { wait_s }),
        1 => any::<bool>().prop_map(Action::Hold),
        3 => (1u16..100).prop_map(|seconds| Action::Wait { seconds }),
    ]
}

/// Something that becomes durable later, and what the lanes are told then.
#[derive(Debug)]
enum Pending {
    Settled { ticket: Ticket, next: Next },
    Released { lane: LaneKey, gone: Vec<DeliveryId> },
    Cancelled { lane: LaneKey, id: DeliveryId },
}

struct World {
    lanes: Lanes,
    backlog: Backlog,
    shelf: Shelf,
    feed: VecDeque<Ticket>,
    reads: Vec<(Read, Option<Vec<Ticket>>)>,
    flying: VecDeque<Ticket>,
    pending: VecDeque<Pending>,
    /// Lanes that must not start anything.
    busy: BTreeMap<LaneKey, usize>,
    /// Cancelled, perhaps not recorded yet.
    cancelled: BTreeSet<DeliveryId>,
    /// Delivered.
    finished: Vec<Ticket>,
    /// Waits that were cut short, for the check that nothing goes early.
    hurried: BTreeSet<DeliveryId>,
    now: Timestamp,
    last: i64,
    starts: usize,
    concurrency: u32,
}

impl World {
    fn new(backlog: Backlog, concurrency: u32) -> Self {
        let mut lanes = Lanes { bounds: TINY, ..Lanes::default() };
        lanes.open(destination(), LaneSettings { concurrency, backlog, starts_per_second: None });
        Self {
            lanes,
            backlog,
            shelf: Shelf::default(),
            feed: VecDeque::new(),
            reads: Vec::new(),
            flying: VecDeque::new(),
            pending: VecDeque::new(),
            busy: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            finished: Vec::new(),
            hurried: BTreeSet::new(),
            now: NOW,
            last: 0,
            starts: 0,
            concurrency,
        }
    }

    fn act(&mut self, action: &Action) {
        match *action {
            Action::Arrive { key, count } => {
                for _ in 0..count {
                    self.last += 1;
                    let ticket = Ticket { due: self.now, ..ticket(self.last, &format!("lane {key}")) };
                    self.shelf.put(ticket.clone());
                    self.feed.push_back(ticket);
                }
            }
            Action::Feed { count, lost } => {
                for _ in 0..count {
                    let Some(ticket) = self.feed.pop_front() else { break };
                    if lost {
                        self.lanes.missed(ticket.id);
                    } else if let Added::Supersedes(gone) = self.lanes.add(ticket.clone(), self.now) {
                        self.superseded(ticket.lane, gone);
                    }
                }
            }
            Action::Start => {
                while let Some(ticket) = self.lanes.start(self.now) {
                    self.started(ticket);
                }
            }
            Action::End { keeps_place, ok, wait_s, asked } => self.end(keeps_place, ok, wait_s, asked),
            Action::Record => self.record(),
            Action::Ask => self.reads.extend(self.lanes.reads().into_iter().map(|read| (read, None))),
            Action::Look { which } => {
                if let Some(place) = pick(self.reads.len(), which) {
                    let tickets = self.shelf.look_up(&self.reads[place].0);
                    self.reads[place].1.get_or_insert(tickets);
                }
            }
            Action::Answer { which } => {
                if let Some(place) = pick(self.reads.len(), which)
                    && let Some(tickets) = self.reads[place].1.take()
                {
                    let (read, _) = self.reads.swap_remove(place);
                    for (lane, gone) in self.lanes.answer(&read, tickets, self.now) {
                        self.superseded(lane, gone);
                    }
                }
            }
            Action::Cancel { which } => self.cancel(which),
            Action::CancelFinal { which } => {
                if let Some(place) = pick(self.finished.len(), which) {
                    let Ticket { lane, id, .. } = self.finished[place].clone();
                    assert_eq!(self.lanes.cancel(&lane, id), Cancel::Stored);
                    self.pending.push_back(Pending::Cancelled { lane, id });
                }
            }
            Action::Hurry { which } => {
                let waiting: Vec<_> = self.shelf.waiting.values().collect();
                if let Some(place) = pick(waiting.len(), which) {
                    let (lane, id) = (waiting[place].lane.clone(), waiting[place].id);
                    if self.lanes.hurry(&lane, id, self.now) {
                        // It goes in its turn: what goes early is the first of its lane.
                        let before = self.shelf.waiting.values().filter(|ticket| ticket.lane == lane);
                        self.hurried.extend(before.map(|ticket| ticket.id).filter(|before| *before <= id));
                    }
                }
            }
            Action::Pause { wait_s } => {
                self.lanes.pause(&destination(), self.now.plus(Duration::from_secs(wait_s.into())));
            }
            Action::Hold(held) => self.lanes.hold(&destination(), held),
            Action::Wait { seconds } => self.now = self.now.plus(Duration::from_secs(seconds.into())),
        }
        assert!(self.lanes.destinations[0].places() <= TINY.places, "memory has a bound");
        assert!(self.lanes.in_flight() <= self.concurrency, "so has what is in flight");
        let unrecorded_max = TINY.unrecorded + self.concurrency - 1;
        assert!(self.lanes.destinations[0].unrecorded() <= unrecorded_max, "and what is not recorded");
    }

    /// Whatever waits comes when its turn does.
    fn check_nothing_is_lost(&self) {
        for Ticket { lane, id, .. } in self.shelf.waiting.values() {
            let landing = self.landing().any(|ticket| ticket.id == *id);
            let known =
                landing || self.cancelled.contains(id) || self.lanes.destinations[0].knows_of(&lane.key, *id);
            assert!(known, "{id} is lost in {:?}", self.lanes);
        }
    }

    fn started(&mut self, started: Ticket) {
        self.starts += 1;
        assert_eq!(self.busy.get(&started.lane), None, "one at a time: {started:?}");
        let first = self
            .shelf
            .waiting
            .values()
            .find(|ticket| ticket.lane == started.lane && !self.cancelled.contains(&ticket.id));
        let first = first.unwrap_or_else(|| panic!("{started:?} was final"));
        assert_eq!((first.id, first.attempts), (started.id, started.attempts), "out of order, or stale");
        assert!(first.due <= self.now || self.hurried.contains(&first.id), "early: {first:?}");
        let free = self.lanes.load(&destination()).unwrap().gate == GateState::Open;
        assert!(free || self.flying.is_empty() && self.landing().next().is_none(), "a probe goes alone");
        *self.busy.entry(started.lane.clone()).or_default() += 1;
        self.flying.push_back(started);
    }

    fn end(&mut self, keeps_place: bool, ok: bool, wait_s: u16, asked: bool) {
        let Some(ticket) = self.flying.pop_front() else { return };
        if !keeps_place {
            self.lanes.ended(&ticket.lane, ticket.id, 1);
        }
        let due = self.now.plus(Duration::from_secs(wait_s.into()));
        let next = if ok {
            let recovered = self.lanes.reached(&destination(), self.now);
            if recovered {
                self.hurried.extend(self.shelf.waiting.keys());
            }
            Next::Finished
        } else {
            self.lanes.failed(&ticket.lane, ticket.id, self.now);
            // A recovery may find it outside and cut its wait short once more.
            if !self.lanes.destinations[0].hurries() {
                self.hurried.remove(&ticket.id);
            }
            Next::Again { due, attempts: ticket.attempts + 1, asked }
        };
        let gone = if ok { Vec::new() } else { self.lanes.hold_up(&ticket.lane) };
        assert!(gone.is_empty() || self.backlog == Backlog::Latest);
        let next_of_store = if gone.contains(&ticket.id) { Next::Finished } else { next };
        for id in gone.iter().filter(|id| **id != ticket.id) {
            // Recorded together with the outcome.
            self.cancelled.insert(*id);
        }
        let superseded: Vec<_> = gone.into_iter().filter(|id| *id != ticket.id).collect();
        self.pending.push_back(Pending::Settled { ticket: ticket.clone(), next: next_of_store });
        if !superseded.is_empty() {
            // In the same transaction, so directly after; the lane does not wait for it.
            *self.busy.entry(ticket.lane.clone()).or_default() += 0;
            self.shelf.waiting.retain(|id, _| !superseded.contains(id));
        }
    }

    /// Deliveries whose outcome is being recorded.
    fn landing(&self) -> impl Iterator<Item = &Ticket> {
        self.pending.iter().filter_map(|pending| match pending {
            Pending::Settled { ticket, .. } => Some(ticket),
            Pending::Released { .. } | Pending::Cancelled { .. } => None,
        })
    }

    fn record(&mut self) {
        match self.pending.pop_front() {
            None => {}
            Some(Pending::Settled { ticket, next }) => {
                match next {
                    Next::Finished => {
                        let waited = self.shelf.waiting.remove(&ticket.id);
                        assert!(waited.is_some(), "{ticket:?} ended twice");
                        self.finished.push(ticket.clone());
                    }
                    Next::Again { due, attempts, .. } => {
                        self.shelf.put(Ticket { due, attempts, ..ticket.clone() });
                    }
                }
                self.free(&ticket.lane);
                let gone = self.lanes.settle(&ticket.lane, ticket.id, next);
                self.superseded(ticket.lane, gone);
            }
            Some(Pending::Released { lane, gone }) => {
                self.shelf.waiting.retain(|id, _| !gone.contains(id));
                self.free(&lane);
                let gone = self.lanes.release(&lane);
                self.superseded(lane, gone);
            }
            Some(Pending::Cancelled { lane, id }) => {
                self.shelf.waiting.remove(&id);
                self.lanes.forget_cancelled(&lane, id);
            }
        }
    }

    fn superseded(&mut self, lane: LaneKey, gone: Vec<DeliveryId>) {
        if gone.is_empty() {
            return;
        }
        assert_eq!(self.backlog, Backlog::Latest);
        for id in &gone {
            let newer = self.shelf.waiting.values().any(|ticket| ticket.lane == lane && ticket.id > *id);
            assert!(newer, "{id} has no newer one");
        }
        self.hold(lane, gone);
    }

    /// Records that deliveries are final; their lane waits for it.
    fn hold(&mut self, lane: LaneKey, gone: Vec<DeliveryId>) {
        self.cancelled.extend(&gone);
        *self.busy.entry(lane.clone()).or_default() += 1;
        self.pending.push_back(Pending::Released { lane, gone });
    }

    fn free(&mut self, lane: &LaneKey) {
        let count = self.busy.get_mut(lane).expect("it was busy");
        *count -= 1;
        if *count == 0 {
            self.busy.remove(lane);
        }
    }

    fn cancel(&mut self, which: u8) {
        let waiting: Vec<_> =
            self.shelf.waiting.values().filter(|ticket| !self.cancelled.contains(&ticket.id)).collect();
        let Some(place) = pick(waiting.len(), which) else { return };
        let (lane, id) = (waiting[place].lane.clone(), waiting[place].id);
        match self.lanes.cancel(&lane, id) {
            Cancel::InFlight => {
                let flying = self.flying.iter().any(|ticket| ticket.id == id);
                let landing = self.landing().any(|ticket| ticket.id == id);
                assert!(flying || landing, "{id} is not in flight");
            }
            Cancel::Taken => self.hold(lane, vec![id]),
            Cancel::Stored => {
                self.cancelled.insert(id);
                self.pending.push_back(Pending::Cancelled { lane, id });
            }
        }
    }

    /// Everything goes well from here on: how it ends.
    fn finish(&mut self) {
        self.lanes.hold(&destination(), false);
        let all = [
            Action::Feed { count: 255, lost: false },
            Action::Start,
            Action::End { keeps_place: false, ok: true, wait_s: 0, asked: false },
            Action::Record,
            Action::Ask,
            Action::Look { which: 0 },
            Action::Answer { which: 0 },
        ];
        let mut idle = 0;
        while !self.shelf.waiting.is_empty() || !self.pending.is_empty() {
            let starts = self.starts;
            all.iter().for_each(|action| self.act(action));
            idle = if self.starts == starts { idle + 1 } else { 0 };
            if self.flying.is_empty() && self.pending.is_empty() && self.reads.is_empty() {
                let wake = self.lanes.wake_at().unwrap_or(self.now).max(self.now);
                self.now = wake.plus(Duration::from_millis(1));
            }
            assert!(
                idle < 3000,
                "stuck with {:?}\nin {:?}\nreads {:?}",
                self.shelf.waiting.values().collect::<Vec<_>>(),
                self.lanes,
                self.reads
            );
        }
        while !self.flying.is_empty()
            || !self.pending.is_empty()
            || !self.reads.is_empty()
            || !self.feed.is_empty()
        {
            all.iter().for_each(|action| self.act(action));
        }
        assert_eq!((self.lanes.in_flight(), self.lanes.destinations[0].unrecorded()), (0, 0));
    }
}

fn pick(len: usize, which: u8) -> Option<usize> {
    usize::from(which).checked_rem(len)
}

proptest! {
    #[test]
    fn every_lane_keeps_its_order_and_nothing_is_lost_or_goes_twice(
        actions in proptest::collection::vec(action(), 1..120),
        concurrency in 1u32..6,
        latest in any::<bool>(),
    ) {
        let mut world = World::new(if latest { Backlog::Latest } else { Backlog::Keep }, concurrency);
        for action in &actions {
            world.act(action);
            world.check_nothing_is_lost();
        }
        world.finish();
    }
}
