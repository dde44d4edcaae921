//! A store in a temporary folder, one destination, and a deliverer with a script.
//!
//! An event is called by a name such as "a1"; its first letter is its lane.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use postroom_core::{
    delivery::DeliveryState,
    event::{Event, Facts, Kind},
    id::{DeliveryId, DestinationName, EventId, RouteName, SourceName},
    lane::{Backlog, LaneKey, LaneSettings, Ticket},
    outcome::{Outcome, OutcomeKind},
    retry::RetryPolicy,
    route::Target,
    time::Timestamp,
};
use postroom_host::{Delivered, PluginDelivery};
use postroom_store::{
    Accepted, DeliveryChange, DeliveryDetail, DeliveryFilter, DeliveryRecord, EventFilter, EventRecord,
    NewEvent, Options, Page, PageRequest, SqliteStore, Store, StoreError, WaitingCount,
};
use tokio::sync::{Notify, mpsc};

use crate::{Clock, CommitFeed, Deliver, Destination, DestinationLoad, Drained, Handle, Metrics};

const DESTINATION: &str = "d";

/// What to answer: by name a few scripted ends, then success.
#[derive(Debug, Default)]
pub(super) struct Scripted {
    first: HashMap<String, VecDeque<Delivered>>,
    never: HashSet<String>,
    holding: HashSet<String>,
    panics: HashSet<String>,
}

impl Scripted {
    /// The first attempts at `name` end like this.
    pub(super) fn first<const N: usize>(mut self, name: &str, ends: [Delivered; N]) -> Self {
        self.first.insert(name.to_owned(), ends.into());
        self
    }

    /// Attempts at `name` never end.
    pub(super) fn never(mut self, name: &str) -> Self {
        self.never.insert(name.to_owned());
        self
    }

    /// The first attempt at `name` panics.
    pub(super) fn panicking(mut self, name: &str) -> Self {
        self.panics.insert(name.to_owned());
        self
    }

    /// The first attempt at `name` ends only after [`Stage::release`].
    pub(super) fn holding(mut self, name: &str) -> Self {
        self.holding.insert(name.to_owned());
        self
    }
}

#[derive(Debug)]
struct Actor {
    script: Mutex<Scripted>,
    started: mpsc::UnboundedSender<String>,
    release: Arc<Notify>,
    store: Arc<Faulty>,
    records_at_start: Arc<Mutex<HashMap<String, usize>>>,
}

impl Deliver for Actor {
    fn deliver(&self, delivery: PluginDelivery) -> BoxFuture<'static, Delivered> {
        let name = String::from_utf8(delivery.body.to_vec()).unwrap().trim_end().to_owned();
        self.records_at_start.lock().unwrap().insert(name.clone(), self.store.records.load(Ordering::SeqCst));
        let mut script = self.script.lock().unwrap();
        let never = script.never.contains(&name);
        let holding = script.holding.remove(&name);
        let panics = script.panics.remove(&name);
        let end = script
            .first
            .get_mut(&name)
            .and_then(VecDeque::pop_front)
            .unwrap_or(Delivered::Outcome(Outcome::of(OutcomeKind::Delivered)));
        let release = Arc::clone(&self.release);
        self.started.send(name).unwrap();
        Box::pin(async move {
            assert!(!panics, "as the script says");
            if never {
                std::future::pending::<()>().await;
            }
            if holding {
                release.notified().await;
            }
            end
        })
    }
}

/// The real store, but for records that it is told to refuse.
#[derive(Debug)]
struct Faulty {
    store: SqliteStore,
    refuse: AtomicUsize,
    records: AtomicUsize,
}

impl Store for Faulty {
    fn accept(&self, event: NewEvent) -> BoxFuture<'_, Result<Accepted, StoreError>> {
        self.store.accept(event)
    }

    fn record(&self, changes: Vec<DeliveryChange>) -> BoxFuture<'_, Result<(), StoreError>> {
        let refused =
            self.refuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        Box::pin(async move {
            let recorded = if refused { Err(StoreError::Busy) } else { self.store.record(changes).await };
            self.records.fetch_add(1, Ordering::SeqCst);
            recorded
        })
    }

    fn waiting(
        &self,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Ticket>, StoreError>> {
        self.store.waiting(after, limit)
    }

    fn waiting_in_lane(
        &self,
        lane: LaneKey,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Ticket>, StoreError>> {
        self.store.waiting_in_lane(lane, after, limit)
    }

    fn waiting_counts(&self) -> BoxFuture<'_, Result<Vec<WaitingCount>, StoreError>> {
        self.store.waiting_counts()
    }

    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<EventRecord>, StoreError>> {
        self.store.event(id)
    }

    fn body(&self, id: EventId) -> BoxFuture<'_, Result<Option<Bytes>, StoreError>> {
        self.store.body(id)
    }

    fn events(
        &self,
        filter: EventFilter,
        page: PageRequest,
    ) -> BoxFuture<'_, Result<Page<EventRecord>, StoreError>> {
        self.store.events(filter, page)
    }

    fn deliveries(
        &self,
        filter: DeliveryFilter,
        page: PageRequest,
    ) -> BoxFuture<'_, Result<Page<DeliveryRecord>, StoreError>> {
        self.store.deliveries(filter, page)
    }

    fn delivery(&self, id: DeliveryId) -> BoxFuture<'_, Result<Option<DeliveryDetail>, StoreError>> {
        self.store.delivery(id)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.store.check()
    }
}

pub(super) struct Stage {
    folder: tempfile::TempDir,
    backlog: Backlog,
    store: Arc<Faulty>,
    feed: Option<CommitFeed>,
    actor: Option<Actor>,
    handle: Option<Handle>,
    started: mpsc::UnboundedReceiver<String>,
    release: Arc<Notify>,
    records_at_start: Arc<Mutex<HashMap<String, usize>>>,
    accepted: BTreeMap<String, DeliveryId>,
}

impl Stage {
    pub(super) async fn new(backlog: Backlog, script: Scripted) -> Self {
        let mut stage = Self::stopped(backlog, script).await;
        stage.start();
        stage
    }

    /// As [`Stage::new`], but the dispatcher does not run yet.
    pub(super) async fn stopped(backlog: Backlog, script: Scripted) -> Self {
        Self::open(tempfile::tempdir().unwrap(), backlog, script)
    }

    fn open(folder: tempfile::TempDir, backlog: Backlog, script: Scripted) -> Self {
        let (store, commits, newest) =
            SqliteStore::open(Options::new(folder.path().join("test.db"))).unwrap();
        let store = Arc::new(Faulty { store, refuse: AtomicUsize::new(0), records: AtomicUsize::new(0) });
        let (sender, started) = mpsc::unbounded_channel();
        let release = Arc::new(Notify::new());
        let records_at_start = Arc::default();
        let actor = Actor {
            script: Mutex::new(script),
            started: sender,
            release: Arc::clone(&release),
            store: Arc::clone(&store),
            records_at_start: Arc::clone(&records_at_start),
        };
        Self {
            folder,
            backlog,
            store,
            feed: Some(CommitFeed { commits, newest }),
            actor: Some(actor),
            handle: None,
            started,
            release,
            records_at_start,
            accepted: BTreeMap::new(),
        }
    }

    pub(super) fn start(&mut self) {
        let destination = Destination {
            name: DestinationName::new(DESTINATION),
            lanes: LaneSettings { concurrency: 8, backlog: self.backlog },
            retry: RetryPolicy::new(vec![Duration::from_millis(10); 3]),
            attempt_max: Duration::from_secs(60),
            deliver: Arc::new(self.actor.take().unwrap()),
        };
        self.handle = Some(crate::start(
            Arc::clone(&self.store) as Arc<dyn Store>,
            self.feed.take().unwrap(),
            vec![destination],
            Clock::system(),
            Metrics::default(),
        ));
    }

    /// Ends everything without a drain, as a crash would, and starts anew on the same folder.
    pub(super) async fn crash_and_restart(&mut self, script: Scripted) {
        self.handle().drain(Duration::ZERO).await;
        self.store.store.close().await;
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        let (backlog, accepted) = (self.backlog, std::mem::take(&mut self.accepted));
        let spare = tempfile::tempdir().unwrap();
        // The old store must be gone before the folder can be opened again.
        drop(std::mem::replace(self, Self::open(spare, backlog, Scripted::default())));
        *self = Self { accepted, ..Self::open(folder, backlog, script) };
        self.start();
    }

    pub(super) fn handle(&self) -> &Handle {
        self.handle.as_ref().unwrap()
    }

    pub(super) async fn accept(&mut self, name: &str) {
        self.accept_body(name, Bytes::copy_from_slice(name.as_bytes())).await;
    }

    /// As [`Stage::accept`], with a body so large that it is kept as a file.
    pub(super) async fn accept_large(&mut self, name: &str) {
        let blanks = " ".repeat(postroom_core::limits::INLINE_BODY_BYTES_MAX);
        self.accept_body(name, format!("{name}{blanks}").into()).await;
    }

    /// Removes every body that is kept as a file.
    pub(super) fn remove_files(&self) {
        std::fs::remove_dir_all(self.folder.path().join("test.db.blobs")).unwrap();
    }

    async fn accept_body(&mut self, name: &str, body: Bytes) {
        let event = Event {
            id: EventId::new(uuid::Uuid::now_v7()),
            received_at: Timestamp::from_unix_ms(1),
            source: SourceName::new("s"),
            kind: Kind::Unrecognized,
            subject: None,
            ordering_key: name[..1].into(),
            verdict: None,
            facts: Facts::default(),
            note: None,
            labels: BTreeMap::new(),
            content_type: None,
            body_bytes: body.len() as u64,
        };
        let target = Target { destination: DestinationName::new(DESTINATION), route: RouteName::new("r") };
        let new = NewEvent { event: Arc::new(event), body, targets: vec![target], explanations: Vec::new() };
        let accepted = self.store.accept(new).await.unwrap();
        self.accepted.insert(name.to_owned(), accepted.deliveries[0]);
    }

    /// The next `count` attempts, in the order in which they began.
    pub(super) async fn seen(&mut self, count: usize) -> Vec<String> {
        let mut seen = Vec::new();
        for _ in 0..count {
            let next = tokio::time::timeout(Duration::from_secs(30), self.started.recv()).await;
            seen.push(next.unwrap_or_else(|_| panic!("only {seen:?} began")).unwrap());
        }
        seen
    }

    /// Waits until the dispatcher has taken in everything that was accepted so far.
    pub(super) async fn all_taken_in(&self) {
        // The feed is read before questions are answered again and again: a question asked now is answered after
        // at least one look at the feed, and the feed holds what was committed before.
        for _ in 0..10 {
            self.handle().loads().await;
        }
    }

    pub(super) async fn load_when(&self, wanted: impl Fn(&DestinationLoad) -> bool) -> DestinationLoad {
        loop {
            let load = self.handle().loads().await.remove(DESTINATION).unwrap();
            if wanted(&load) {
                return load;
            }
            tokio::task::yield_now().await;
        }
    }

    pub(super) fn release(&self) {
        self.release.notify_one();
    }

    pub(super) fn refuse_records(&self, count: usize) {
        self.store.refuse.store(count, Ordering::SeqCst);
    }

    /// How many records had been tried when the attempt at `name` began.
    pub(super) fn records_when_started(&self, name: &str) -> Option<usize> {
        self.records_at_start.lock().unwrap().get(name).copied()
    }

    pub(super) async fn drain(&self) {
        assert_eq!(self.handle().drain(Duration::from_secs(30)).await, Drained::Complete);
    }

    pub(super) async fn attempts_of(&self, name: &str) -> (DeliveryState, u32) {
        let detail = self.store.delivery(self.accepted[name]).await.unwrap().unwrap();
        (detail.delivery.state, detail.delivery.attempts)
    }
}
