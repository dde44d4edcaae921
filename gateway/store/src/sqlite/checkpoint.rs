//! Moves what was committed from the write-ahead log into the database file.

use rusqlite::Connection;

/// Log length in pages of 16 KiB from which on it is moved: often enough that one move is short, seldom enough that
/// pages written again and again are moved once.
const LOG_PAGES_MAX: i64 = 1024;

/// Checkpoints between commits. Inside a COMMIT, where SQLite would do it by itself, everyone who waits for that
/// commit would wait for the checkpoint too.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    failing: bool,
}

impl Checkpoints {
    /// Looks how long the log is, and moves it when it is due.
    pub(super) fn after_commit(&mut self, connection: &Connection) {
        let result = log_pages(connection).and_then(|pages| match pages {
            LOG_PAGES_MAX.. => connection.execute_batch("PRAGMA wal_checkpoint(PASSIVE)"),
            _ => Ok(()),
        });
        // Nothing is lost by a checkpoint that did not happen: the log holds all of it, and the next commit tries again.
        match result {
            Ok(()) => self.failing = false,
            Err(error) if !self.failing => {
                self.failing = true;
                tracing::warn!(error = %error, "checkpoint failed; the log grows until one succeeds");
            }
            Err(_) => {}
        }
    }
}

fn log_pages(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?.query_row([], |row| row.get(1))
}
