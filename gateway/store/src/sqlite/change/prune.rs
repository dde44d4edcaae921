//! Removes what is old.

use std::collections::BTreeSet;

use postroom_core::{id::EventId, time::Timestamp};
use rusqlite::{OptionalExtension, Row};

use super::{ChangeError, Changes, track::MONTH_MS};
use crate::{
    blob::{BlobName, Blobs},
    retention::{Prune, Pruned},
    sqlite::{
        prune::{self, Rule},
        row::saturated,
        segments::{DELIVERIES, EVENTS, Segments},
    },
};

const DELETE_EVENT: &str = "DELETE FROM event WHERE id = ?1 RETURNING seq, blob";
const DELIVERIES_OF: &str = "SELECT id FROM delivery WHERE event = ?1";
pub(super) const LEAVE_BLOB: &str = "UPDATE blob SET events = events - 1 WHERE sha256 = ?1";
pub(super) const DELETE_BLOB: &str = "DELETE FROM blob WHERE sha256 = ?1 AND events = 0";
const BLOB_IS_NAMED: &str = "SELECT 1 FROM blob WHERE sha256 = ?1";
const DELETE_MARKS: &str = "
    DELETE FROM mark WHERE (source, key) IN (SELECT source, key FROM mark WHERE at < ?1 ORDER BY at LIMIT ?2)";
const DELETE_REPLAYS: &str = "
    DELETE FROM replay WHERE id IN (SELECT id FROM replay WHERE finished_at < ?1 ORDER BY finished_at LIMIT ?2)";
const DELETE_CHUNKS: &str = "
    DELETE FROM run_chunk
    WHERE (monitor, last_at, number) IN
        (SELECT monitor, last_at, number FROM run_chunk WHERE last_at < ?1 ORDER BY last_at LIMIT ?2)";
const DELETE_INCIDENTS: &str = "
    DELETE FROM incident
    WHERE number IN (SELECT number FROM incident WHERE resolved_at < ?1 ORDER BY resolved_at LIMIT ?2)";
// One that still has chunks goes when they are gone: together they may be many.
const DELETE_MONITORS: &str = "
    DELETE FROM monitor
    WHERE id IN (SELECT id FROM monitor
                 WHERE last_month < ?1 AND incident IS NULL
                   AND NOT EXISTS (SELECT 1 FROM run_chunk WHERE monitor = monitor.id)
                 ORDER BY last_month LIMIT ?2)";
const DELETE_COLLECTIONS: &str = "
    DELETE FROM collection_watch
    WHERE id IN (SELECT id FROM collection_watch WHERE last_at < ?1 ORDER BY last_at LIMIT ?2)";
const DELETE_AUDIT: &str = "
    DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 ORDER BY at LIMIT ?2)";

#[cfg(test)]
pub(super) const QUERIES: [&str; 12] = [
    DELETE_EVENT,
    DELIVERIES_OF,
    LEAVE_BLOB,
    DELETE_BLOB,
    BLOB_IS_NAMED,
    DELETE_MARKS,
    DELETE_REPLAYS,
    DELETE_CHUNKS,
    DELETE_INCIDENTS,
    DELETE_MONITORS,
    DELETE_COLLECTIONS,
    DELETE_AUDIT,
];

/// An event that may go, as it was found before the transaction.
#[derive(Debug, Clone, Copy)]
pub(in crate::sqlite) struct Victim {
    pub(in crate::sqlite) id: EventId,
    pub(in crate::sqlite) received_at: Timestamp,
    pub(in crate::sqlite) rule: Rule,
}

/// What one transaction removed.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Removed {
    pub(in crate::sqlite) pruned: Pruned,
    /// The files to remove once the transaction is durable.
    pub(in crate::sqlite) doomed: Vec<BlobName>,
    /// Segments that something was removed from.
    event_segments: BTreeSet<i64>,
    delivery_segments: BTreeSet<i64>,
}

impl Changes<'_> {
    /// Removes the victims that still may go, what else is too old, and those of `strays` that no event names.
    pub(in crate::sqlite) fn prune(
        &mut self,
        prune: &Prune,
        limit: usize,
        victims: &[Victim],
        strays: &[BlobName],
        blobs: &Blobs,
    ) -> Result<Removed, ChangeError> {
        let limit = saturated(limit as u64);
        let mut removed = Removed::default();
        for victim in victims {
            self.remove_event(victim, blobs, &mut removed)?;
        }
        for name in strays {
            self.doom_if_unnamed(*name, blobs, &mut removed)?;
        }
        DELIVERIES.prune(self.connection, &removed.delivery_segments)?;
        EVENTS.prune(self.connection, &removed.event_segments)?;
        if let Some(before) = prune.marks_before {
            let mut delete = self.connection.prepare_cached(DELETE_MARKS)?;
            removed.pruned.marks = delete.execute([before.as_unix_ms(), limit])? as u64;
        }
        if let Some(before) = prune.replays_before {
            let mut delete = self.connection.prepare_cached(DELETE_REPLAYS)?;
            removed.pruned.replays = delete.execute([before.as_unix_ms(), limit])? as u64;
        }
        if let Some(by) = prune.state_expired_by {
            removed.pruned.state_keys = self.remove_expired(by, limit)?;
        }
        if let Some(destinations) = &prune.removed_destinations {
            removed.pruned.state_keys += self.remove_state_of(destinations, limit)?;
        }
        let remove = |sql, before: i64| {
            let removed = self.connection.prepare_cached(sql)?.execute([before, limit])?;
            Ok::<_, rusqlite::Error>(removed as u64)
        };
        if let Some(before) = prune.audit_before {
            removed.pruned.audit = remove(DELETE_AUDIT, before.as_unix_ms())?;
        }
        if let Some(before) = prune.history_before {
            let before = before.as_unix_ms();
            removed.pruned.run_chunks = remove(DELETE_CHUNKS, before)?;
            removed.pruned.incidents = remove(DELETE_INCIDENTS, before)?;
            removed.pruned.monitors = remove(DELETE_MONITORS, before.div_euclid(MONTH_MS))?;
            removed.pruned.collections = remove(DELETE_COLLECTIONS, before)?;
        }
        Ok(removed)
    }

    fn remove_event(
        &mut self,
        victim: &Victim,
        blobs: &Blobs,
        removed: &mut Removed,
    ) -> Result<(), ChangeError> {
        // Looked at again: a person may have asked for one of its deliveries once more.
        let fate = prune::fate(self.connection, victim.id)?;
        if !victim.rule.takes(victim.received_at, &fate) {
            return Ok(());
        }
        let mut deliveries = self.connection.prepare_cached(DELIVERIES_OF)?;
        for delivery in deliveries.query_map([victim.id.as_bytes()], |row| row.get(0))? {
            removed.delivery_segments.insert(Segments::of(delivery?));
        }
        let mut delete = self.connection.prepare_cached(DELETE_EVENT)?;
        let of_row = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, Option<[u8; 32]>>(1)?));
        // Two rules may have found it.
        let Some((seq, blob)) = delete.query_row([victim.id.as_bytes()], of_row).optional()? else {
            return Ok(());
        };
        removed.event_segments.insert(Segments::of(seq));
        removed.pruned.events += 1;
        removed.pruned.deliveries += fate.deliveries;
        let Some(blob) = blob else { return Ok(()) };
        self.connection.prepare_cached(LEAVE_BLOB)?.execute([blob])?;
        self.connection.prepare_cached(DELETE_BLOB)?.execute([blob])?;
        self.doom_if_unnamed(BlobName::from_bytes(blob), blobs, removed)
    }

    fn doom_if_unnamed(
        &mut self,
        name: BlobName,
        blobs: &Blobs,
        removed: &mut Removed,
    ) -> Result<(), ChangeError> {
        let mut is_named = self.connection.prepare_cached(BLOB_IS_NAMED)?;
        if !is_named.exists([name.as_bytes()])? && blobs.doom(name) {
            removed.doomed.push(name);
        }
        Ok(())
    }
}
