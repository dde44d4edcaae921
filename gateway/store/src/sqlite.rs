//! The store on SQLite: one writer with group commit, a few readers beside it, large bodies as files.

mod change;
mod checkpoint;
mod deliveries;
mod events;
mod migrate;
mod open;
mod reader;
mod row;
mod walk;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use postroom_core::{
    id::{DeliveryId, EventId},
    lane::{LaneKey, Ticket},
    limits,
};
use tokio::sync::{
    Semaphore,
    mpsc::{self, error::TrySendError},
    oneshot, watch,
};

use self::{
    change::{EventRow, StoredBody},
    reader::Reader,
    writer::{Request, Work, Writer},
};
use crate::{
    Store,
    blob::Blobs,
    error::{OpenError, StoreError},
    page::{DeliveryFilter, EventFilter, Page, PageRequest},
    records::{
        Accepted, Committed, DeliveryChange, DeliveryDetail, DeliveryRecord, EventRecord, NewEvent,
        WaitingCount,
    },
};

/// Large bodies that are written at once; each holds a thread for the time of an fsync.
const BLOB_WRITES_MAX: usize = 8;

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
    blobs: Arc<Blobs>,
    blob_permits: Arc<Semaphore>,
    // Last, so that the database is closed before someone else may open it.
    _lock: open::Lock,
}

impl SqliteStore {
    /// Opens the database, or makes it, and brings its schema to the newest version.
    ///
    /// Gives the store; the feed of commits, which leaves commits out when it is not read in time; and the highest
    /// delivery id that was ever committed, which never leaves anything out: a reader that finds it above the last id
    /// of the feed reads what is missing by [`Store::waiting`].
    ///
    /// # Errors
    /// When another gateway uses the file, when it is no Postroom database or a newer one, or when it cannot be read
    /// or written.
    pub fn open(options: Options) -> Result<Opened, OpenError> {
        let Options { path, feed_commits_max, queue_max } = options;
        let lock = open::Lock::take(&path)?;
        let connection = open::writer(&path)?;
        let highest = change::highest_delivery(&connection).map_err(|source| OpenError::Sqlite {
            action: "read",
            path: path.clone(),
            source,
        })?;
        let folder = open::beside(&path, ".blobs");
        let blobs = Blobs::open(folder.clone()).map_err(|source| OpenError::Io {
            action: "open the folder",
            path: folder,
            source,
        })?;

        let path: Arc<Path> = path.into();
        let (feed, commits) = mpsc::channel(feed_commits_max.max(1));
        let (mark, marks) = watch::channel(highest);
        let (queue, requests) = mpsc::channel(queue_max.max(1));
        let writer =
            Writer::new(connection, Arc::clone(&path), feed, mark).start(requests).map_err(|source| {
                OpenError::Io { action: "start the writer of", path: path.to_path_buf(), source }
            })?;
        let store = Self {
            queue: Some(queue),
            writer: Mutex::new(Some(writer)),
            reader: Reader::new(path),
            blobs: Arc::new(blobs),
            blob_permits: Arc::new(Semaphore::new(BLOB_WRITES_MAX)),
            _lock: lock,
        };
        Ok((store, commits, marks))
    }

    /// Finishes what is queued, brings everything into the database file, and ends the writer. Later writes are
    /// answered [`StoreError::Stopped`]; reads still work.
    pub async fn close(&self) {
        if let Ok(queue) = self.queue() {
            let (answer, _) = oneshot::channel();
            // An error means that the writer has ended already.
            drop(queue.send(Request { work: Work::Close, answer }).await);
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

    async fn keep_body(&self, body: Bytes) -> Result<StoredBody, StoreError> {
        if body.len() <= limits::INLINE_BODY_BYTES_MAX {
            return Ok(StoredBody::Inline(body));
        }
        let permit = Arc::clone(&self.blob_permits).acquire_owned().await.map_err(|_| StoreError::Stopped)?;
        let blobs = Arc::clone(&self.blobs);
        let writing = tokio::task::spawn_blocking(move || {
            // Held here and not by the caller, who may stop waiting while the write still runs.
            let _permit = permit;
            blobs.put(&body).map_err(|error| StoreError::io("write a large body to", blobs.folder(), error))
        });
        writing.await.map_err(|_| StoreError::Stopped)?.map(StoredBody::Blob)
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // Without a sender the writer ends once the queue is empty.
        self.queue = None;
        if let Some(writer) = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            join(writer);
        }
    }
}

/// Hands `work` to the writer and waits for its commit.
async fn commit(place: mpsc::Permit<'_, Request>, work: Work) -> Result<Vec<DeliveryId>, StoreError> {
    let (answer, answered) = oneshot::channel();
    place.send(Request { work, answer });
    answered.await.map_err(|_| StoreError::Stopped)?
}

fn join(writer: JoinHandle<()>) {
    if writer.join().is_err() {
        tracing::error!("the store's writer ended by a fault");
    }
}

impl Store for SqliteStore {
    fn accept(&self, new: NewEvent) -> BoxFuture<'_, Result<Accepted, StoreError>> {
        Box::pin(async move {
            // The place comes first: an event that is refused must not leave its body behind.
            let place = self.place()?;
            let body = self.keep_body(new.body.clone()).await?;
            let row = Box::new(EventRow::new(new, body));
            let deliveries = commit(place, Work::Accept(row)).await?;
            Ok(Accepted { deliveries })
        })
    }

    fn record(&self, changes: Vec<DeliveryChange>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let place = self.queue()?.reserve().await.map_err(|_| StoreError::Stopped)?;
            commit(place, Work::Record(changes)).await.map(drop)
        })
    }

    fn waiting(
        &self,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Ticket>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| deliveries::waiting(transaction, after, limit)))
    }

    fn waiting_in_lane(
        &self,
        lane: LaneKey,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Ticket>, StoreError>> {
        Box::pin(
            self.reader
                .read(move |transaction| deliveries::waiting_in_lane(transaction, &lane, after, limit)),
        )
    }

    fn waiting_counts(&self) -> BoxFuture<'_, Result<Vec<WaitingCount>, StoreError>> {
        Box::pin(self.reader.read(deliveries::waiting_counts))
    }

    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<EventRecord>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| events::event(transaction, id)))
    }

    fn body(&self, id: EventId) -> BoxFuture<'_, Result<Option<Bytes>, StoreError>> {
        let blobs = Arc::clone(&self.blobs);
        Box::pin(self.reader.read(move |transaction| {
            let body = events::body(transaction, id, &blobs)?;
            Ok(body.map(Bytes::from))
        }))
    }

    fn events(
        &self,
        filter: EventFilter,
        page: PageRequest,
    ) -> BoxFuture<'_, Result<Page<EventRecord>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| events::events(transaction, &filter, page)))
    }

    fn deliveries(
        &self,
        filter: DeliveryFilter,
        page: PageRequest,
    ) -> BoxFuture<'_, Result<Page<DeliveryRecord>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| deliveries::deliveries(transaction, &filter, page)))
    }

    fn delivery(&self, id: DeliveryId) -> BoxFuture<'_, Result<Option<DeliveryDetail>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| deliveries::delivery(transaction, id)))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            commit(self.place()?, Work::Check).await?;
            self.reader.read(|transaction| Ok(transaction.query_row("SELECT 1", [], |_| Ok(()))?)).await
        })
    }
}

#[cfg(test)]
mod tests;
