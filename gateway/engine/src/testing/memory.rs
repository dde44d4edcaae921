//! A store in memory, for tests that pause the time: it answers at once, and fails when it is told to.

mod access;
mod replays;
mod state;
mod store;
mod tracked;

use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use postroom_core::{
    id::{DeliveryId, EventId},
    lane::Ticket,
};
use postroom_store::{Committed, DeliveryRecord, FreshDelivery, StoreError};
use tokio::sync::{Semaphore, mpsc, watch};

pub(crate) use self::state::State;
use self::state::ticket;
use crate::CommitFeed;

#[derive(Debug)]
pub(crate) struct Memory {
    state: Mutex<State>,
    commits: Mutex<mpsc::Sender<Committed>>,
    newest: watch::Sender<Option<DeliveryId>>,
    /// Records that are refused before one is kept again.
    pub(crate) refuse_records: AtomicUsize,
    /// Records that were tried.
    pub(crate) records: AtomicUsize,
    /// Events that were read.
    pub(crate) event_reads: AtomicUsize,
    /// The number of the newest event.
    log_end: watch::Sender<i64>,
    /// Tracks that are kept and refused all the same, before one is answered rightly.
    pub(crate) doubtful_tracks: AtomicUsize,
    /// Nothing but accepting events works.
    pub(crate) fails: AtomicBool,
    /// Reads of waiting deliveries take a permit from here before they answer with what they have found.
    pub(crate) reads: Semaphore,
    /// Reads of events take a permit from here before they answer with what they have found.
    pub(crate) loads: Semaphore,
    /// Records take a permit from here when they are on disk, before they say so.
    pub(crate) recorded: Semaphore,
}

impl Memory {
    /// A store and its feed, which holds so many commits.
    pub(crate) fn new(feed_commits_max: usize) -> (Arc<Self>, CommitFeed) {
        let store = Self {
            state: Mutex::default(),
            commits: Mutex::new(mpsc::channel(1).0),
            newest: watch::Sender::new(None),
            refuse_records: AtomicUsize::new(0),
            records: AtomicUsize::new(0),
            event_reads: AtomicUsize::new(0),
            log_end: watch::Sender::new(0),
            doubtful_tracks: AtomicUsize::new(0),
            fails: AtomicBool::new(false),
            reads: Semaphore::new(Semaphore::MAX_PERMITS),
            loads: Semaphore::new(Semaphore::MAX_PERMITS),
            recorded: Semaphore::new(Semaphore::MAX_PERMITS),
        };
        let feed = store.feed(feed_commits_max);
        (Arc::new(store), feed)
    }

    /// A feed in place of the one before.
    pub(crate) fn feed(&self, commits_max: usize) -> CommitFeed {
        let (commits, receiver) = mpsc::channel(commits_max);
        *self.commits.lock().unwrap() = commits;
        CommitFeed { commits: receiver, newest: self.newest.subscribe() }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn works(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        if self.fails.load(Ordering::SeqCst) { Err(StoreError::Busy) } else { Ok(self.state()) }
    }

    /// The bodies of all deliveries of a lane, in the order of their ids.
    pub(crate) fn lane(&self, lane: &str) -> Vec<String> {
        let state = self.state();
        let of_lane = state.deliveries.values().filter(|(delivery, _)| &*delivery.lane == lane);
        let body = |event: &EventId| String::from_utf8_lossy(&state.events[event].1).into_owned();
        of_lane.map(|(delivery, _)| body(&delivery.event)).collect()
    }

    fn publish(&self, deliveries: Vec<FreshDelivery>) {
        let (Some(first), Some(last)) = (deliveries.first(), deliveries.last()) else { return };
        let (first, last) = (first.ticket.id, last.ticket.id);
        drop(self.commits.lock().unwrap().try_send(Committed { first, last, deliveries }));
        self.newest.send_replace(Some(last));
    }

    async fn waiting_where(
        &self,
        after: Option<DeliveryId>,
        limit: usize,
        wanted: impl Fn(&DeliveryRecord) -> bool + Send,
    ) -> Result<Vec<Ticket>, StoreError> {
        let tickets = {
            let state = self.works()?;
            let waiting = state.deliveries.values().map(|(delivery, _)| delivery).filter(|delivery| {
                Some(delivery.id) > after && !delivery.state.is_final() && wanted(delivery)
            });
            let waiting = waiting.filter(|delivery| !state.is_damaged(delivery.id));
            waiting.take(limit).map(ticket).collect()
        };
        drop(self.reads.acquire().await);
        Ok(tickets)
    }
}
