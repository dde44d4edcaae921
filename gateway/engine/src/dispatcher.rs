//! One task that owns every lane. Everything that can happen to it is an [`Input`].

mod arrive;
mod settle;
mod troubles;
mod warm;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use postroom_core::{
    id::{DeliveryId, DestinationName},
    lane::{LaneKey, Lanes, Next, Refill, Ticket},
    time::Timestamp,
};
use postroom_host::Delivered;
use postroom_store::Store;
use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinError, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use self::{troubles::Troubles, warm::WarmBodies};
use crate::{
    Clock, Destination, DestinationLoad, Handle, Metrics, attempt,
    clock::Steady,
    feed::{Arrival, CommitFeed, Feed},
};

/// The longest sleep: nothing rests on one timer alone.
const NAP_MAX: Duration = Duration::from_secs(30);
/// The wait before the store is read again after it could not be.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// Everything that can happen to the dispatcher.
#[derive(Debug)]
pub(crate) enum Input {
    /// The store has committed deliveries.
    Arrived(Arrival),
    /// An attempt ended.
    Ended { ticket: Ticket, started_at: Timestamp, seconds: f64, delivered: Delivered },
    /// What became of a delivery is on disk.
    Recorded { lane: LaneKey, id: DeliveryId, next: Next },
    /// The deliveries that a newer one superseded are on disk as such.
    Superseded { lane: LaneKey },
    /// The store has answered a lane's wish for more.
    Refilled { refill: Refill, tickets: Vec<Ticket> },
    /// Someone asks how busy the destinations are.
    Loads(oneshot::Sender<BTreeMap<DestinationName, DestinationLoad>>),
    /// A waiting time is over.
    Tick,
    /// A task ended by a fault: which lane it stood for is not known.
    Fault(JoinError),
    /// Start nothing more, and end when nothing is in flight.
    Stop,
}

pub(crate) struct Dispatcher {
    store: Arc<dyn Store>,
    clock: Clock,
    /// What lanes wait by.
    steady: Steady,
    metrics: Metrics,
    destinations: HashMap<DestinationName, Destination>,
    lanes: Lanes,
    feed: Feed,
    warm: WarmBodies,
    troubles: Troubles,
    /// Destinations of waiting deliveries that are not configured; each is told once.
    unknown: HashSet<DestinationName>,
    /// Questions from outside.
    questions: mpsc::UnboundedReceiver<Input>,
    /// Attempts, records and refills under way; each ends with one input. They end with the dispatcher.
    tasks: JoinSet<Input>,
    /// Writes to the store that no delivery in flight stands for.
    recording: usize,
    stop: CancellationToken,
    stopping: bool,
}

pub(crate) fn spawn(
    store: Arc<dyn Store>,
    feed: CommitFeed,
    destinations: Vec<Destination>,
    clock: Clock,
    metrics: Metrics,
) -> Handle {
    let (sender, questions) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let mut lanes = Lanes::default();
    for destination in &destinations {
        lanes.open(destination.name.clone(), destination.lanes);
    }
    let dispatcher = Dispatcher {
        store,
        steady: Steady::start(&clock),
        clock,
        metrics,
        destinations: destinations.into_iter().map(|it| (it.name.clone(), it)).collect(),
        lanes,
        feed: Feed::new(feed),
        warm: WarmBodies::default(),
        troubles: Troubles::default(),
        unknown: HashSet::new(),
        questions,
        tasks: JoinSet::new(),
        recording: 0,
        stop: stop.clone(),
        stopping: false,
    };
    let task = tokio::spawn(dispatcher.run());
    Handle::new(sender, stop, task)
}

impl Dispatcher {
    async fn run(mut self) {
        let deliveries = self.read_waiting().await;
        if deliveries > 0 {
            tracing::info!(deliveries, "waiting deliveries read from the store");
        }
        loop {
            self.start_ready();
            self.ask_for_refills();
            if self.stopping && self.lanes.in_flight() == 0 && self.recording == 0 {
                break;
            }
            match self.next_input().await {
                Input::Fault(error) => {
                    tracing::error!(%error, "a task of the dispatcher ended by a fault, the dispatcher ends with it");
                    break;
                }
                input => self.handle(input).await,
            }
        }
    }

    async fn next_input(&mut self) -> Input {
        let wake = self.wake();
        tokio::select! {
            biased;
            () = self.stop.cancelled(), if !self.stopping => Input::Stop,
            // Before the tasks: under load there is always one that has ended.
            Some(question) = self.questions.recv() => question,
            Some(ended) = self.tasks.join_next() => ended.unwrap_or_else(Input::Fault),
            arrival = self.feed.next(), if !self.stopping => Input::Arrived(arrival),
            () = tokio::time::sleep_until(wake), if !self.stopping => Input::Tick,
        }
    }

    fn wake(&self) -> Instant {
        let nap = self.lanes.wake_at().map_or(NAP_MAX, |at| self.steady.now().until(at).min(NAP_MAX));
        Instant::now() + nap
    }

    async fn handle(&mut self, input: Input) {
        match input {
            Input::Arrived(Arrival::Fresh(deliveries)) => {
                for fresh in deliveries {
                    self.take_in(fresh.ticket, Some((fresh.event, fresh.body)));
                }
            }
            Input::Arrived(Arrival::Gap) => {
                // Under load the feed overflows now and then: nothing to tell people about.
                let deliveries = self.read_waiting().await;
                tracing::debug!(deliveries, "caught up with the store after a gap in the feed");
            }
            Input::Ended { ticket, started_at, seconds, delivered } => {
                self.ended(ticket, started_at, seconds, delivered);
            }
            Input::Recorded { lane, id, next } => self.lanes.settle(&lane, id, next),
            Input::Superseded { lane } => {
                self.recording -= 1;
                self.lanes.release(&lane);
            }
            Input::Refilled { refill, mut tickets } => {
                for ticket in &mut tickets {
                    ticket.due = self.due_by_lanes(ticket);
                }
                let added = self.lanes.refill(&refill, tickets);
                self.added(added, &refill.lane);
            }
            Input::Loads(answer) => {
                // Whoever asked may have gone.
                let _unsent = answer.send(self.loads());
            }
            Input::Tick | Input::Fault(_) => {}
            Input::Stop => self.stopping = true,
        }
    }

    fn start_ready(&mut self) {
        if self.stopping {
            return;
        }
        let started_at = self.clock.now();
        while let Some(ticket) = self.lanes.start(self.steady.now()) {
            // Lanes are opened for exactly these destinations.
            let Some(destination) = self.destinations.get(&ticket.lane.destination).cloned() else {
                continue;
            };
            let warm = self.warm.take(ticket.id);
            let (store, clock) = (Arc::clone(&self.store), self.clock.clone());
            self.tasks.spawn(async move {
                let begun = Instant::now();
                let delivered = attempt::run(store, clock, destination, ticket.clone(), warm).await;
                Input::Ended { ticket, started_at, seconds: begun.elapsed().as_secs_f64(), delivered }
            });
        }
    }

    /// A moment that lanes wait for, as people and the store know it.
    fn by_the_wall(&self, at: Timestamp) -> Timestamp {
        self.clock.now().plus(self.steady.now().until(at))
    }

    fn loads(&self) -> BTreeMap<DestinationName, DestinationLoad> {
        let load = |name: &DestinationName| {
            let load = self.lanes.load(name)?;
            let paused_until = load.paused_until.map(|until| self.by_the_wall(until));
            let trouble = self.troubles.of(name).cloned();
            Some((name.clone(), DestinationLoad { in_flight: load.in_flight, paused_until, trouble }))
        };
        self.destinations.keys().filter_map(load).collect()
    }
}

#[cfg(test)]
mod tests;
