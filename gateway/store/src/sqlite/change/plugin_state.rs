//! Writes what plugins keep, and removes what has expired.

use std::collections::BTreeSet;

use postroom_core::{id::DestinationName, time::Timestamp};
use rusqlite::{OptionalExtension, Params, params};

use super::Changes;
use crate::{
    plugin_state::{Expected, StateAnswer, StateBounds, StateChange, StateWrite},
    retention::RemovedDestinations,
    sqlite::row::saturated,
};

/// Expired keys that a write removes when there is no room. Retention removes the others.
const EXPIRED_MAX: i64 = 64;

const FIND: &str = "SELECT version, expires_at, value FROM plugin_state WHERE destination = ?1 AND key = ?2";
const USAGE: &str = "SELECT last_version, keys, bytes FROM plugin_state_usage WHERE destination = ?1";
const PUT: &str = "
    INSERT INTO plugin_state (destination, key, version, expires_at, value) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (destination, key)
    DO UPDATE SET version = excluded.version, expires_at = excluded.expires_at, value = excluded.value";
const DELETE: &str = "DELETE FROM plugin_state WHERE destination = ?1 AND key = ?2";
const SET_USAGE: &str = "
    INSERT INTO plugin_state_usage (destination, last_version, keys, bytes) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (destination)
    DO UPDATE SET last_version = excluded.last_version, keys = excluded.keys, bytes = excluded.bytes";
const SHRINK: &str =
    "UPDATE plugin_state_usage SET keys = keys - 1, bytes = bytes - ?2 WHERE destination = ?1";
const DELETE_EXPIRED: &str = "
    DELETE FROM plugin_state
    WHERE id IN (SELECT id FROM plugin_state WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)
    RETURNING destination, length(key) + length(value)";

const OWNERS: &str = "SELECT destination, removed_at FROM plugin_state_usage";
const SET_REMOVED: &str = "UPDATE plugin_state_usage SET removed_at = ?2 WHERE destination = ?1";
const DELETE_OF: &str = "
    DELETE FROM plugin_state WHERE id IN (SELECT id FROM plugin_state WHERE destination = ?1 LIMIT ?2)
    RETURNING destination, length(key) + length(value)";

#[cfg(test)]
pub(super) const QUERIES: [&str; 8] =
    [FIND, USAGE, DELETE, SHRINK, DELETE_EXPIRED, OWNERS, SET_REMOVED, DELETE_OF];

/// A row as it was before a write.
#[derive(Debug, Clone)]
struct Found {
    version: i64,
    expires_at: Option<i64>,
    value: Vec<u8>,
}

impl Found {
    fn bytes(&self, key: &str) -> i64 {
        saturated((key.len() + self.value.len()) as u64)
    }
}

/// What one destination keeps.
#[derive(Debug, Clone, Copy, Default)]
struct Usage {
    last_version: i64,
    keys: i64,
    bytes: i64,
}

impl Usage {
    /// With `next` under `key` in place of `now`.
    fn with(self, key: &str, now: Option<&Found>, next: &Found) -> Self {
        Self {
            last_version: self.last_version.max(next.version),
            keys: self.keys + i64::from(now.is_none()),
            bytes: self.bytes + next.bytes(key) - now.map_or(0, |found| found.bytes(key)),
        }
    }

    /// Whether it may be so much, or is no more than `before`: the bounds may have been lowered, and then a write that
    /// takes less helps.
    fn is_within(self, bounds: StateBounds, before: Self) -> bool {
        let has_room = self.keys <= saturated(bounds.keys_max) && self.bytes <= saturated(bounds.bytes_max);
        has_room || (self.keys <= before.keys && self.bytes <= before.bytes)
    }
}

/// What a write did, so that it can be taken back.
#[derive(Debug)]
pub(in crate::sqlite) struct StateWritten {
    pub(in crate::sqlite) answer: StateAnswer,
    before: Option<Found>,
}

impl Changes<'_> {
    /// Carries out one write, and says what it did.
    pub(in crate::sqlite) fn write_state(&mut self, write: &StateWrite) -> rusqlite::Result<StateWritten> {
        let StateWrite { destination, key, expected, change, at } = write;
        let destination = destination.as_str();
        let before = self.find_state(destination, key)?;
        let alive = before.as_ref().filter(|found| found.expires_at.is_none_or(|end| end > at.as_unix_ms()));
        let version = alive.map_or(0, |found| found.version.unsigned_abs());
        let fits = match *expected {
            Expected::Any => true,
            Expected::Absent => version == 0,
            Expected::Version(expected) => version != 0 && version == expected,
        };
        let answer = match change {
            _ if !fits => StateAnswer::Conflict { version },
            StateChange::Delete if alive.is_none() => StateAnswer::NotFound,
            StateChange::Delete => {
                self.remove_state(destination, key, before.as_ref())?;
                StateAnswer::Deleted
            }
            StateChange::Put { value, expires_at, bounds } => {
                let next = Found {
                    version: 0,
                    expires_at: expires_at.map(|end| end.as_unix_ms()),
                    value: value.to_vec(),
                };
                self.put_in_bounds(destination, key, before.as_ref(), next, *bounds, *at)?
            }
        };
        Ok(StateWritten { answer, before })
    }

    /// Takes back a write, unless somebody has written over it since.
    pub(in crate::sqlite) fn take_back_state(
        &mut self,
        write: &StateWrite,
        written: &StateWritten,
    ) -> rusqlite::Result<()> {
        let (destination, key) = (write.destination.as_str(), &write.key[..]);
        let now = self.find_state(destination, key)?;
        let stands = match written.answer {
            StateAnswer::Put { version } => {
                now.as_ref().is_some_and(|found| found.version.unsigned_abs() == version)
            }
            StateAnswer::Deleted => now.is_none(),
            StateAnswer::NotFound | StateAnswer::Conflict { .. } | StateAnswer::Full => false,
        };
        match &written.before {
            _ if !stands => Ok(()),
            // With its version: whoever has read it may still expect it.
            Some(before) => self.keep_state(destination, key, now.as_ref(), before),
            None => self.remove_state(destination, key, now.as_ref()),
        }
    }

    /// Removes what had expired by then, at most `limit` keys, and says how many.
    pub(super) fn remove_expired(&mut self, by: Timestamp, limit: i64) -> rusqlite::Result<u64> {
        self.remove_states(DELETE_EXPIRED, params![by.as_unix_ms(), limit])
    }

    /// Notes which destinations are removed and which are back, removes what those kept that have been removed for long, at most
    /// `limit` keys, and says how many. Their rows of usage stay, as that of any destination.
    pub(super) fn remove_state_of(
        &mut self,
        destinations: &RemovedDestinations,
        limit: i64,
    ) -> rusqlite::Result<u64> {
        let RemovedDestinations { configured, at, before } = destinations;
        let configured: BTreeSet<&str> = configured.iter().map(DestinationName::as_str).collect();
        let mut owners = self.connection.prepare_cached(OWNERS)?;
        let owners =
            owners.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?)))?;
        let owners: Vec<_> = owners.collect::<Result<_, _>>()?;
        let mut gone = 0;
        for (owner, removed_at) in owners {
            let is_removed = !configured.contains(&owner[..]);
            if is_removed != removed_at.is_some() {
                let removed_at = is_removed.then(|| at.as_unix_ms());
                self.connection.prepare_cached(SET_REMOVED)?.execute(params![owner, removed_at])?;
            }
            let is_due = removed_at.is_some_and(|removed_at| removed_at < before.as_unix_ms());
            if is_removed && is_due && gone < limit.unsigned_abs() {
                gone += self.remove_states(DELETE_OF, params![owner, limit - saturated(gone)])?;
            }
        }
        Ok(gone)
    }

    /// Removes the keys that `delete` removes, and says how many.
    fn remove_states(&mut self, delete: &str, arguments: impl Params) -> rusqlite::Result<u64> {
        let mut delete = self.connection.prepare_cached(delete)?;
        let removed =
            delete.query_map(arguments, |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
        let removed: Vec<_> = removed.collect::<Result<_, _>>()?;
        let mut shrink = self.connection.prepare_cached(SHRINK)?;
        for (destination, bytes) in &removed {
            shrink.execute(params![destination, bytes])?;
        }
        Ok(removed.len() as u64)
    }

    fn put_in_bounds(
        &mut self,
        destination: &str,
        key: &str,
        before: Option<&Found>,
        next: Found,
        bounds: StateBounds,
        at: Timestamp,
    ) -> rusqlite::Result<StateAnswer> {
        let usage = self.state_usage(destination)?;
        if usage.with(key, before, &next).is_within(bounds, usage) {
            return self.keep_new_state(destination, key, before, next);
        }
        self.remove_expired(at, EXPIRED_MAX)?;
        // What is replaced may have been among them.
        let before = self.find_state(destination, key)?;
        let usage = self.state_usage(destination)?;
        if usage.with(key, before.as_ref(), &next).is_within(bounds, usage) {
            return self.keep_new_state(destination, key, before.as_ref(), next);
        }
        Ok(StateAnswer::Full)
    }

    /// Keeps `next` under a version of its own in place of `now`.
    fn keep_new_state(
        &mut self,
        destination: &str,
        key: &str,
        now: Option<&Found>,
        next: Found,
    ) -> rusqlite::Result<StateAnswer> {
        let version = self.state_usage(destination)?.last_version + 1;
        self.keep_state(destination, key, now, &Found { version, ..next })?;
        Ok(StateAnswer::Put { version: version.unsigned_abs() })
    }

    /// Keeps `next` in place of `now`, which is what is there.
    fn keep_state(
        &mut self,
        destination: &str,
        key: &str,
        now: Option<&Found>,
        next: &Found,
    ) -> rusqlite::Result<()> {
        let usage = self.state_usage(destination)?;
        let mut put = self.connection.prepare_cached(PUT)?;
        put.execute(params![destination, key.as_bytes(), next.version, next.expires_at, next.value])?;
        self.set_state_usage(destination, usage.with(key, now, next))
    }

    /// Removes a key, under which is `now`.
    fn remove_state(&mut self, destination: &str, key: &str, now: Option<&Found>) -> rusqlite::Result<()> {
        let Some(now) = now else { return Ok(()) };
        self.connection.prepare_cached(DELETE)?.execute(params![destination, key.as_bytes()])?;
        self.connection.prepare_cached(SHRINK)?.execute(params![destination, now.bytes(key)])?;
        Ok(())
    }

    fn find_state(&mut self, destination: &str, key: &str) -> rusqlite::Result<Option<Found>> {
        let mut find = self.connection.prepare_cached(FIND)?;
        let found = find.query_row(params![destination, key.as_bytes()], |row| {
            Ok(Found { version: row.get(0)?, expires_at: row.get(1)?, value: row.get(2)? })
        });
        found.optional()
    }

    fn state_usage(&mut self, destination: &str) -> rusqlite::Result<Usage> {
        let mut usage = self.connection.prepare_cached(USAGE)?;
        let usage = usage.query_row([destination], |row| {
            Ok(Usage { last_version: row.get(0)?, keys: row.get(1)?, bytes: row.get(2)? })
        });
        usage.optional().map(Option::unwrap_or_default)
    }

    fn set_state_usage(&mut self, destination: &str, usage: Usage) -> rusqlite::Result<()> {
        let mut set = self.connection.prepare_cached(SET_USAGE)?;
        set.execute(params![destination, usage.last_version, usage.keys, usage.bytes])?;
        Ok(())
    }
}
