//! The connection that writes, and who may use it.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use rusqlite::{Connection, hooks::Wal};

use super::tuning::Tuning;
use crate::error::StoreError;

/// What the log keeps beside each page.
const FRAME_HEADER_BYTES: u64 = 24;

/// Lets one thread at a time use the connection that writes.
#[derive(Debug)]
pub(super) struct Turn(Mutex<State>);

/// What the one whose turn it is finds.
#[derive(Debug)]
pub(super) struct State {
    access: Access,
    /// Commits so far. For each the thread that syncs gets a note, perhaps some time later.
    commits: u64,
}

#[derive(Debug)]
enum Access {
    Open(Ready),
    /// What was applied last may not be on disk. Nothing is applied on top of it until that is settled.
    Broken {
        error: StoreError,
        /// Pages of the log after the last commit.
        pages: u64,
    },
}

/// What there was when the connection was closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
    /// Pages of the log after the last commit.
    pub(super) pages: u64,
    /// Commits so far; see [`State::commit`].
    pub(super) commits: u64,
}

/// A connection that may write, and how long the log is.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) connection: Connection,
    tuning: Tuning,
    /// Bytes that one page takes in the log.
    frame_bytes: u64,
    /// Pages of the log after the last commit.
    pages: Arc<AtomicU64>,
    last_move: Move,
    /// Pages of the log when it last could not be made to start again.
    refused_at: u64,
}

/// How the log was when it was last moved into the database file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Move {
    /// Its pages.
    pub(super) pages: u64,
    /// How many of them could not be moved.
    pub(super) left: u64,
    /// Whether the next commit begins the log anew, because nobody reads from it any more.
    pub(super) starts_again: bool,
}

impl Ready {
    /// Takes a connection to a database whose log has `pages` pages.
    pub(super) fn new(mut connection: Connection, pages: u64, tuning: Tuning) -> rusqlite::Result<Self> {
        let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = Arc::new(AtomicU64::new(pages));
        let told = Arc::clone(&pages);
        connection.wal_hook(Some(move |_: &mut Wal, pages| {
            told.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        let frame_bytes = page_bytes.unsigned_abs() + FRAME_HEADER_BYTES;
        Ok(Self { connection, tuning, frame_bytes, pages, last_move: Move::default(), refused_at: 0 })
    }

    /// Pages of the log after the last commit.
    pub(super) fn pages(&self) -> u64 {
        self.pages.load(Ordering::Relaxed)
    }

    /// Tells that the log was moved.
    pub(super) fn moved(&mut self, last_move: Move) {
        self.last_move = last_move;
    }

    /// Whether the log has grown so much since it was last moved that it is worth moving.
    pub(super) fn is_due(&mut self) -> bool {
        let pages = self.pages();
        if pages < self.last_move.pages {
            // It has started again.
            (self.last_move, self.refused_at) = (Move::default(), 0);
        }
        let due = self.tuning.log_due_bytes;
        let enough = if self.last_move.left == 0 { due } else { due / 8 };
        (pages - self.last_move.pages) * self.frame_bytes >= enough
    }

    /// Whether the log is so long that it is worth keeping the writer waiting until all of it is moved.
    pub(super) fn may_start_again(&self) -> bool {
        self.pages() * self.frame_bytes >= self.tuning.log_restart_bytes
    }

    /// Whether the log did not start again when it could have, so that it is worth waiting for those who read from it.
    /// After a wait in vain only a log of twice the length is worth another one.
    pub(super) fn is_overdue(&self) -> bool {
        let pages = self.pages();
        let bytes = pages * self.frame_bytes;
        bytes >= self.tuning.log_overdue_bytes && (pages >= 2 * self.refused_at || self.is_long())
    }

    /// Tells that those who read from the log did not end in time.
    pub(super) fn restart_refused(&mut self) {
        self.refused_at = self.pages();
    }

    /// Whether the log may not grow any more. The next commit is let through if it begins the log anew.
    pub(super) fn is_full(&self) -> bool {
        let Move { pages, starts_again, .. } = self.last_move;
        self.is_long() && !(starts_again && pages == self.pages())
    }

    fn is_long(&self) -> bool {
        self.pages() * self.frame_bytes >= self.tuning.log_full_bytes
    }
}

impl Turn {
    pub(super) fn new(ready: Ready) -> Self {
        Self(Mutex::new(State { access: Access::Open(ready), commits: 0 }))
    }

    /// Waits for the turn.
    pub(super) fn take(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Closes the connection: nobody applies anything before another one takes its place; until then all are told
    /// `error`.
    pub(super) fn break_off(&mut self, error: StoreError) -> Last {
        let pages = match &self.access {
            Access::Open(ready) => ready.pages(),
            Access::Broken { pages, .. } => *pages,
        };
        self.access = Access::Broken { error, pages };
        Last { pages, commits: self.commits }
    }

    /// Puts another connection in the place of the one that was closed.
    pub(super) fn mend(&mut self, ready: Ready) {
        self.access = Access::Open(ready);
    }

    /// The connection, or why there is none.
    pub(super) fn ready(&mut self) -> Result<&mut Ready, StoreError> {
        match &mut self.access {
            Access::Open(ready) => Ok(ready),
            Access::Broken { error, .. } => Err(error.clone()),
        }
    }

    /// Counts a commit. Whoever breaks off knows by it for how many notes the thread that syncs has to wait.
    pub(super) fn commit(&mut self) {
        self.commits += 1;
    }
}

#[cfg(test)]
mod tests;
