//! Removes what is old, and the oldest when room is short.
//!
//! It goes in small chunks with pauses in between, because every chunk is a transaction that new events wait for. What
//! waits to be delivered is never touched.

mod room;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use postroom_core::{chain::Chain, id::DestinationName, time::Timestamp};
use postroom_store::{Prune, Pruned, RemovedDestinations, Store, StoreError};
use tokio::time::{Instant, sleep};

use self::room::Room;
use crate::{Clock, Metrics, clock::Steady};

/// How long things are kept. An age counts from when the last thing happened to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Events of which no delivery is a dead letter; `None` for ever.
    pub events: Option<Duration>,
    /// Events with a dead letter; `None` for ever.
    pub dead_letters: Option<Duration>,
    /// Most bytes that the store may take. Beyond it the oldest events go, whatever their age, dead letters last.
    pub size_bytes: Option<u64>,
    /// Idempotency marks.
    pub marks: Duration,
    /// Replays, from their end. The deliveries they made are kept as others are.
    pub replays: Duration,
    /// What is known about monitors: runs, incidents that are over, and monitors that nothing is heard of; `None` for ever.
    pub history: Option<Duration>,
    /// Entries of the audit log.
    pub audit: Duration,
}

/// How far the wall clock may run ahead of what has passed since the start. A machine may sleep for a night; a clock that
/// was set wrong would make everything look old at once.
const AHEAD_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// How long what a plugin kept outlives its destination, which may only be away for a while.
const REMOVED_DESTINATION: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// From the end of one look at the store to the next.
const INTERVAL: Duration = Duration::from_secs(60);
/// Rows of each sort that one chunk removes: a few milliseconds of the store's writer.
const CHUNK_ROWS: usize = 128;
/// The shortest pause between two chunks. After a slow one it is [`PAUSE_FACTOR`] times what the chunk took, so that
/// most of the store's time is left for new events.
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_FACTOR: u32 = 3;

pub(crate) struct Pruner {
    store: Arc<dyn Store>,
    retention: Retention,
    /// The destinations that are configured.
    configured: Arc<RwLock<Vec<DestinationName>>>,
    clock: Clock,
    steady: Steady,
    metrics: Metrics,
    /// It was told that the clock has run ahead.
    ahead: bool,
    /// It was told that the bound on the size cannot be kept.
    overfull: bool,
}

impl Pruner {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        retention: Retention,
        configured: Arc<RwLock<Vec<DestinationName>>>,
        clock: Clock,
        metrics: Metrics,
    ) -> Self {
        let steady = Steady::start(&clock);
        Self { store, retention, configured, clock, steady, metrics, ahead: false, overfull: false }
    }

    /// Never ends.
    pub(crate) async fn run(mut self) {
        loop {
            let mut removed = Pruned::default();
            if let Err(error) = self.prune(&mut removed).await {
                tracing::error!(error = %Chain(&error), "old events could not be removed, trying again in a minute");
            }
            if removed != Pruned::default() {
                let Pruned {
                    events,
                    deliveries,
                    marks,
                    replays,
                    state_keys,
                    run_chunks,
                    incidents,
                    monitors,
                    collections,
                    audit,
                    blobs,
                    blob_bytes,
                    ..
                } = removed;
                tracing::info!(
                    events,
                    deliveries,
                    marks,
                    replays,
                    state_keys,
                    run_chunks,
                    incidents,
                    monitors,
                    collections,
                    audit,
                    blobs,
                    blob_bytes,
                    "old events are removed, for their age or for room"
                );
            }
            sleep(INTERVAL).await;
        }
    }

    async fn prune(&mut self, removed: &mut Pruned) -> Result<(), StoreError> {
        // Looked at again before every chunk: the clock may jump at any time.
        let mut begun = false;
        while let Some(old) = self.by_age() {
            begun = true;
            if !self.chunk(old, removed).await? {
                break;
            }
        }
        let Some(size_max) = self.retention.size_bytes else { return Ok(()) };
        if !begun {
            // Without a chunk by age the store would go on where the last look ended, and pass over what became final since.
            self.chunk(Prune { limit: CHUNK_ROWS, ..Prune::default() }, removed).await?;
        }
        // Looked at again before every chunk: what a chunk frees is not known before.
        let (mut room, mut more) = (Room::default(), true);
        loop {
            let used = self.store.usage().await?;
            let used = used.database_bytes.saturating_add(used.blob_bytes);
            if used <= size_max {
                self.overfull = false;
                return Ok(());
            }
            if !more {
                if !std::mem::replace(&mut self.overfull, true) {
                    tracing::warn!(
                        used,
                        size_max,
                        "the store takes more room than it may, and all of it waits to be delivered"
                    );
                }
                return Ok(());
            }
            let oldest = room.next(used, used - size_max);
            let before = removed.events;
            more = self.chunk(Prune { oldest, limit: CHUNK_ROWS, ..Prune::default() }, removed).await?;
            room.removed(removed.events - before);
        }
    }

    /// What is too old; `None` while the clock cannot be believed.
    fn by_age(&mut self) -> Option<Prune> {
        let now = self.clock.now();
        let ahead = self.steady.now().until(now);
        let was_ahead = std::mem::replace(&mut self.ahead, ahead > AHEAD_MAX);
        if self.ahead {
            if !was_ahead {
                tracing::warn!(
                    ahead_s = ahead.as_secs(),
                    "the clock has jumped ahead, nothing is removed for its age: set it right, or restart the gateway if it is"
                );
            }
            return None;
        }
        let Retention { events, dead_letters, marks, replays, history, audit, .. } = self.retention;
        let configured = self.configured.read().unwrap_or_else(PoisonError::into_inner);
        Some(Prune {
            events_before: events.map(|age| before(now, age)),
            dead_before: dead_letters.map(|age| before(now, age)),
            marks_before: Some(before(now, marks)),
            replays_before: Some(before(now, replays)),
            state_expired_by: Some(now),
            removed_destinations: Some(RemovedDestinations {
                configured: configured.iter().cloned().collect(),
                at: now,
                before: before(now, REMOVED_DESTINATION),
            }),
            history_before: history.map(|age| before(now, age)),
            audit_before: Some(before(now, audit)),
            oldest: 0,
            limit: CHUNK_ROWS,
        })
    }

    /// Removes one chunk, leaves the store to others for a while, and says whether there may be more.
    async fn chunk(&self, prune: Prune, removed: &mut Pruned) -> Result<bool, StoreError> {
        let begun = Instant::now();
        let pruned = self.store.prune(prune).await?;
        self.metrics.pruned(&pruned);
        removed.events += pruned.events;
        removed.deliveries += pruned.deliveries;
        removed.marks += pruned.marks;
        removed.replays += pruned.replays;
        removed.state_keys += pruned.state_keys;
        removed.run_chunks += pruned.run_chunks;
        removed.incidents += pruned.incidents;
        removed.monitors += pruned.monitors;
        removed.collections += pruned.collections;
        removed.audit += pruned.audit;
        removed.blobs += pruned.blobs;
        removed.blob_bytes += pruned.blob_bytes;
        sleep((begun.elapsed() * PAUSE_FACTOR).max(PAUSE_MIN)).await;
        Ok(pruned.more)
    }
}

fn before(now: Timestamp, age: Duration) -> Timestamp {
    let age_ms = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_unix_ms(now.as_unix_ms().saturating_sub(age_ms))
}

#[cfg(test)]
mod tests;
