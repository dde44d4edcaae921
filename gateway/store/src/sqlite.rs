//! The store on SQLite: one writer with group commit, a few readers beside it, large bodies as files.

mod access;
mod audit;
mod bodies;
mod change;
mod checkpoint;
mod deliveries;
mod event_log;
mod events;
mod feed;
mod incidents;
mod job;
mod log;
mod migrate;
mod monitors;
mod open;
mod overview;
mod pauses;
mod pick;
mod plugin_state;
mod postings;
mod prune;
mod reader;
mod replays;
mod row;
mod runs;
mod segments;
mod steps;
mod store;
mod sync;
mod tuning;
mod turn;
mod walk;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc::sync_channel},
    thread::JoinHandle,
};

use postroom_core::{id::DeliveryId, limits};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    watch,
};

use self::{
    bodies::Bodies,
    change::{ChangeError, Changes, Highest},
    checkpoint::{Checkpoints, Moving},
    feed::{Durable, Feed},
    job::Asked,
    log::{Disk, Log},
    open::Held,
    reader::Reader,
    sync::Syncer,
    tuning::Tuning,
    turn::{Ready, Turn},
    writer::{Request, Writer},
};
use crate::{
    blob::Blobs,
    error::{OpenError, StoreError},
    records::{Committed, FreshDelivery},
};

/// Commits that may wait for the thread that syncs. With more the writer waits, and the next batch grows.
const COMMITS_AHEAD_MAX: usize = 1;

/// Where the store is and how it behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The database file. Large bodies lie beside it in `<path>.blobs/`; `<path>.lock` keeps a second gateway out.
    /// Missing folders are made, for this user alone.
    pub path: PathBuf,
    /// Commits that wait in the feed for a reader that is behind, at least one.
    pub feed_commits_max: usize,
    /// Writes that wait for the next commit, at least one; more are answered [`StoreError::Busy`].
    pub queue_max: usize,
}

impl Options {
    /// Takes the path of the database file and leaves the rest at what suits a gateway.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), feed_commits_max: 64, queue_max: limits::INTAKE_QUEUE_MAX }
    }
}

/// An open store, its feed of commits, and the mark of the highest delivery id; see [`SqliteStore::open`].
pub type Opened = (SqliteStore, mpsc::Receiver<Committed>, watch::Receiver<Option<DeliveryId>>);

/// A store in one SQLite file and a folder of large bodies.
///
/// It needs a tokio runtime for reads and large bodies. Dropping it finishes what is queued and blocks until that is
/// done; [`SqliteStore::close`] does the same without blocking.
#[derive(Debug)]
pub struct SqliteStore {
    /// `None` only while the store is dropped.
    queue: Option<mpsc::Sender<Request>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    reader: Reader,
    bodies: Bodies,
    durable: Durable,
    log_end: watch::Receiver<i64>,
    pruning: tokio::sync::Mutex<steps::Progress>,
}

impl SqliteStore {
    /// Opens the database, or makes it, and brings its schema to the newest version.
    ///
    /// Gives the store; the feed of commits, which leaves commits out when it is not read in time; and the highest
    /// delivery id that was ever committed, which never leaves anything out: a reader that finds it above the last id
    /// of the feed reads what is missing by [`crate::Store::waiting`].
    ///
    /// # Errors
    /// When another gateway uses the file, when it is no Postroom database or a newer one, or when it cannot be read
    /// or written.
    pub fn open(options: Options) -> Result<Opened, OpenError> {
        Self::open_on(options, Arc::new(log::System), Tuning::default())
    }

    fn open_on(options: Options, disk: Arc<dyn Disk>, tuning: Tuning) -> Result<Opened, OpenError> {
        let Options { path, feed_commits_max, queue_max } = options;
        let lock = open::Lock::take(&path)?;
        let file = Arc::new(open::file(&path)?);
        let failed = |action, path: &Path, source| OpenError::Io { action, path: path.to_owned(), source };
        let path: Arc<Path> = path.into();
        let connection = open::writer(&path, &*disk)?;
        let unreadable = |source| OpenError::Sqlite { action: "read", path: path.to_path_buf(), source };
        let highest = Highest::read(&connection).map_err(unreadable)?;
        let (pages, _) = open::log_pages(&connection).map_err(unreadable)?;
        let turn = Arc::new(Turn::new(Ready::new(connection, pages, tuning).map_err(unreadable)?));
        let log = Log::open(Arc::clone(&path), Arc::clone(&disk))
            .map_err(|error| failed("open the log of", &path, error))?;
        let folder = open::beside(&path, ".blobs");
        let blobs = Blobs::open(folder.clone()).map_err(|error| failed("open the folder", &folder, error))?;

        let (feed, commits) = mpsc::channel(feed_commits_max.max(1));
        let (mark, marks) = watch::channel(highest.delivery);
        let (end, log_end) = watch::channel(highest.event);
        let (queue, requests) = mpsc::channel(queue_max.max(1));
        let (notes, noted) = sync_channel(COMMITS_AHEAD_MAX);
        let (due, woken) = sync_channel(1);
        let moving = Arc::new(Moving::new(Arc::clone(&path), &tuning));
        let feed = Feed::new(feed, mark, end);
        let durable = feed.durable();
        let reader = Reader::new(Arc::clone(&path), Held { _file: Arc::clone(&file), _lock: lock });
        let syncer = Syncer {
            path: Arc::clone(&path),
            log,
            feed,
            turn: Arc::clone(&turn),
            reader: reader.clone(),
            moving: Arc::clone(&moving),
            tuning,
            noted: 0,
        };
        let checkpoints = Checkpoints {
            path: Arc::clone(&path),
            file: Arc::clone(&file),
            disk,
            moving,
            turn: Arc::clone(&turn),
            notes: notes.clone(),
        };
        let writer = Writer { path: Arc::clone(&path), turn, notes, due, failing: false };
        let start = || {
            let others = vec![syncer.start(noted)?, checkpoints.start(woken)?];
            writer.start(requests, others)
        };
        let writer = start().map_err(|error| failed("start the threads of", &path, error))?;
        let store = Self {
            queue: Some(queue),
            writer: Mutex::new(Some(writer)),
            reader,
            bodies: Bodies::new(blobs),
            durable,
            log_end,
            pruning: tokio::sync::Mutex::default(),
        };
        Ok((store, commits, marks))
    }

    /// Finishes what is queued, brings everything into the database file, and ends the writer. Later writes are
    /// answered [`StoreError::Stopped`]; reads still work.
    pub async fn close(&self) {
        if let Ok(queue) = self.queue() {
            // An error means that the writer has ended already.
            drop(queue.send(Request::Close).await);
        }
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && let Err(error) = tokio::task::spawn_blocking(move || join(writer)).await
        {
            tracing::error!(error = %error, "waiting for the store's writer failed");
        }
    }

    fn queue(&self) -> Result<&mpsc::Sender<Request>, StoreError> {
        self.queue.as_ref().ok_or(StoreError::Stopped)
    }

    /// Takes a place in the queue if there is one.
    fn place(&self) -> Result<mpsc::Permit<'_, Request>, StoreError> {
        self.queue()?.try_reserve().map_err(|error| match error {
            TrySendError::Full(()) => StoreError::Busy,
            TrySendError::Closed(()) => StoreError::Stopped,
        })
    }

    /// Writes with what has gathered, and waits for its turn however much waits already.
    async fn write<T, W>(&self, write: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnMut(&mut Changes<'_>, &mut Vec<FreshDelivery>) -> Result<T, ChangeError> + Send + 'static,
    {
        self.ask(job::change(write)).await
    }

    /// Waits for its turn however much waits already.
    async fn ask<T>(&self, asked: Asked<T>) -> Result<T, StoreError> {
        let place = self.queue()?.reserve().await.map_err(|_| StoreError::Stopped)?;
        commit(place, asked).await
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // Without a sender the writer ends once the queue is empty.
        self.queue = None;
        if let Some(writer) = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            join(writer);
        }
        // Whoever opens the database next should not have to wait for reads that nobody waits for any more.
        drop(self.reader.shut());
    }
}

/// Hands a job to the writer and gives what it gave once that is durable.
async fn commit<T>(place: mpsc::Permit<'_, Request>, (job, answered): Asked<T>) -> Result<T, StoreError> {
    place.send(Request::Write(job));
    answered.await.map_err(|_| StoreError::Stopped)?
}

fn join(writer: JoinHandle<()>) {
    if writer.join().is_err() {
        tracing::error!("the store's writer ended by a fault");
    }
}

#[cfg(test)]
mod tests;
