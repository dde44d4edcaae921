//! The thread that makes commits durable: one fsync for all that have gathered, while the writer applies the next.
//!
//! The writer commits without fsync (`synchronous = NORMAL`): the transaction is then in the log as far as SQLite is
//! concerned, but only in the kernel's memory. This thread syncs the log and only then tells anyone: first the feed,
//! then the mark of the highest delivery, then those who wait, commit by commit. So neither an answer nor the feed
//! ever tells of something that a crash can take back. A reader beside the writer may see a commit a moment earlier;
//! those who read what to deliver stop at the mark.
//!
//! What SQLite relies on still holds. A checkpoint syncs the log before it writes into the database file, and syncs
//! that file before the log may start again. A log that starts again has its new header on disk before its first frame.
//! After a crash SQLite reads the log up to the last commit whose checksums are right: all that was answered is there.
//!
//! # When it fails
//! A commit that cannot be written into the log (full disk, I/O error) is rolled back by SQLite: its frames have no
//! commit mark, and the next commit overwrites them. The same holds for a short write.
//!
//! An fsync that fails leaves pages that the kernel may have dropped while it counts them as written; a second fsync
//! would say nothing about them. That goes for the log, and for the database file when a checkpoint fails, where SQLite
//! itself would only repeat the last part of its work. So either way nothing is applied any more, all connections are
//! closed, every byte of the log is written once more and synced ([`Log::restore`]), and the database is opened again
//! as after a crash: SQLite then checks every frame of the log, and forgets how much of it was in the database file
//! already. The log still has everything since the last time that file was known to be whole. Opening the store does
//! the same, for an earlier process may have failed before it.
//!
//! If that succeeds at once, and the log is as long as it was, the commits are durable and answered as such. How long it
//! is must come from the file alone, so another program that has the database open keeps it from succeeding. If not,
//! they are answered with the error, as is everything that comes, and tried again until it succeeds. Then what was
//! refused is taken back before anything else, the last first: an event whose sender was told that it was not kept is
//! removed, a pause that was refused does not hold. What remains: when the process ends between the two, what was
//! refused may be found at the next start, and be done.
//!
//! The writer tells of a commit a moment after it has made it. Nothing is taken back before it has told of all: a
//! commit that comes later may rest on one that is gone by then.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread,
};

use postroom_core::chain::Chain;

use super::{
    change::{Changes, Highest},
    checkpoint::Moving,
    feed::Feed,
    job::Job,
    log::{Log, LogError},
    open,
    reader::Reader,
    tuning::Tuning,
    turn::{Last, Ready, Turn},
};
use crate::{error::StoreError, records::FreshDelivery};

/// One commit that is not durable yet.
pub(super) struct Commit {
    pub(super) jobs: Vec<Box<dyn Job>>,
    pub(super) fresh: Vec<FreshDelivery>,
    /// The number of the newest event in it, 0 if there is none.
    pub(super) newest_event: i64,
}

/// What the thread is told.
pub(super) enum Note {
    Committed(Commit),
    /// The database file could not be synced; nothing is applied any more.
    Suspect(StoreError),
}

/// What the thread works with.
#[derive(Debug)]
pub(super) struct Syncer {
    pub(super) path: Arc<Path>,
    pub(super) log: Log,
    pub(super) feed: Feed,
    pub(super) turn: Arc<Turn>,
    pub(super) reader: Reader,
    pub(super) moving: Arc<Moving>,
    pub(super) tuning: Tuning,
    /// Commits of which the writer has told.
    pub(super) noted: u64,
}

impl Syncer {
    /// Starts the thread. It ends when nobody can tell it anything any more.
    pub(super) fn start(self, notes: Receiver<Note>) -> io::Result<thread::JoinHandle<()>> {
        thread::Builder::new().name("store-sync".to_owned()).spawn(move || self.run(&notes))
    }

    fn run(mut self, notes: &Receiver<Note>) {
        while let Ok(note) = notes.recv() {
            self.settle(note, notes);
        }
    }

    /// Makes durable what `note` and the notes behind it tell of, and tells those who wait.
    pub(super) fn settle(&mut self, note: Note, notes: &Receiver<Note>) {
        let mut commits = Vec::new();
        let mut suspect = None;
        for note in std::iter::once(note).chain(notes.try_iter()) {
            match note {
                Note::Committed(commit) => {
                    self.noted += 1;
                    commits.push(commit);
                }
                Note::Suspect(error) => suspect = Some(error),
            }
        }
        let synced = match suspect {
            Some(error) => Err(error),
            None => self.sync(),
        };
        match synced {
            Ok(()) => commits.into_iter().for_each(|commit| self.tell(commit)),
            Err(error) => self.recover(&error, commits, notes),
        }
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.log.sync().map_err(|error| StoreError::io("sync the log of", &self.path, error))
    }

    /// Tells of a durable commit.
    fn tell(&self, commit: Commit) {
        self.feed.publish(commit.fresh, commit.newest_event);
        for mut job in commit.jobs {
            job.answer(Ok(()));
        }
    }

    /// Finds out what became of `commits`, and lets the writer go on once all that is in the log is durable.
    fn recover(&mut self, error: &StoreError, commits: Vec<Commit>, notes: &Receiver<Note>) {
        tracing::error!(error = %Chain(error), "the last commits may not be on disk; nothing is accepted until they are");
        let turn = Arc::clone(&self.turn);
        // Held for the first attempt, so that whoever comes meanwhile waits instead of being refused.
        let mut state = turn.take();
        let last = state.break_off(error.clone());
        match self.restore().and_then(|ready| self.with_its_end(ready, last)) {
            Ok(ready) => {
                state.mend(ready);
                drop(state);
                commits.into_iter().for_each(|commit| self.tell(commit));
                tracing::info!("the last commits are on disk, the store goes on");
                return;
            }
            Err(error) => tracing::error!(error = %Chain(&error), "the log cannot be brought to the disk"),
        }
        drop(state);
        let mut refused = Vec::new();
        let mut refuse = |commit: Commit| {
            for mut job in commit.jobs {
                job.answer(Err(error.clone()));
                refused.push(job);
            }
        };
        commits.into_iter().for_each(&mut refuse);
        while self.noted < last.commits {
            match notes.recv() {
                Ok(Note::Committed(commit)) => {
                    self.noted += 1;
                    refuse(commit);
                }
                Ok(Note::Suspect(_)) => {}
                // The writer has ended by a fault.
                Err(_) => break,
            }
        }
        loop {
            let at_the_end = match notes.recv_timeout(self.tuning.restore_interval) {
                Ok(_) => continue,
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            match self.restore().and_then(|ready| self.without(ready, &refused)) {
                Ok((ready, highest)) => {
                    turn.take().mend(ready);
                    // The feed has not told of what was refused and stays; the mark makes its reader look.
                    self.feed.mark(highest.delivery);
                    self.feed.mark_event(highest.event);
                    tracing::info!("the log is on disk, the store goes on");
                    return;
                }
                Err(error) => tracing::debug!(error = %Chain(&error), "the log is still broken"),
            }
            if at_the_end {
                return;
            }
        }
    }

    /// Opens the database again as after a crash, with a log that is on disk for certain.
    fn restore(&mut self) -> Result<Ready, StoreError> {
        let path = Arc::clone(&self.path);
        let failed = |error| StoreError::sqlite("open", &path, error);
        // Whoever comes meanwhile waits: a single connection that stays open would keep SQLite from reading the log.
        let _no_reads = self.reader.shut();
        let _not_moved = self.moving.shut();
        let no_log = |error| StoreError::io("sync the log of", &path, error);
        self.log.restore().map_err(|error| match error {
            LogError::Sqlite(error) => failed(error),
            LogError::Io(error) => no_log(error),
        })?;
        let on_disk = open::log_pages_on_disk(&path).map_err(failed)?;
        let pages = on_disk.ok_or_else(|| self.broken("another program has the database open"))?;
        let connection = open::writer_again(&path).map_err(failed)?;
        if open::log_pages(&connection).map_err(failed)? != (pages, 0) {
            return Err(self.broken("another program writes to the database"));
        }
        self.log.reopen().map_err(no_log)?;
        Ready::new(connection, pages, self.tuning).map_err(failed)
    }

    /// Makes sure that the log has all that it had.
    fn with_its_end(&self, ready: Ready, last: Last) -> Result<Ready, StoreError> {
        if ready.pages() < last.pages { Err(self.broken("its end was lost")) } else { Ok(ready) }
    }

    /// Takes back what was refused. Gives the highest numbers too.
    fn without(&self, mut ready: Ready, refused: &[Box<dyn Job>]) -> Result<(Ready, Highest), StoreError> {
        let failed = |error| StoreError::sqlite("commit to", &self.path, error);
        if !refused.is_empty() {
            take_back(&mut ready, refused).map_err(failed)?;
            self.sync()?;
        }
        let highest = Highest::read(&ready.connection).map_err(failed)?;
        Ok((ready, highest))
    }

    fn broken(&self, cause: &str) -> StoreError {
        StoreError::io("read the log of", &self.path, io::Error::other(cause.to_owned()))
    }
}

/// The last first: what was there before a change is put back over what came after it.
fn take_back(ready: &mut Ready, refused: &[Box<dyn Job>]) -> rusqlite::Result<()> {
    let transaction = ready.connection.transaction()?;
    let mut changes = Changes::prepare(&transaction)?;
    for job in refused.iter().rev() {
        job.take_back(&mut changes)?;
    }
    drop(changes);
    transaction.commit()
}

#[cfg(test)]
mod tests;
