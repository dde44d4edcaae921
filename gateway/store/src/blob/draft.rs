//! A body that is being written.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    mem,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    sync::Arc,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{BlobName, Blobs, PIECE_BYTES, Pin, make_private_folder, sync_folder};
use crate::{
    body::{BodyWriter, KeptBody},
    error::StoreError,
};

/// A temporary file that becomes a body. All methods block.
#[derive(Debug)]
pub(crate) struct Draft {
    blobs: Arc<Blobs>,
    file: File,
    temporary: Temporary,
    hash: Sha256,
    bytes: u64,
}

impl Draft {
    pub(crate) fn begin(blobs: Arc<Blobs>) -> io::Result<Self> {
        let path = blobs.temporary_path();
        let file = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { blobs, file, temporary: Temporary(path), hash: Sha256::new(), bytes: 0 })
    }

    pub(crate) fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece)?;
        self.hash.update(piece);
        self.bytes += piece.len() as u64;
        Ok(())
    }

    /// Gives the body its name; bytes and name are on disk when this returns.
    pub(crate) fn finish(self) -> io::Result<KeptBody> {
        self.file.sync_all()?;
        let name = BlobName::from_bytes(self.hash.finalize().into());
        let pin = Pin::new(Arc::clone(&self.blobs), name, self.bytes);
        let path = self.blobs.path(name);
        let folder = path.parent().expect("a blob's path has the folder of its first two digits");
        make_private_folder(folder)?;
        fs::rename(&self.temporary.0, &path)?;
        mem::forget(self.temporary);
        sync_folder(folder)?;
        // Whoever made the folder may not have come to the end of this function yet.
        sync_folder(&self.blobs.folder)?;
        Ok(KeptBody::new(pin))
    }
}

/// Goes with its owner: on a full disk a half-written file would hold the very space that is missing.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // If this fails too, the next start does it.
        drop(fs::remove_file(&self.0));
    }
}

/// Writes a body from async code. Small pieces are gathered, so that a thread that may block is worth its wake-up.
#[derive(Debug)]
pub(crate) struct BlobWriter {
    blobs: Arc<Blobs>,
    permits: Arc<Semaphore>,
    gathered: Vec<Bytes>,
    gathered_bytes: usize,
    progress: Progress,
}

#[derive(Debug)]
enum Progress {
    Empty,
    Begun(Draft),
    /// A piece may be missing: it failed, or its caller went away while it was written.
    Broken,
}

impl BlobWriter {
    /// Takes `permits` to bound how many threads write bodies at once.
    pub(crate) fn new(blobs: Arc<Blobs>, permits: Arc<Semaphore>) -> Self {
        Self { blobs, permits, gathered: Vec::new(), gathered_bytes: 0, progress: Progress::Empty }
    }

    /// Runs `work` on the draft after all that was gathered is in it, on a thread that may block.
    async fn work<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(Draft) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Stopped)?;
        let blobs = Arc::clone(&self.blobs);
        let pieces = mem::take(&mut self.gathered);
        self.gathered_bytes = 0;
        let progress = mem::replace(&mut self.progress, Progress::Broken);
        let writing = spawn_blocking(move || {
            // Held here and not by the caller, who may stop waiting while the write still runs.
            let _permit = permit;
            let mut draft = match progress {
                Progress::Empty => Draft::begin(blobs)?,
                Progress::Begun(draft) => draft,
                Progress::Broken => return Err(io::Error::other("an earlier piece was not written")),
            };
            for piece in pieces {
                draft.write(&piece)?;
            }
            work(draft)
        });
        let written = writing.await.map_err(|_| StoreError::Stopped)?;
        written.map_err(|error| StoreError::io("write a large body to", self.blobs.folder(), error))
    }
}

impl BodyWriter for BlobWriter {
    fn write(&mut self, piece: Bytes) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.gathered_bytes += piece.len();
            self.gathered.push(piece);
            if self.gathered_bytes >= PIECE_BYTES {
                self.progress = Progress::Begun(self.work(Ok).await?);
            }
            Ok(())
        })
    }

    fn finish(mut self: Box<Self>) -> BoxFuture<'static, Result<KeptBody, StoreError>> {
        Box::pin(async move { self.work(Draft::finish).await })
    }
}
