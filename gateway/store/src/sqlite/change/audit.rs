//! Adds to what is known of changes.

use rusqlite::params;
use serde_json::{Map, Value};

use super::Changes;
use crate::audit::{AuditEntry, ENTRIES_MAX};

const ADD: &str = "
    INSERT INTO audit (at, who, via, operation, object, before, after, outcome, code, request_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

// Each entry takes the place of one, so the log never grows beyond the bound; two, so one that was beyond it shrinks.
const MAKE_ROOM: &str = "
    DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id <= ?1 ORDER BY id LIMIT 2)";

#[cfg(test)]
pub(super) const QUERIES: [&str; 1] = [MAKE_ROOM];

impl Changes<'_> {
    /// Keeps an entry, and lets the oldest go when there are too many.
    pub(in crate::sqlite) fn add_audit(&mut self, entry: &AuditEntry) -> rusqlite::Result<()> {
        let AuditEntry { at, who, via, operation, object, before, after, outcome, code, request_id } = entry;
        let json = |object: &Option<Map<String, Value>>| {
            object.as_ref().map(|object| serde_json::to_string(object).expect("a map of texts is JSON"))
        };
        self.connection.prepare_cached(ADD)?.execute(params![
            at.as_unix_ms(),
            who,
            via.as_str(),
            operation,
            object,
            json(before),
            json(after),
            outcome.as_str(),
            code,
            request_id,
        ])?;
        // Ids are never given again and only the oldest go, so there are no more entries than ids above this one.
        let beyond = self.connection.last_insert_rowid() - ENTRIES_MAX;
        self.connection.prepare_cached(MAKE_ROOM)?.execute([beyond])?;
        Ok(())
    }
}
