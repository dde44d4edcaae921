//! Bodies on their way in and out. Small ones are bytes in a row, large ones files that nobody holds whole.

use std::{fmt, fs::File, io, os::unix::fs::FileExt, sync::Arc};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::{
    blob::{BlobName, Pin},
    error::StoreError,
};

/// The body of an event to keep.
#[derive(Debug, Clone)]
pub enum NewBody {
    /// In memory. Above [`postroom_core::limits::INLINE_BODY_BYTES_MAX`] the store keeps it as a file.
    Inline(Bytes),
    /// Already a file, see [`crate::Store::begin_body`].
    Kept(KeptBody),
}

impl NewBody {
    /// Its length.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Inline(body) => body.len() as u64,
            Self::Kept(body) => body.bytes(),
        }
    }
}

impl<B: Into<Bytes>> From<B> for NewBody {
    fn from(body: B) -> Self {
        Self::Inline(body.into())
    }
}

/// A body that is a file on disk but belongs to no event yet. Once the last clone is dropped and no event names the
/// file, it may be removed.
#[derive(Clone)]
pub struct KeptBody(Arc<Pin>);

impl KeptBody {
    pub(crate) fn new(pin: Pin) -> Self {
        Self(Arc::new(pin))
    }

    /// Its length.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    /// The SHA-256 of its bytes.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        *self.name().as_bytes()
    }

    /// Opens it for reading. Blocks.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(&self) -> io::Result<File> {
        self.0.open()
    }

    pub(crate) fn name(&self) -> BlobName {
        self.0.name()
    }

    /// Says that an event that is durable names it.
    pub(crate) fn settle(&self) {
        self.0.settle();
    }
}

impl fmt::Debug for KeptBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptBody").field("name", &self.name()).field("bytes", &self.bytes()).finish()
    }
}

/// Takes a large body piece by piece. Dropped before [`finish`](Self::finish), it leaves nothing behind.
pub trait BodyWriter: fmt::Debug + Send {
    /// Appends a piece. It may stay in memory until more have come; what stays is bounded.
    fn write(&mut self, piece: Bytes) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Brings the whole body to the disk.
    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<KeptBody, StoreError>>;
}

/// The body of a stored event, byte for byte as it was accepted.
#[derive(Debug, Clone)]
pub enum Body {
    /// In memory.
    Inline(Bytes),
    /// A file. Its length and its SHA-256 were right when it was opened.
    File(BodyFile),
}

/// A large body, opened for reading only. Everyone who reads it shares one file position, so nobody uses that: read
/// at an offset, or map it.
#[derive(Debug, Clone)]
pub struct BodyFile {
    /// The file.
    pub file: Arc<File>,
    /// Its length.
    pub bytes: u64,
}

impl Body {
    /// Its length.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Inline(body) => body.len() as u64,
            Self::File(body) => body.bytes,
        }
    }

    /// Reads it whole into memory; for bodies that are known to be small enough.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn read(self) -> io::Result<Bytes> {
        let BodyFile { file, bytes } = match self {
            Self::Inline(body) => return Ok(body),
            Self::File(body) => body,
        };
        let length = usize::try_from(bytes).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let reading = tokio::task::spawn_blocking(move || {
            let mut body = vec![0; length];
            file.read_exact_at(&mut body, 0)?;
            Ok(Bytes::from(body))
        });
        reading.await?
    }
}
