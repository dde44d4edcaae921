//! One task that owns every lane. Everything that can happen to it is an [`Input`].
//!
//! It works in turns: take what has happened, decide, put what must be durable into one write, start what may start.
//! Under load a turn takes in many ends of attempts at once, so that the store and the wake-ups are paid for once.

mod answer;
mod arrive;
mod begin;
mod cancel;
mod change;
mod cold;
mod flight;
mod hours;
mod input;
mod log;
mod pauses;
mod record;
mod settle;
mod troubles;
mod warm;
mod wishes;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use postroom_core::{id::DestinationName, lane::Lanes, time::Timestamp};
use postroom_store::Store;
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

pub(crate) use self::input::{Answer, CancelWish, PauseWish, Question};
use self::{
    flight::Flights,
    hours::Hours,
    input::{Done, Input},
    log::{Log, Thinned},
    pauses::Pauses,
    record::Records,
    troubles::Troubles,
    warm::WarmBodies,
    wishes::Wishes,
};
use crate::{
    Changed, Clock, Destination, Drained, Metrics,
    clock::Steady,
    feed::{CommitFeed, Feed},
};

/// The shortest sleep: the resolution of timers.
const NAP_MIN: Duration = Duration::from_millis(1);
/// The longest sleep: nothing rests on one timer alone.
const NAP_MAX: Duration = Duration::from_secs(30);
/// Most ends of tasks that one turn takes in.
const TURN_ENDS_MAX: usize = 256;
/// Most commits that one turn takes in.
const TURN_ARRIVALS_MAX: usize = 16;

pub(crate) struct Dispatcher {
    store: Arc<dyn Store>,
    clock: Clock,
    /// What lanes wait by.
    steady: Steady,
    metrics: Metrics,
    destinations: BTreeMap<DestinationName, Arc<Destination>>,
    /// Of those, the ones that are no longer configured.
    removed: BTreeSet<DestinationName>,
    lanes: Lanes,
    feed: Feed,
    warm: WarmBodies,
    flights: Flights,
    /// Events are being read whose deliveries have not started.
    reading_ahead: bool,
    records: Records,
    wishes: Wishes,
    pauses: Pauses,
    hours: Hours,
    troubles: Troubles,
    log: Log,
    /// Told of every change that is on disk.
    changed: Changed,
    /// Lines about a store that fails: thousands of lanes may be reading when it does.
    store_log: Thinned,
    /// Questions from outside.
    questions: mpsc::UnboundedReceiver<Question>,
    /// Attempts, reads and writes under way. They end with the dispatcher.
    tasks: JoinSet<Done>,
    /// Writes to the store under way.
    writing: usize,
    stop: CancellationToken,
    stopping: bool,
}

impl Dispatcher {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        feed: CommitFeed,
        destinations: Vec<Destination>,
        clock: Clock,
        metrics: Metrics,
        questions: mpsc::UnboundedReceiver<Question>,
        stop: CancellationToken,
    ) -> Self {
        let warm = WarmBodies::of(&destinations);
        let steady = Steady::start(&clock);
        let mut lanes = Lanes::for_destinations(destinations.len());
        for destination in &destinations {
            lanes.open(destination.name.clone(), destination.lanes);
        }
        Self {
            store,
            steady,
            clock,
            metrics,
            hours: Hours::of(&destinations),
            destinations: destinations.into_iter().map(|it| (it.name.clone(), Arc::new(it))).collect(),
            removed: BTreeSet::new(),
            lanes,
            feed: Feed::new(feed),
            warm,
            flights: Flights::new(),
            reading_ahead: false,
            records: Records::default(),
            wishes: Wishes::default(),
            pauses: Pauses::default(),
            troubles: Troubles::default(),
            log: Log::new(steady),
            changed: Changed::default(),
            store_log: Thinned::new("failures of the store", steady),
            questions,
            tasks: JoinSet::new(),
            writing: 0,
            stop,
            stopping: false,
        }
    }

    /// Tells this of the changes.
    pub(crate) fn telling(self, changed: Changed) -> Self {
        Self { changed, ..self }
    }

    /// Runs until it is told to stop and nothing is in flight any more, or until a fault, which leaves that undone.
    pub(crate) async fn run(mut self) -> Drained {
        self.begin();
        loop {
            self.write_records();
            self.keep_hours();
            self.start_ready();
            self.read_more();
            if self.stopping && self.lanes.in_flight() == 0 && self.writing == 0 {
                return Drained::Complete;
            }
            let input = self.next_input().await;
            if let Err(error) = self.take_in(input) {
                tracing::error!(%error, "a task of the dispatcher ended by a fault, the dispatcher ends with it");
                return Drained::Incomplete;
            }
        }
    }

    async fn next_input(&mut self) -> Input {
        let wake = self.wake();
        tokio::select! {
            biased;
            () = self.stop.cancelled(), if !self.stopping => Input::Stop,
            // Before the tasks: under load there is always one that has ended.
            Some(question) = self.questions.recv() => Input::Asked(question),
            Some(ended) = self.tasks.join_next() => Input::Ended(ended),
            arrival = self.feed.next(), if !self.stopping => Input::Arrived(arrival),
            () = tokio::time::sleep_until(wake), if !self.stopping => Input::Tick,
        }
    }

    /// Takes in what has happened, and what else has happened meanwhile. Ends of tasks and arrivals both get their share:
    /// under load there is always more of either.
    ///
    /// # Errors
    /// A task ended by a fault. Which lane it stood for is not known, so that lane would never go on.
    fn take_in(&mut self, input: Input) -> Result<(), JoinError> {
        match input {
            Input::Arrived(arrival) => self.arrived(arrival),
            Input::Asked(question) => self.asked(question),
            Input::Ended(ended) => self.done(ended?),
            Input::Tick => {}
            Input::Stop => self.stopping = true,
        }
        for _ in 0..TURN_ENDS_MAX {
            let Some(ended) = self.tasks.try_join_next() else { break };
            self.done(ended?);
        }
        for _ in 0..TURN_ARRIVALS_MAX {
            match self.feed.try_next() {
                Some(arrival) if !self.stopping => self.arrived(arrival),
                _ => break,
            }
        }
        Ok(())
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Loaded(loaded) => self.loaded(loaded),
            Done::Attempted(attempted) => self.attempted(attempted),
            Done::Recorded { ids, follows } => self.recorded(&ids, follows),
            Done::Read { read, tickets } => self.answered(&read, tickets),
            Done::Waiting(counts) => self.tell_waiting(&counts),
            Done::PausesRead(pauses) => self.pauses_read(pauses),
            Done::PauseKept { wish, kept } => self.pause_kept(wish, kept),
            Done::LookedAt { cancel, found } => self.looked_at(cancel, found),
        }
    }

    /// A moment that lanes wait for, as people and the store know it.
    fn by_the_wall(&self, at: Timestamp) -> Timestamp {
        self.clock.now().plus(self.steady.now().until(at))
    }

    /// A moment of the wall clock, as lanes wait for it.
    fn by_the_steady(&self, at: Timestamp) -> Timestamp {
        self.steady.now().plus(self.clock.now().until(at))
    }

    fn wake(&self) -> Instant {
        let now = Instant::now();
        let due = self.lanes.wake_at().filter(|_| self.pauses.are_known());
        // Whatever was ready has just been started, so a moment that has passed can wait for the next one.
        let nap = due.map_or(NAP_MAX, |at| self.steady.now().until(at).clamp(NAP_MIN, NAP_MAX));
        self.hours.next().into_iter().fold(now + nap, Instant::min)
    }
}

#[cfg(test)]
mod tests;
