//! What has happened lately, in order, for all readers together.
//!
//! It holds each change once, however many read it, and drops the oldest when it is full. So what it takes in memory depends
//! on neither the number of readers nor how slow they are.

use std::{
    collections::VecDeque,
    ops::ControlFlow,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use postroom_openapi::{
    port::FollowError,
    stream::{Change, Topics},
};
use tokio::sync::{Notify, watch};

use super::{
    Stopping,
    places::{Place, Places},
};

/// What it may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Readers at once.
    pub(super) readers: usize,
    /// Of them with one key.
    pub(super) of_one_key: usize,
    pub(super) entries: usize,
    pub(super) bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { readers: 1, of_one_key: 1, entries: 8 * 1024, bytes: 8 * 1024 * 1024 }
    }
}

/// The changes that were told lately.
#[derive(Debug)]
pub(crate) struct Journal {
    life: i64,
    bounds: Bounds,
    ring: RwLock<Ring>,
    places: Arc<Places>,
    /// The number of the newest entry, told when a turn is over.
    newest: watch::Sender<u64>,
    keys: watch::Sender<()>,
    woken: Notify,
    stopping: Stopping,
    /// Nobody writes it any more, though the gateway goes on.
    failed: AtomicBool,
}

#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<Entry>,
    /// The number of the first entry that it holds, or will.
    first: u64,
    bytes: usize,
    /// The last event before the first entry, and before the next one.
    events: (i64, i64),
    /// The last delivery that was there when it was woken.
    delivery: i64,
    awake: bool,
}

/// What was told.
#[derive(Debug)]
pub(super) struct Entry {
    /// The last event that was told with it.
    pub(super) event: i64,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// Something changed.
    Changed(Change),
    /// More has changed than is told.
    Missed { topics: Topics, reason: &'static str },
}

/// The newest of what there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    /// The number of the newest event.
    pub(super) event: i64,
    /// The newest delivery; 0 before the first.
    pub(super) delivery: i64,
}

/// Where the journal is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// The newest entry.
    pub(super) entry: u64,
    /// The last event that was told.
    pub(super) event: i64,
}

/// What a reader wants is not there any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost;

impl Journal {
    pub(super) fn new(life: i64, bounds: Bounds) -> Self {
        Self {
            life,
            bounds,
            ring: RwLock::new(Ring { first: 1, ..Ring::default() }),
            places: Arc::new(Places::new(bounds.readers, bounds.of_one_key)),
            newest: watch::Sender::new(0),
            keys: watch::Sender::new(()),
            woken: Notify::new(),
            stopping: Stopping::new(),
            failed: AtomicBool::new(false),
        }
    }

    pub(super) const fn life(&self) -> i64 {
        self.life
    }

    pub(super) const fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    /// Whoever wrote it does not any more. Readers must not take that for silence, so it ends for all of them.
    pub(super) fn is_left(&self) {
        if !self.stopping.is_cancelled() {
            tracing::error!(
                "what happens is no longer told: a fault ended it, and a restart of the gateway begins it again"
            );
            self.failed.store(true, Ordering::Release);
        }
        self.stopping.cancel();
    }

    /// Why nobody can follow any more, if so.
    pub(super) fn ended(&self) -> Option<FollowError> {
        let is_over = self.stopping.is_cancelled();
        let why =
            if self.failed.load(Ordering::Acquire) { FollowError::Failed } else { FollowError::Stopping };
        is_over.then_some(why)
    }

    /// A place for one more reader of this key, who has it until it is dropped.
    pub(super) fn place(&self, whose: &str) -> Option<Place> {
        self.places.take(whose)
    }

    pub(super) fn readers(&self) -> usize {
        self.places.taken()
    }

    /// Begins to be written, if it was not. Whoever wakes it has a place, so it does not fall asleep meanwhile.
    pub(super) fn wake(&self, marks: impl FnOnce() -> Marks) {
        if self.read().awake {
            return;
        }
        let mut ring = self.write();
        if !ring.awake {
            let Marks { event, delivery } = marks();
            (ring.events, ring.delivery, ring.awake) = ((event, event), delivery, true);
            self.woken.notify_one();
        }
    }

    /// Waits until it is to be written, and gives the last delivery of before.
    pub(super) async fn awake(&self) -> i64 {
        loop {
            let woken = self.woken.notified();
            if let Some(delivery) = Some(self.read()).filter(|ring| ring.awake).map(|ring| ring.delivery) {
                return delivery;
            }
            woken.await;
        }
    }

    /// Is no longer written, unless somebody reads. What it held is forgotten, and so are the positions in it.
    pub(super) fn sleep(&self, ignore: impl FnOnce()) -> bool {
        let mut ring = self.write();
        if self.readers() > 0 {
            return false;
        }
        ignore();
        let first = ring.last() + 2;
        *ring = Ring { first, ..Ring::default() };
        true
    }

    /// Writes that an event was accepted, which has this number.
    pub(super) fn event(&self, number: i64, change: Change) {
        let mut ring = self.write();
        ring.events.1 = ring.events.1.max(number);
        ring.push(What::Changed(change), self.bounds);
    }

    /// Notes that there are no more events up to this number.
    pub(super) fn events_until(&self, number: i64) {
        let mut ring = self.write();
        ring.events.1 = ring.events.1.max(number);
    }

    /// Writes that something changed.
    pub(super) fn changed(&self, change: Change) {
        self.write().push(What::Changed(change), self.bounds);
    }

    /// Writes that more changed than is told, with events up to this number.
    pub(super) fn missed(&self, topics: Topics, reason: &'static str, until: i64) {
        let mut ring = self.write();
        ring.events.1 = ring.events.1.max(until);
        ring.push(What::Missed { topics, reason }, self.bounds);
    }

    /// Has readers look at what was written.
    pub(super) fn tell(&self) {
        let newest = self.read().last();
        self.newest.send_if_modified(|told| std::mem::replace(told, newest) != newest);
    }

    /// Has readers look at their keys.
    pub(super) fn keys_changed(&self) {
        self.keys.send_replace(());
    }

    pub(super) fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    pub(super) fn keys(&self) -> watch::Receiver<()> {
        self.keys.subscribe()
    }

    pub(super) fn now(&self) -> Now {
        let ring = self.read();
        Now { entry: ring.last(), event: ring.events.1 }
    }

    /// The last event that was told up to this entry.
    pub(super) fn event_at(&self, entry: u64) -> Result<i64, Lost> {
        let ring = self.read();
        match ring.behind(entry)? {
            0 => Ok(ring.events.0),
            _ if entry == ring.last() => Ok(ring.events.1),
            place => Ok(ring.entries[place - 1].event),
        }
    }

    /// Shows the entries behind this one in order, each with its number, until `take` has enough.
    pub(super) fn after(
        &self,
        entry: u64,
        mut take: impl FnMut(u64, &Entry) -> ControlFlow<()>,
    ) -> Result<(), Lost> {
        let ring = self.read();
        let place = ring.behind(entry)?;
        let numbered = (entry + 1..).zip(ring.entries.iter().skip(place));
        for (number, entry) in numbered {
            if take(number, entry).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Ring> {
        self.ring.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn last(&self) -> u64 {
        self.first + self.entries.len() as u64 - 1
    }

    /// How many of the entries it holds a reader has who is at this one.
    fn behind(&self, entry: u64) -> Result<usize, Lost> {
        let place = entry
            .checked_add(1)
            .and_then(|next| next.checked_sub(self.first))
            .and_then(|place| usize::try_from(place).ok());
        place.filter(|place| *place <= self.entries.len()).ok_or(Lost)
    }

    fn push(&mut self, what: What, bounds: Bounds) {
        let entry = Entry { event: self.events.1, what };
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
        while self.entries.len() > bounds.entries || self.bytes > bounds.bytes {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.bytes();
            self.first += 1;
            self.events.0 = oldest.event;
        }
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        match &self.what {
            What::Changed(change) => size_of::<Self>() + change.bytes(),
            What::Missed { .. } => size_of::<Self>(),
        }
    }
}

#[cfg(test)]
mod tests;
