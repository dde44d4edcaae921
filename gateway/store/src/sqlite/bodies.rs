//! Where bodies are kept: small ones in their event's row, large ones as files.

use std::sync::Arc;

use bytes::Bytes;
use postroom_core::{id::EventId, limits};
use tokio::sync::Semaphore;

use super::{
    events::{self, BodyPlace},
    reader::Reader,
};
use crate::{
    blob::{BlobName, BlobWriter, Blobs, ReadBlobError},
    body::{Body, BodyFile, BodyWriter, KeptBody, NewBody},
    error::StoreError,
};

/// Large bodies that are written at once; each holds a thread for the time of an fsync.
const BLOB_WRITES_MAX: usize = 8;

/// Large bodies that are read through at once.
const BLOB_READS_MAX: usize = 4;

/// A body as its row has it.
#[derive(Debug)]
pub(super) enum StoredBody {
    Inline(Bytes),
    File(KeptBody),
}

impl StoredBody {
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Inline(body) => body.len() as u64,
            Self::File(body) => body.bytes(),
        }
    }

    /// Says that the row is durable.
    pub(super) fn settle(&self) {
        if let Self::File(body) = self {
            body.settle();
        }
    }
}

/// The large bodies of a store, and how many are written and read at once.
#[derive(Debug)]
pub(super) struct Bodies {
    blobs: Arc<Blobs>,
    writes: Arc<Semaphore>,
    reads: Arc<Semaphore>,
}

impl Bodies {
    pub(super) fn new(blobs: Blobs) -> Self {
        let [writes, reads] = [BLOB_WRITES_MAX, BLOB_READS_MAX].map(|max| Arc::new(Semaphore::new(max)));
        Self { blobs: Arc::new(blobs), writes, reads }
    }

    pub(super) fn blobs(&self) -> &Arc<Blobs> {
        &self.blobs
    }

    pub(super) fn begin(&self) -> Box<dyn BodyWriter> {
        Box::new(BlobWriter::new(Arc::clone(&self.blobs), Arc::clone(&self.writes)))
    }

    /// Brings a body to where its row will look for it.
    pub(super) async fn keep(&self, body: NewBody) -> Result<StoredBody, StoreError> {
        match body {
            NewBody::Kept(body) => Ok(StoredBody::File(body)),
            NewBody::Inline(body) if body.len() <= limits::INLINE_BODY_BYTES_MAX => {
                Ok(StoredBody::Inline(body))
            }
            NewBody::Inline(body) => {
                let mut writer = self.begin();
                writer.write(body).await?;
                writer.finish().await.map(StoredBody::File)
            }
        }
    }

    /// Reads a body back.
    pub(super) async fn read(&self, reader: &Reader, id: EventId) -> Result<Option<Body>, StoreError> {
        let place = look_up(reader, id).await?;
        self.read_from(place, reader, id).await
    }

    /// Reads a body from where its row said that it is. That may be some time ago.
    async fn read_from(
        &self,
        place: Option<BodyPlace>,
        reader: &Reader,
        id: EventId,
    ) -> Result<Option<Body>, StoreError> {
        match place {
            None => Ok(None),
            Some(BodyPlace::Inline(body)) => Ok(Some(Body::Inline(body))),
            Some(BodyPlace::File { row, name, bytes }) => match self.open(row, name, bytes).await {
                // The event may have been removed since, and the file with it.
                Err(StoreError::Corrupt { .. }) if look_up(reader, id).await?.is_none() => Ok(None),
                opened => opened.map(Some),
            },
        }
    }

    async fn open(&self, row: i64, name: BlobName, bytes: u64) -> Result<Body, StoreError> {
        // After the read, with permits of its own: reading through a large file takes time, and an old snapshot holds up
        // the log, a permit those who read rows.
        let permit = Arc::clone(&self.reads).acquire_owned().await.map_err(|_| StoreError::Stopped)?;
        let blobs = Arc::clone(&self.blobs);
        let reading = tokio::task::spawn_blocking(move || {
            // Held here and not by the caller, who may stop waiting while the read still runs.
            let _permit = permit;
            blobs.get(name, bytes)
        });
        match reading.await.map_err(|_| StoreError::Stopped)? {
            Ok(file) => Ok(Body::File(BodyFile { file: Arc::new(file), bytes })),
            Err(ReadBlobError::Io(error)) => {
                Err(StoreError::io("read a large body of", self.blobs.folder(), error))
            }
            Err(error @ (ReadBlobError::Missing(_) | ReadBlobError::Changed(_))) => {
                Err(StoreError::Corrupt { table: "event", row, cause: format!("blob: {error}") })
            }
        }
    }
}

async fn look_up(reader: &Reader, id: EventId) -> Result<Option<BodyPlace>, StoreError> {
    reader.read(move |transaction| events::body(transaction, id)).await
}

#[cfg(test)]
mod tests;
