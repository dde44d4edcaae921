use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

use futures_util::FutureExt as _;
use postroom_openapi::{
    port::{Reader as _, Step, Told},
    stream::{About, Change, Topic, Topics, Wanted},
};
use postroom_store::StoreError;
use proptest::{prelude::*, test_runner::TestCaseError};

use super::{
    super::{
        journal::{Bounds, Journal, Marks},
        log::{Log, Part},
    },
    Reader,
};

/// Events by their numbers; the oldest may be gone.
#[derive(Debug, Clone, Default)]
struct Events(Arc<(AtomicI64, Mutex<i64>)>);

impl Events {
    fn accept(&self) -> i64 {
        self.0.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn prune(&self) {
        *self.0.1.lock().unwrap() = self.end();
    }
}

impl Log for Events {
    async fn after(&self, position: i64, limit: usize) -> Result<Part, StoreError> {
        let (end, gone) = (self.end(), *self.0.1.lock().unwrap());
        let last = end.min(position + limit as i64);
        let there = (position + 1..=last).filter(|number| *number > gone);
        let events: Vec<_> = there.map(|number| (number, change(Topic::Events, number))).collect();
        Ok(Part { missing: last.abs_diff(position) - events.len() as u64, events, last })
    }

    async fn id(&self, number: i64) -> Result<Option<String>, StoreError> {
        Ok((number > *self.0.1.lock().unwrap()).then(|| number.to_string()))
    }

    fn end(&self) -> i64 {
        self.0.0.load(Ordering::SeqCst)
    }
}

/// The number stands for the thing.
fn change(topic: Topic, number: i64) -> Change {
    Change { about: About::of(topic), data: number.to_string().into() }
}

/// A gateway that is started again now and then.
struct World {
    events: Events,
    /// Changes of deliveries so far, and of those the ones that were told.
    states: (i64, i64),
    life: i64,
    journal: Arc<Journal>,
    awake: bool,
}

const BOUNDS: Bounds = Bounds { readers: 4, of_one_key: 4, entries: 8, bytes: usize::MAX };

impl World {
    fn new() -> Self {
        let events = Events::default();
        Self { events, states: (0, 0), life: 1, journal: Arc::new(Journal::new(1, BOUNDS)), awake: false }
    }

    fn restart(&mut self) {
        self.life += 1;
        self.journal = Arc::new(Journal::new(self.life, BOUNDS));
        // Nobody remembers what changed.
        (self.states.1, self.awake) = (self.states.0, false);
    }

    fn sleep(&mut self) {
        self.awake &= !self.journal.sleep(|| ());
    }

    fn follow(&mut self, wanted: Wanted, after: Option<&str>) -> Reader<Events> {
        let place = self.journal.place("me").unwrap();
        let (events, states) = (self.events.end(), self.states.0);
        self.journal.wake(|| {
            (self.states.1, self.awake) = (states, true);
            Marks { event: events, delivery: 0 }
        });
        Reader::begin(Arc::clone(&self.journal), place, self.events.clone(), wanted, after)
    }

    /// Tells at most so many of what happened.
    fn turn(&mut self, most: i64) {
        if !self.awake {
            return;
        }
        let told = self.journal.now().event;
        for number in told + 1..=self.events.end().min(told + most) {
            self.journal.event(number, change(Topic::Events, number));
        }
        for number in self.states.1 + 1..=self.states.0 {
            self.journal.changed(change(Topic::Deliveries, number));
        }
        self.states.1 = self.states.0;
        self.journal.tell();
    }

    fn leave_out(&mut self) {
        if !self.awake {
            return;
        }
        self.journal.missed(Topics::ALL, "much", self.events.end());
        self.states.1 = self.states.0;
        self.journal.tell();
    }
}

/// What one reader saw, over all its connections.
struct Seen {
    wanted: Wanted,
    reader: Option<Reader<Events>>,
    position: Option<String>,
    /// The last number of each topic that it knows: it was told, or told that it missed some up to there.
    events: Option<i64>,
    states: Option<i64>,
}

impl Seen {
    fn connect(&mut self, world: &mut World) {
        if self.reader.is_some() {
            return;
        }
        let reader = world.follow(self.wanted.clone(), self.position.as_deref());
        if self.position.is_none() {
            // From now on.
            (self.events, self.states) = (Some(world.journal.now().event), Some(world.states.1));
        }
        self.position = reader.position().or(self.position.take());
        self.reader = Some(reader);
    }

    /// Reads once. Says whether there was something.
    fn read(&mut self) -> Result<bool, TestCaseError> {
        let Some(reader) = &mut self.reader else { return Ok(false) };
        let Some(step) = reader.next().now_or_never() else { return Ok(false) };
        let Some(Step::Told(told)) = step else { return Err(TestCaseError::fail(format!("{step:?}"))) };
        for told in told {
            match told {
                Told::Change { position, change } => {
                    self.position = Some(position);
                    let number: i64 = std::str::from_utf8(&change.data).unwrap().parse().unwrap();
                    let is_event = change.about.topic == Topic::Events;
                    let last = if is_event { &mut self.events } else { &mut self.states };
                    prop_assert!(self.wanted.takes(&change.about));
                    // After a resync, anywhere further on.
                    prop_assert!(
                        last.is_none_or(|last| number == last + 1),
                        "{number} after {last:?}, {change:?}"
                    );
                    *last = Some(number);
                }
                Told::Resync { position, topics, after_event, .. } => {
                    self.position = Some(position);
                    prop_assert_eq!(topics.and(self.wanted.topics), topics);
                    prop_assert!(!topics.is_empty());
                    if topics.has(Topic::Events) {
                        let after: Option<i64> = after_event.map(|id| id.parse().unwrap());
                        prop_assert!(after.is_none_or(|after| self.events.is_none_or(|last| after == last)));
                        self.events = None;
                    }
                    if topics.has(Topic::Deliveries) {
                        self.states = None;
                    }
                }
            }
        }
        Ok(true)
    }
}

#[derive(Debug, Clone)]
enum Happens {
    Accept,
    Change,
    Turn(i64),
    LeaveOut,
    Prune,
    Restart,
    Sleep,
    Read(usize),
    CutOff(usize),
    Connect(usize),
}

fn step() -> impl Strategy<Value = Happens> {
    let who = 0..3_usize;
    prop_oneof![
        6 => Just(Happens::Accept),
        4 => Just(Happens::Change),
        6 => (1..6_i64).prop_map(Happens::Turn),
        1 => Just(Happens::LeaveOut),
        1 => Just(Happens::Prune),
        1 => Just(Happens::Restart),
        2 => Just(Happens::Sleep),
        8 => who.clone().prop_map(Happens::Read),
        2 => who.clone().prop_map(Happens::CutOff),
        4 => who.prop_map(Happens::Connect),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// However commits, turns, slow readers, cuts and restarts follow each other: a reader is told every change of what it
    /// wants in order and once, or that it missed some.
    #[test]
    fn nothing_is_missed_unsaid_and_nothing_is_told_twice(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        let wants = [Topics::ALL, Topics::of(&[Topic::Events]), Topics::of(&[Topic::Deliveries])];
        let mut seen = wants.map(|topics| Seen {
            wanted: Wanted { topics, ..Wanted::default() },
            reader: None,
            position: None,
            events: None,
            states: None,
        });
        for step in steps {
            match step {
                Happens::Accept => drop(world.events.accept()),
                Happens::Change => world.states.0 += 1,
                Happens::Turn(most) => world.turn(most),
                Happens::LeaveOut => world.leave_out(),
                Happens::Prune => world.events.prune(),
                Happens::Restart => {
                    seen.iter_mut().for_each(|seen| seen.reader = None);
                    world.restart();
                }
                Happens::Sleep => world.sleep(),
                Happens::Read(who) => drop(seen[who].read()?),
                Happens::CutOff(who) => seen[who].reader = None,
                Happens::Connect(who) => seen[who].connect(&mut world),
            }
        }
        // Whoever reads on gets to the end of all.
        seen.iter_mut().for_each(|seen| seen.connect(&mut world));
        world.turn(i64::MAX / 2);
        for seen in &mut seen {
            while seen.read()? {}
            if seen.wanted.topics.has(Topic::Events) {
                prop_assert!(seen.events.is_none_or(|last| last == world.events.end()), "{:?}", seen.events);
            }
            if seen.wanted.topics.has(Topic::Deliveries) {
                prop_assert!(seen.states.is_none_or(|last| last == world.states.0), "{:?}", seen.states);
            }
        }
    }
}
