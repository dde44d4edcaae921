//! The schema's versions, and the way from each to the next.

use rusqlite::{Connection, TransactionBehavior};

/// Marks a file as a Postroom database (`PRAGMA application_id`).
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"PsRm");

/// Step `n` leads from version `n` to version `n + 1`. A step that was released never changes; there is no way back.
const STEPS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_replay_and_retention.sql"),
    include_str!("migrations/0003_segments_and_replayed_by.sql"),
    include_str!("migrations/0004_plugin_state.sql"),
    include_str!("migrations/0005_hops.sql"),
    include_str!("migrations/0006_removed_destinations.sql"),
    include_str!("migrations/0007_monitors.sql"),
    include_str!("migrations/0008_api_keys.sql"),
    include_str!("migrations/0009_audit.sql"),
];

/// Why a database could not be brought to the newest version.
#[derive(Debug)]
pub(super) enum MigrateError {
    Foreign,
    TooNew { found: u32, known: u32 },
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for MigrateError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => Self::Foreign,
            _ => Self::Sqlite(error),
        }
    }
}

/// Makes sure that a file is empty or a Postroom database that this binary can read. Changes nothing.
pub(super) fn check(connection: &Connection) -> Result<(), MigrateError> {
    let application_id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let found = version(connection)?;
    let is_ours = application_id == APPLICATION_ID;
    let is_empty = application_id == 0 && tables == 0 && found == 0;
    if !is_ours && !is_empty {
        return Err(MigrateError::Foreign);
    }
    let known = newest();
    if found > known {
        return Err(MigrateError::TooNew { found, known });
    }
    Ok(())
}

/// Brings the schema to the newest version, one transaction per step, so that a crash leaves a version that exists.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), MigrateError> {
    check(connection)?;
    for (step, version) in STEPS.iter().zip(1_u32..).skip(version(connection)? as usize) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Writes without changing anything, for the version is what it was. Unlike an UPDATE to the same value, which SQLite
/// leaves out, this goes all the way to the disk.
pub(super) fn touch(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "user_version", newest())
}

fn newest() -> u32 {
    u32::try_from(STEPS.len()).expect("the steps are a short list in this file")
}

fn version(connection: &Connection) -> Result<u32, MigrateError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

#[cfg(test)]
mod tests;
