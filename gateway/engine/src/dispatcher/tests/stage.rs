//! A store, one destination, and a deliverer with a script.
//!
//! An event is called by a name such as "a1"; its first letter is its lane.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use postroom_core::{
    delivery::DeliveryState,
    id::DeliveryId,
    lane::{Backlog, LaneSettings},
    retry::RetryPolicy,
    schedule::Schedule,
};
use postroom_store::{DeliveryDetail, NewEvent, Store};
use tokio::sync::{Notify, Semaphore, mpsc};

use super::actor::{Actor, Scripted};
use crate::{
    Clock, CommitFeed, Destination, DestinationLoad, Drained, Handle, Intake, Metrics, Parts, Retention,
    Sources, Tracking,
    testing::{self, Memory, new_event},
};

pub(super) const DESTINATION: &str = "d";
/// Longer than any wait in these tests. Where the time is paused it costs nothing.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// How the destination is set up.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) backlog: Backlog,
    pub(super) retry: Vec<Duration>,
    pub(super) schedule: Option<Schedule>,
    pub(super) script: Scripted,
    pub(super) clock: Clock,
    /// Longest wait for something to happen.
    pub(super) patience: Duration,
}

impl Setup {
    pub(super) fn keep(script: Scripted) -> Self {
        Self {
            backlog: Backlog::Keep,
            retry: vec![Duration::from_secs(10); 3],
            schedule: None,
            script,
            clock: testing::clock(),
            patience: LONG,
        }
    }

    pub(super) fn latest(script: Scripted) -> Self {
        Self { backlog: Backlog::Latest, ..Self::keep(script) }
    }

    /// Starts on a store in memory. The test pauses the time.
    pub(super) fn start(self) -> Stage {
        let (memory, feed) = Memory::new(64);
        let mut stage = self.stopped(Arc::clone(&memory) as Arc<dyn Store>, feed);
        stage.memory = Some(memory);
        stage.start();
        stage
    }

    /// On any store; the engine does not run yet.
    pub(super) fn stopped(self, store: Arc<dyn Store>, feed: CommitFeed) -> Stage {
        let (sender, started) = mpsc::unbounded_channel();
        let (release, down) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let actor = Actor {
            script: Mutex::new(self.script),
            started: sender,
            release: Arc::clone(&release),
            down: Arc::clone(&down),
        };
        let destination = Destination {
            name: postroom_core::id::DestinationName::new(DESTINATION),
            lanes: LaneSettings { concurrency: 8, backlog: self.backlog, starts_per_second: None },
            schedule: self.schedule,
            retry: RetryPolicy::new(self.retry),
            attempt_max: Duration::from_secs(60),
            extend_max: Duration::from_secs(60),
            deliver: Arc::new(actor),
        };
        Stage {
            store,
            memory: None,
            feed: Some(feed),
            destination,
            clock: self.clock,
            patience: self.patience,
            handle: None,
            started,
            release,
            down,
            accepted: BTreeMap::new(),
        }
    }
}

pub(super) struct Stage {
    pub(super) store: Arc<dyn Store>,
    memory: Option<Arc<Memory>>,
    feed: Option<CommitFeed>,
    destination: Destination,
    clock: Clock,
    patience: Duration,
    handle: Option<Handle>,
    started: mpsc::UnboundedReceiver<String>,
    release: Arc<Notify>,
    down: Arc<AtomicBool>,
    accepted: BTreeMap<String, DeliveryId>,
}

impl Stage {
    pub(super) fn start(&mut self) {
        let store = Arc::clone(&self.store);
        let metrics = Metrics::default();
        let nobody = Sources::new([]);
        let intake = Intake::new(nobody, Vec::new(), Arc::clone(&store), self.clock.clone(), metrics.clone());
        self.handle = Some(crate::start(Parts {
            store,
            feed: self.feed.take().unwrap(),
            intake: Arc::new(intake),
            destinations: vec![self.destination.clone()],
            retention: Retention {
                events: None,
                dead_letters: None,
                size_bytes: None,
                marks: LONG,
                replays: LONG,
                history: None,
                audit: LONG,
            },
            tracking: Tracking::default(),
            clock: self.clock.clone(),
            metrics,
        }));
    }

    /// Ends everything without a drain, as a crash would, and starts anew on the same store, with the same script.
    pub(super) async fn crash_and_restart(&mut self) {
        self.handle().drain(Duration::ZERO).await;
        self.feed = Some(self.memory().feed(64));
        self.start();
    }

    /// The destination as it was set up.
    pub(super) fn destination(&self) -> Destination {
        self.destination.clone()
    }

    pub(super) fn handle(&self) -> &Handle {
        self.handle.as_ref().unwrap()
    }

    pub(super) fn memory(&self) -> &Memory {
        self.memory.as_ref().unwrap()
    }

    pub(super) async fn accept(&mut self, names: &[&str]) {
        for name in names {
            self.accept_event(name, new_event(DESTINATION, (*name).to_owned())).await;
        }
    }

    /// As [`Stage::accept`], with a body so large that it is kept as a file.
    pub(super) async fn accept_large(&mut self, name: &str) {
        let blanks = " ".repeat(postroom_core::limits::INLINE_BODY_BYTES_MAX);
        self.accept_event(name, new_event(DESTINATION, format!("{name}{blanks}"))).await;
    }

    async fn accept_event(&mut self, name: &str, new: NewEvent) {
        let accepted = self.store.accept(new).await.unwrap();
        self.accepted.insert(name.to_owned(), accepted.deliveries[0]);
    }

    pub(super) fn id(&self, name: &str) -> DeliveryId {
        self.accepted[name]
    }

    /// The next `count` attempts, in the order in which they began.
    pub(super) async fn seen(&mut self, count: usize) -> Vec<String> {
        let mut seen = Vec::new();
        for _ in 0..count {
            let next = tokio::time::timeout(self.patience, self.started.recv()).await;
            seen.push(next.unwrap_or_else(|_| panic!("only {seen:?} began")).unwrap());
        }
        seen
    }

    /// Attempts that began and were not asked for.
    pub(super) fn seen_so_far(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.started.try_recv().ok()).collect()
    }

    /// Waits until the dispatcher has taken in everything that was accepted so far.
    pub(super) async fn all_taken_in(&self) {
        // The feed is read before questions are answered again and again: a question asked now is answered after
        // at least one look at the feed, and the feed holds what was committed before.
        for _ in 0..10 {
            self.handle().loads().await;
        }
    }

    pub(super) async fn load(&self) -> DestinationLoad {
        self.handle().loads().await.remove(DESTINATION).unwrap()
    }

    pub(super) async fn load_when(&self, wanted: impl Fn(&DestinationLoad) -> bool) -> DestinationLoad {
        loop {
            let load = self.load().await;
            if wanted(&load) {
                return load;
            }
            tokio::task::yield_now().await;
        }
    }

    /// From here on outcomes come on disk, and the dispatcher does not hear of it.
    pub(super) fn hold_records(&self) {
        let recorded = &self.memory().recorded;
        recorded.forget_permits(recorded.available_permits());
    }

    pub(super) fn release_records(&self) {
        self.memory().recorded.add_permits(Semaphore::MAX_PERMITS);
    }

    /// The next `count` records are refused.
    pub(super) fn refuse_records(&self, count: usize) {
        self.memory().refuse_records.store(count, Ordering::SeqCst);
    }

    /// Records that were tried.
    pub(super) fn records(&self) -> usize {
        self.memory().records.load(Ordering::SeqCst)
    }

    pub(super) async fn records_tried(&self, count: usize) {
        while self.records() < count {
            tokio::task::yield_now().await;
        }
    }

    /// Ends one attempt that is held.
    pub(super) fn release(&self) {
        self.release.notify_one();
    }

    /// The remote side goes away or comes back.
    pub(super) fn down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    pub(super) async fn drain(&self) {
        assert_eq!(self.handle().drain(Duration::from_secs(30)).await, Drained::Complete);
    }

    pub(super) async fn delivery(&self, id: DeliveryId) -> DeliveryDetail {
        self.store.delivery(id).await.unwrap().unwrap()
    }

    /// Where an event's first delivery stands, and how many attempts were counted.
    pub(super) async fn state_of(&self, name: &str) -> (DeliveryState, u32) {
        let detail = self.delivery(self.accepted[name]).await;
        (detail.delivery.state, detail.delivery.attempts)
    }

    /// Waits until an event's first delivery stands there.
    pub(super) async fn until(&self, name: &str, state: DeliveryState) {
        let wait = async {
            while self.state_of(name).await.0 != state {
                tokio::time::sleep(self.patience / 10_000).await;
            }
        };
        let waited = tokio::time::timeout(self.patience, wait).await;
        assert!(waited.is_ok(), "{name} does not become {state}: {:?}", self.state_of(name).await);
    }
}
