//! The one thread that changes the database. It applies whatever has gathered as one transaction and hands it on to be
//! synced, so that it can apply the next one meanwhile; one fsync serves everyone who waits.

use std::{
    io, mem,
    path::Path,
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError},
    },
    thread::{self, JoinHandle},
};

use postroom_core::{chain::Chain, limits};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::mpsc;

use super::{
    change::Changes,
    job::Job,
    segments::{self, Segment},
    sync::{Commit, Note},
    turn::Turn,
};
use crate::{error::StoreError, records::FreshDelivery};

/// What is handed to the writer.
pub(super) enum Request {
    Write(Box<dyn Job>),
    /// Take nothing more, finish what is queued, then end.
    Close,
}

/// A job that could not be written, and why.
type Refused<E = StoreError> = (Box<dyn Job>, E);

/// What the writer works with.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) path: Arc<Path>,
    pub(super) turn: Arc<Turn>,
    pub(super) notes: SyncSender<Note>,
    /// Wakes the thread that moves the log.
    pub(super) due: SyncSender<()>,
    /// Whether the last transaction failed, so that a full disk is logged once and not a thousand times a second.
    pub(super) failing: bool,
}

impl Writer {
    /// Starts the thread. It ends when it is told to close or every sender is gone, and after it `others`.
    pub(super) fn start(
        self,
        queue: mpsc::Receiver<Request>,
        others: Vec<JoinHandle<()>>,
    ) -> io::Result<JoinHandle<()>> {
        thread::Builder::new().name("store-writer".to_owned()).spawn(move || {
            let turn = Arc::clone(&self.turn);
            self.run(queue);
            for other in others {
                if other.join().is_err() {
                    tracing::error!("a thread of the store ended by a fault");
                }
            }
            finish(&turn);
        })
    }

    fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut requests = Vec::with_capacity(limits::COMMIT_BATCH_MAX);
        let mut jobs = Vec::new();
        while queue.blocking_recv_many(&mut requests, limits::COMMIT_BATCH_MAX) > 0 {
            for request in requests.drain(..) {
                match request {
                    Request::Write(job) => jobs.push(job),
                    Request::Close => queue.close(),
                }
            }
            let Some(commit) = self.apply(mem::take(&mut jobs)) else { continue };
            if self.notes.send(Note::Committed(commit)).is_err() {
                // By a fault. Those who wait are told as the queue goes.
                return;
            }
        }
    }

    /// Writes all jobs in one transaction. Those that fail are answered; the others are once it is durable.
    pub(super) fn apply(&mut self, mut jobs: Vec<Box<dyn Job>>) -> Option<Commit> {
        let mut fresh = Vec::new();
        match self.try_apply(&mut jobs, &mut fresh) {
            Ok((refused, newest_event)) => {
                match refused.first() {
                    Some((_, error)) => self.note_failure(error),
                    None if mem::take(&mut self.failing) => tracing::info!("store commits again"),
                    None => {}
                }
                for (mut job, error) in refused {
                    job.answer(Err(error));
                }
                Some(Commit { jobs, fresh, newest_event })
            }
            Err(error) => {
                self.note_failure(&error);
                jobs.iter_mut().for_each(|job| job.answer(Err(error.clone())));
                None
            }
        }
    }

    fn note_failure(&mut self, error: &StoreError) {
        if !mem::replace(&mut self.failing, true) {
            tracing::error!(error = %Chain(error), "store cannot commit");
        }
    }

    /// Takes the jobs that cannot be written out of `jobs` and gives them, and the number of the newest event.
    fn try_apply(
        &self,
        jobs: &mut Vec<Box<dyn Job>>,
        fresh: &mut Vec<FreshDelivery>,
    ) -> Result<(Vec<Refused>, i64), StoreError> {
        let mut state = self.turn.take();
        let ready = state.ready()?;
        if ready.is_full() {
            self.wake_mover();
            return Err(StoreError::Busy);
        }
        let failed = |error| StoreError::sqlite("commit to", &self.path, error);
        let due = segments::due(&ready.connection).map_err(failed)?;
        let (refused, newest_event) = match write(&mut ready.connection, jobs, fresh, &due) {
            Err(error) if is_of_one(&error) => {
                fresh.clear();
                write_apart(&mut ready.connection, jobs, fresh, &due).map_err(failed)?
            }
            written => written.map(|newest_event| (Vec::new(), newest_event)).map_err(failed)?,
        };
        if ready.is_due() {
            self.wake_mover();
        }
        state.commit();
        Ok((refused.into_iter().map(|(job, error)| (job, failed(error))).collect(), newest_event))
    }

    fn wake_mover(&self) {
        // Full: it will look again anyway. Closed: it has ended by a fault, and the log has a bound.
        match self.due.try_send(()) {
            Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {}
        }
    }
}

/// Gives the number of the newest event, 0 if none was inserted.
fn write(
    connection: &mut Connection,
    jobs: &mut [Box<dyn Job>],
    fresh: &mut Vec<FreshDelivery>,
    due: &[Segment],
) -> rusqlite::Result<i64> {
    // Immediate: a foreign writer is met here, before there is anything to undo. On an early return the transaction
    // rolls itself back.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut changes = Changes::prepare(&transaction)?;
    for job in jobs {
        job.apply(&mut changes, fresh)?;
    }
    let newest_event = changes.newest_event();
    drop(changes);
    due.iter().try_for_each(|segment| segment.write(&transaction))?;
    transaction.commit()?;
    Ok(newest_event)
}

/// Writes what can be written after all of it together could not. Takes the jobs that fail out of `jobs` and gives
/// them, and the number of the newest event.
fn write_apart(
    connection: &mut Connection,
    jobs: &mut Vec<Box<dyn Job>>,
    fresh: &mut Vec<FreshDelivery>,
    due: &[Segment],
) -> rusqlite::Result<(Vec<Refused<rusqlite::Error>>, i64)> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut changes = Changes::prepare(&transaction)?;
    let mut failed = Vec::new();
    for (at, job) in jobs.iter_mut().enumerate() {
        let told = fresh.len();
        match changes.apart(|changes| job.apply(changes, fresh)) {
            Ok(()) => {}
            Err(error) if is_of_one(&error) => {
                fresh.truncate(told);
                failed.push((at, error));
            }
            Err(error) => return Err(error),
        }
    }
    let newest_event = changes.newest_event();
    drop(changes);
    due.iter().try_for_each(|segment| segment.write(&transaction))?;
    transaction.commit()?;
    // From the end, so that the places of the others stay right.
    let failed = failed.into_iter().rev().map(|(at, error)| (jobs.remove(at), error));
    Ok((failed.collect(), newest_event))
}

/// Whether an error comes from the rows that one request touches. All others would meet the rest too.
fn is_of_one(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, DatabaseCorrupt, TooBig, TypeMismatch};
    match error.sqlite_error_code() {
        // A row that holds something else than it should.
        None => true,
        Some(code) => matches!(code, ConstraintViolation | DatabaseCorrupt | TooBig | TypeMismatch),
    }
}

/// Empties the log, so that the database can be copied as one file.
fn finish(turn: &Turn) {
    let moved = match turn.take().ready() {
        Ok(ready) => ready
            .connection
            .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
            .map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = moved {
        tracing::warn!(error, "moving the log at the end failed; the next start makes up for it");
    }
}

#[cfg(test)]
mod tests;
