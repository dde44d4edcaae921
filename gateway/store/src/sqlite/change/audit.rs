//! Adds to what is known of changes.

use rusqlite::params;
use serde_json::{Map, Value};

use super::Changes;
use crate::audit::AuditEntry;

const ADD: &str = "
    INSERT INTO audit (at, who, via, operation, object, before, after, outcome, code, request_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

impl Changes<'_> {
    /// Keeps an entry.
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
        Ok(())
    }
}
