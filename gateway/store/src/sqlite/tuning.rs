//! Lengths and times that tests make small.

use std::time::Duration;

/// When the log is moved and when it is mended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuning {
    /// Log length, in bytes, from which on it is moved into the database file: often enough that one move is short,
    /// for the slowest answers wait for the disk meanwhile; seldom enough that pages written again and again are moved
    /// once.
    pub(super) log_due_bytes: u64,
    /// Log length, in bytes, from which on the writer waits at a move until all of it is moved, so that it can start
    /// again. A few moves long: the writer goes on during all but the last of them.
    pub(super) log_restart_bytes: u64,
    /// Log length, in bytes, from which on the writer waits for reads under way at a move, so that the log can start
    /// again. Longer than a log that starts again by itself.
    pub(super) log_overdue_bytes: u64,
    /// Log length, in bytes, from which on nothing is accepted. Only someone who reads for very long can cause it:
    /// what they see must stay in the log.
    pub(super) log_full_bytes: u64,
    /// How long the writer waits for reads under way, so that the log can start again.
    pub(super) reads_end_max: Duration,
    /// How long a broken log is left alone before it is tried again.
    pub(super) restore_interval: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            log_due_bytes: 8 * 1024 * 1024,
            log_restart_bytes: 24 * 1024 * 1024,
            log_overdue_bytes: 64 * 1024 * 1024,
            log_full_bytes: 1024 * 1024 * 1024,
            reads_end_max: Duration::from_millis(500),
            restore_interval: Duration::from_millis(500),
        }
    }
}
