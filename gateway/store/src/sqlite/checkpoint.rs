//! Moves what was committed from the write-ahead log into the database file, beside the writer.
//!
//! The log can only start again when all of it was moved, nothing was added meanwhile and nobody reads from it. So the
//! bulk is moved while the writer goes on, and only a small rest while it waits, when the log has become long enough
//! for that. Whoever begins to read when all was
//! moved reads from the database file alone. But reads that overlap always leave one that began before; so a log that
//! did not start again is at its next move kept waiting for the reads under way.

use std::{
    fs::File,
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, SyncSender},
    },
    thread,
    time::Duration,
};

use postroom_core::chain::Chain;
use rusqlite::{Connection, ffi};

use super::{
    log::Disk,
    open,
    sync::Note,
    tuning::Tuning,
    turn::{Move, State, Turn},
};
use crate::error::StoreError;

/// Pages that may be left for the time when the writer waits.
const REST_PAGES: u64 = 256;
/// How often the bulk is moved before the rest is moved whatever its size: the writer may be faster.
const ROUNDS_MAX: u32 = 3;

/// Into how many waits the one for the reads under way is divided.
///
/// SQLite looks once at what each of them sees and then waits for it to end. A read that begins in the place of one that
/// ended, and sees everything, is waited for like the one before it, and of reads that overlap there is always one. The
/// next wait looks again.
const WAITS: u32 = 10;

/// The connection that moves, opened when it is needed.
#[derive(Debug)]
pub(super) struct Moving {
    path: Arc<Path>,
    /// See [`Tuning`].
    reads_end_max: Duration,
    connection: Mutex<Option<Connection>>,
}

impl Moving {
    pub(super) fn new(path: Arc<Path>, tuning: &Tuning) -> Self {
        Self { path, reads_end_max: tuning.reads_end_max, connection: Mutex::new(None) }
    }

    /// Waits for a move under way and closes the connection. It is not opened before what this gives is dropped.
    pub(super) fn shut(&self) -> MutexGuard<'_, Option<Connection>> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        *connection = None;
        connection
    }

    /// Moves what it can without waiting for anyone.
    pub(super) fn move_pages(&self) -> rusqlite::Result<Move> {
        // What reads from the log is not known: whether it starts again shows when it is shorter.
        Ok(Move { starts_again: false, ..self.checkpoint("PRAGMA wal_checkpoint(PASSIVE)")? })
    }

    /// Moves everything and waits a little for the reads under way. The caller sees to it that nobody writes.
    fn start_again(&self) -> rusqlite::Result<Move> {
        let mut moved = Move::default();
        for _ in 0..WAITS {
            moved = self.checkpoint("PRAGMA wal_checkpoint(RESTART)")?;
            if moved.starts_again {
                break;
            }
        }
        Ok(moved)
    }

    fn checkpoint(&self, sql: &str) -> rusqlite::Result<Move> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match &mut *connection {
            Some(connection) => connection,
            none => none.insert(open::mover(&self.path, self.reads_end_max / WAITS)?),
        };
        let mut statement = connection.prepare_cached(sql)?;
        statement.query_row([], |row| {
            let pages = |column| row.get::<_, i64>(column).map(|pages| pages.max(0).unsigned_abs());
            let (busy, pages, moved) = (row.get::<_, bool>(0)?, pages(1)?, pages(2)?);
            // Somebody else who moves leaves open how much there is to move.
            let left = pages.saturating_sub(moved).max(u64::from(busy));
            Ok(Move { pages, left, starts_again: !busy })
        })
    }
}

/// What the thread works with.
#[derive(Debug)]
pub(super) struct Checkpoints {
    pub(super) path: Arc<Path>,
    /// The database file, to sync what was moved before the writer has to wait for it.
    pub(super) file: Arc<File>,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) moving: Arc<Moving>,
    pub(super) turn: Arc<Turn>,
    pub(super) notes: SyncSender<Note>,
}

impl Checkpoints {
    /// Starts the thread. It moves the log each time it is woken, and ends when nobody can wake it any more.
    pub(super) fn start(self, due: Receiver<()>) -> io::Result<thread::JoinHandle<()>> {
        thread::Builder::new().name("store-move".to_owned()).spawn(move || self.run(&due))
    }

    fn run(self, due: &Receiver<()>) {
        let mut failing = false;
        while let Ok(()) = due.recv() {
            match self.move_all() {
                Ok(()) => failing = false,
                Err(error) => {
                    // Nothing is lost by a move that did not happen: the log holds all of it.
                    if !failing {
                        failing = true;
                        tracing::warn!(error = %Chain(&error.error), "moving the log failed; it grows until that succeeds");
                    }
                    if error.suspect {
                        drop(self.notes.send(Note::Suspect(error.error)));
                    }
                }
            }
        }
    }

    pub(super) fn move_all(&self) -> Result<(), MoveError> {
        if self.turn.take().ready().is_err() {
            // What is in the log now may not stay.
            return Ok(());
        }
        // What is suspect stops the writer before anyone else hears of it: a log that starts again would overwrite
        // what the database file may lack.
        let left = self.move_bulk().inspect_err(|error| error.break_off(&mut self.turn.take()))?;
        let mut state = self.turn.take();
        self.move_rest(&mut state, left).inspect_err(|error| error.break_off(&mut state))
    }

    /// Gives how many pages are left to be moved, none if few enough are.
    fn move_bulk(&self) -> Result<u64, MoveError> {
        let mut left = 0;
        for _ in 0..ROUNDS_MAX {
            left = self.moving.move_pages().map_err(|error| self.failed(error))?.left;
            self.disk.sync(&self.file).map_err(|error| MoveError {
                error: StoreError::io("sync", &self.path, error),
                suspect: true,
            })?;
            if left <= REST_PAGES {
                return Ok(0);
            }
        }
        Ok(left)
    }

    fn move_rest(&self, state: &mut State, left: u64) -> Result<(), MoveError> {
        let Ok(ready) = state.ready() else { return Ok(()) };
        if !ready.may_start_again() {
            ready.moved(Move { pages: ready.pages(), left, starts_again: false });
            return Ok(());
        }
        let is_overdue = ready.is_overdue();
        let moved = if is_overdue { self.moving.start_again() } else { self.moving.move_pages() };
        let moved = moved.map_err(|error| self.failed(error))?;
        // By the count of the writer: of a log that somebody else moves none was given.
        ready.moved(Move { pages: ready.pages(), ..moved });
        if is_overdue && !moved.starts_again {
            ready.restart_refused();
        }
        Ok(())
    }

    fn failed(&self, error: rusqlite::Error) -> MoveError {
        // A write that failed is repeated by the next move; an fsync that failed is not.
        let suspect = error.sqlite_error().is_some_and(|error| {
            matches!(error.extended_code, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC)
        });
        MoveError { error: StoreError::sqlite("move the log into", &self.path, error), suspect }
    }
}

#[derive(Debug)]
pub(super) struct MoveError {
    error: StoreError,
    /// Whether what was moved before can no longer be trusted.
    suspect: bool,
}

impl MoveError {
    fn break_off(&self, state: &mut State) {
        if self.suspect {
            state.break_off(self.error.clone());
        }
    }
}

#[cfg(test)]
mod tests;
