//! Large bodies as files, named by what is in them.
//!
//! A body gets its name only after its bytes are on disk, and the name is on disk before [`Blobs::put`] returns. So a
//! row may point to it, and a file with a final name is always whole. A crash in between leaves a file in `tmp/`,
//! which the next [`Blobs::open`] removes.

use std::{
    fmt::{self, Write as _},
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use sha2::{Digest, Sha256};

/// The SHA-256 of a body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlobName([u8; 32]);

impl BlobName {
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn of(body: &[u8]) -> Self {
        Self(Sha256::digest(body).into())
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobName({self})")
    }
}

/// Why a body could not be read back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadBlobError {
    #[error("its body is missing: there is no file {0}")]
    Missing(BlobName),
    #[error("its body was changed: file {0} no longer holds what its name says")]
    Changed(BlobName),
    #[error("failed to read the body")]
    Io(#[from] io::Error),
}

/// A folder of large bodies. All methods block.
#[derive(Debug)]
pub(crate) struct Blobs {
    folder: PathBuf,
    next_temporary: AtomicU64,
}

impl Blobs {
    /// Opens the folder, makes it if needed, and removes what a crash left half written. The caller sees to it that
    /// no other process uses it.
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        let blobs = Self { folder, next_temporary: AtomicU64::new(0) };
        let temporary = blobs.temporary_folder();
        make_private_folder(&temporary)?;
        for entry in fs::read_dir(&temporary)? {
            fs::remove_file(entry?.path())?;
        }
        Ok(blobs)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps `body` and gives its name; both are on disk when this returns. The same bytes are kept once.
    pub(crate) fn put(&self, body: &[u8]) -> io::Result<BlobName> {
        let name = BlobName::of(body);
        let path = self.path(name);
        let folder = path.parent().expect("a blob's path has the folder of its first two digits");
        // Read and not only looked at: a file that has rotted must not stand in for the good bytes at hand.
        if self.get(name, body.len() as u64).is_ok() {
            // Whoever wrote it may not have come to the end of this function yet.
            self.sync_names(folder)?;
            return Ok(name);
        }
        make_private_folder(folder)?;
        let temporary =
            self.temporary_folder().join(self.next_temporary.fetch_add(1, Ordering::Relaxed).to_string());
        let written = write_synced(&temporary, body).and_then(|()| fs::rename(&temporary, &path));
        if let Err(error) = written {
            // On a full disk the half-written file would hold the very space that is missing. If removing it fails
            // too, the next start does it.
            drop(fs::remove_file(&temporary));
            return Err(error);
        }
        self.sync_names(folder)?;
        Ok(name)
    }

    /// Reads a body of `bytes` bytes and makes sure that it is what was kept.
    pub(crate) fn get(&self, name: BlobName, bytes: u64) -> Result<Vec<u8>, ReadBlobError> {
        let body = fs::read(self.path(name)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ReadBlobError::Missing(name),
            _ => ReadBlobError::Io(error),
        })?;
        if body.len() as u64 != bytes || BlobName::of(&body) != name {
            return Err(ReadBlobError::Changed(name));
        }
        Ok(body)
    }

    /// `ab/abcdef…`: a folder with a million names is slow to list and to back up.
    fn path(&self, name: BlobName) -> PathBuf {
        let mut digits = String::with_capacity(64);
        write!(digits, "{name}").expect("writing to a string does not fail");
        self.folder.join(&digits[..2]).join(digits)
    }

    fn temporary_folder(&self) -> PathBuf {
        self.folder.join("tmp")
    }

    fn sync_names(&self, folder: &Path) -> io::Result<()> {
        sync_folder(folder)?;
        sync_folder(&self.folder)
    }
}

/// Makes a folder and those above it, for this user alone: bodies may hold secrets of the one who sent them. Each is on
/// disk when this returns.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    make_private_folder(parent)?;
    match fs::DirBuilder::new().mode(0o700).create(path) {
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_folder(parent),
    }
}

/// Makes the names in a folder durable: a file's own fsync does not cover its name.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn write_synced(path: &Path, body: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(body)?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
