//! Operations that look first, beside the writer, and then write what they found. Between the two the store may
//! change, so what is written checks again what matters.

use std::{io, sync::Arc};

use postroom_core::{
    id::{DeliveryId, DestinationName, ReplayId},
    limits,
    time::Timestamp,
};

use super::{
    SqliteStore,
    change::{Changes, Step},
    job,
    prune::{self, Found, Position, Rule},
    replays,
};
use crate::{
    blob::Blobs,
    error::StoreError,
    page::DeliveryFilter,
    replays::{Matching, NewReplay, Replay, RetryAnswer},
    retention::{Prune, Pruned},
};

/// Looks that one step of a replay may take. With a filter that few deliveries meet it then moves on with what it has.
const LOOKS_MAX: usize = 16;

/// How far removing has come over many chunks.
#[derive(Debug, Default)]
pub(super) struct Progress {
    by_age: Position,
    for_room: Position,
    dead_too: bool,
}

impl SqliteStore {
    pub(super) async fn deliver_again(
        &self,
        id: DeliveryId,
        at: Timestamp,
    ) -> Result<RetryAnswer, StoreError> {
        let found = self.reader.read(move |transaction| replays::original(transaction, id)).await?;
        let Some(original) = found else { return Ok(RetryAnswer::Unknown) };
        let again =
            move |changes: &mut Changes<'_>, fresh: &mut Vec<_>| Ok(changes.retry(&original, at, fresh)?);
        self.ask(job::change_or_undo(again, |changes, made| changes.take_back_retry(made))).await
    }

    /// Counts in pieces, each on a snapshot of its own: a long one would keep the log from being moved.
    pub(super) async fn count_matching(
        &self,
        filter: DeliveryFilter,
        destinations: Vec<DestinationName>,
        at: Timestamp,
    ) -> Result<Matching, StoreError> {
        let wanted = Arc::new((filter, destinations));
        let (mut matching, mut start) = (Matching::default(), 1);
        loop {
            let wanted = Arc::clone(&wanted);
            let look = self.reader.read(move |transaction| {
                let (filter, destinations) = &*wanted;
                replays::count(transaction, filter, destinations, start..i64::MAX, at, matching)
            });
            let next;
            (matching, next) = look.await?;
            let Some(next) = next else { return Ok(matching) };
            start = next;
        }
    }

    pub(super) async fn new_replay(&self, new: NewReplay) -> Result<Replay, StoreError> {
        let wanted = new.clone();
        let begin = move |changes: &mut Changes<'_>, _: &mut Vec<_>| changes.begin_replay(&wanted);
        let undo = |changes: &mut Changes<'_>, begun: &ReplayId| changes.take_back_replay(*begun);
        let id = self.ask(job::change_or_undo(begin, undo)).await?;
        Ok(new.begun(id))
    }

    pub(super) async fn step_replay(
        &self,
        id: ReplayId,
        limit: usize,
        at: Timestamp,
    ) -> Result<Option<Replay>, StoreError> {
        if let Some(step) = self.next_step(id, limit.clamp(1, limits::COMMIT_BATCH_MAX)).await? {
            self.write(move |changes, fresh| changes.advance_replay(&step, at, fresh)).await?;
        }
        self.replay_now(id).await
    }

    /// Finds what a replay goes on with; `None` when it is not running or not there.
    async fn next_step(&self, id: ReplayId, limit: usize) -> Result<Option<Step>, StoreError> {
        let stored = self.reader.read(move |transaction| replays::stored(transaction, id)).await?;
        let Some(stored) = stored.map(Arc::new) else { return Ok(None) };
        let Some(mut step) = stored.first_step() else { return Ok(None) };
        for _ in 0..LOOKS_MAX {
            let stored = Arc::clone(&stored);
            let look = self.reader.read(move |transaction| {
                replays::look_on(transaction, &stored, &mut step, limit)?;
                Ok(step)
            });
            step = look.await?;
            if step.is_last || step.originals.len() >= limit {
                break;
            }
        }
        Ok(Some(step))
    }

    /// A replay as it is stored.
    pub(super) async fn replay_now(&self, id: ReplayId) -> Result<Option<Replay>, StoreError> {
        let stored = self.reader.read(move |transaction| replays::stored(transaction, id)).await?;
        Ok(stored.map(|stored| stored.replay))
    }

    /// Removes one chunk: finds what may go, removes it from the database, and once that is durable its files.
    pub(super) async fn prune_chunk(&self, prune: Prune) -> Result<Pruned, StoreError> {
        let limit = prune.limit.max(1);
        // Held to the end: the next chunk goes on where this one stops.
        let mut progress = self.pruning.lock().await;
        let mut victims = Vec::new();
        let mut more = false;
        if let Some(rule) = prune::by_age(&prune) {
            let old = self.look(rule, progress.by_age, limit).await?;
            more |= old.next.is_some();
            progress.by_age = old.next.unwrap_or_default();
            victims.extend(old.victims);
        }
        if prune.oldest == 0 {
            (progress.for_room, progress.dead_too) = (Position::default(), false);
        } else {
            let rule = Rule::Room { dead_too: progress.dead_too };
            let oldest = self.look(rule, progress.for_room, limit.min(prune.oldest)).await?;
            let at_the_end = oldest.next.is_none();
            more |= !(at_the_end && progress.dead_too);
            progress.for_room = oldest.next.unwrap_or_default();
            progress.dead_too ^= at_the_end;
            victims.extend(oldest.victims);
        }
        // Looked for again if this chunk does not come to its end.
        let strays = self.on_blobs("look through the folder of large bodies", Blobs::strays).await?;
        let names = strays.names().to_vec();
        let unnamed = self.reader.read(|transaction| prune::unnamed(transaction, names)).await?;

        let blobs = Arc::clone(self.bodies.blobs());
        let removing = move |changes: &mut Changes<'_>, _: &mut Vec<_>| {
            changes.prune(&prune, limit, &victims, &unnamed, &blobs)
        };
        let removed = self.write(removing).await?;
        let more_strays = strays.settle();
        let mut pruned = removed.pruned;
        let remove = |blobs: &Arc<Blobs>| blobs.remove(removed.doomed);
        (pruned.blobs, pruned.blob_bytes) = self.on_blobs("remove large bodies from", remove).await?;
        let full = limit as u64;
        let Pruned {
            marks, replays, state_keys, run_chunks, incidents, monitors, collections, audit, ..
        } = pruned;
        let rows = [marks, replays, state_keys, run_chunks, incidents, monitors, collections, audit];
        pruned.more = more || more_strays || rows.iter().any(|rows| *rows >= full);
        Ok(pruned)
    }

    async fn look(&self, rule: Rule, from: Position, limit: usize) -> Result<Found, StoreError> {
        self.reader.read(move |transaction| prune::victims(transaction, rule, from, limit)).await
    }

    async fn on_blobs<T: Send + 'static>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Arc<Blobs>) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let blobs = Arc::clone(self.bodies.blobs());
        let working = tokio::task::spawn_blocking(move || {
            work(&blobs).map_err(|error| StoreError::io(action, blobs.folder(), error))
        });
        working.await.map_err(|_| StoreError::Stopped)?
    }
}
