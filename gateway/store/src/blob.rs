//! Large bodies as files, named by what is in them.
//!
//! A body gets its name only after its bytes are on disk, and the name is on disk before [`Draft::finish`] returns. So a
//! row may point to it, and a file with a final name is always whole. What has that name already is never trusted but
//! replaced: it may have rotted, or its own fsync may have failed. A crash in between leaves a file in `tmp/`, which the
//! next [`Blobs::open`] removes, or a file that no row names, which [`Blobs::strays`] finds.
//!
//! # The life of a body
//! - *pinned*: from before it gets its name until its event is answered, and nobody removes it. Who accepts it holds
//!   the [`Pin`].
//! - *named*: a durable row names it, and says how many events do. The pin is settled and goes.
//! - *doomed*: the transaction that removed the last row is applied, not yet durable. A new pin takes the doom back.
//! - *removed*: that transaction is durable, and the body still doomed. Its file is moved aside while nobody may pin,
//!   then removed.
//! - *stray*: perhaps no row names it, and nobody is about to remove it. Its event was not accepted, or taken back; its
//!   removal was refused, given up or failed midway; or a crash left it. Each round of retention looks at the strays it
//!   knows and at one more folder; those without a row are doomed. A round that does not come to its end leaves its
//!   strays to the next one.

mod draft;
mod pins;

use std::{
    fmt::{self, Write as _},
    fs::{self, File},
    io, mem,
    os::unix::fs::{DirBuilderExt, FileExt},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use sha2::{Digest, Sha256};

use self::pins::Pins;
pub(crate) use self::{draft::BlobWriter, pins::Pin};

/// Bytes that are read or written at once: large enough that a system call costs little beside its work.
const PIECE_BYTES: usize = 256 * 1024;

/// The SHA-256 of a body.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BlobName([u8; 32]);

impl BlobName {
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
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
    pins: Pins,
    /// What was moved aside and is still there.
    aside: Mutex<Vec<PathBuf>>,
}

impl Blobs {
    /// Opens the folder, makes it if needed, and removes what a crash left half written. The caller sees to it that
    /// no other process uses it.
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        let blobs = Self {
            folder,
            next_temporary: AtomicU64::new(0),
            pins: Pins::default(),
            aside: Mutex::default(),
        };
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

    /// Opens a body of `bytes` bytes after reading through it to make sure that it is what was kept.
    pub(crate) fn get(&self, name: BlobName, bytes: u64) -> Result<File, ReadBlobError> {
        let file = File::open(self.path(name)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ReadBlobError::Missing(name),
            _ => ReadBlobError::Io(error),
        })?;
        // The length first: nobody reads through a file of the wrong one.
        if file.metadata()?.len() != bytes || sha256_of(&file)? != name {
            return Err(ReadBlobError::Changed(name));
        }
        Ok(file)
    }

    /// Chooses a body for removal because, with the transaction at hand, no row names it any more. `false` when an
    /// event with this body is on its way in: it stays then. Called in the order of the transactions.
    pub(crate) fn doom(&self, name: BlobName) -> bool {
        self.pins.doom(name)
    }

    /// Removes those of `names` that are still doomed, once the transaction that doomed them is durable, and what
    /// earlier calls have left. Gives how many files went, and their bytes. What an error leaves is a stray.
    pub(crate) fn remove(&self, names: impl IntoIterator<Item = BlobName>) -> io::Result<(u64, u64)> {
        for name in names {
            let aside = self.temporary_path();
            // Only the rename happens while nobody may pin: removing a large file takes time.
            let moved = self.pins.take_doomed(name, || match fs::rename(self.path(name), &aside) {
                // The body, and not the folder it goes to.
                Err(error) if is_gone(&error) && self.temporary_folder().is_dir() => Ok(false),
                moved => moved.map(|()| true),
            })?;
            if moved == Some(true) {
                self.aside().push(aside);
            }
        }
        self.remove_aside()
    }

    fn remove_aside(&self) -> io::Result<(u64, u64)> {
        let (mut files, mut bytes) = (0, 0);
        let left = mem::take(&mut *self.aside());
        let mut left = left.into_iter();
        let mut failed = None;
        for path in left.by_ref() {
            let removed = fs::metadata(&path).and_then(|file| fs::remove_file(&path).map(|()| file.len()));
            match removed {
                Ok(length) => (files, bytes) = (files + 1, bytes + length),
                Err(error) if is_gone(&error) => {}
                Err(error) => {
                    failed = Some((path, error));
                    break;
                }
            }
        }
        let Some((path, error)) = failed else { return Ok((files, bytes)) };
        self.aside().extend(std::iter::once(path).chain(left));
        Err(error)
    }

    fn aside(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.aside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bodies that perhaps no row names: those that are known to be strays and, folder by folder over many calls, all
    /// that a crash may have left. Whoever asks looks for the rows, and [dooms](Self::doom) those that have none.
    pub(crate) fn strays(self: &Arc<Self>) -> io::Result<Strays> {
        let folder = self.pins.folder();
        let mut found = Vec::new();
        if let Some(folder) = folder {
            match fs::read_dir(self.folder.join(format!("{folder:02x}"))) {
                Ok(entries) => {
                    for entry in entries {
                        found.extend(entry?.file_name().to_str().and_then(parse_name));
                    }
                }
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let mut names = self.pins.take_strays();
        names.append(&mut found);
        if let Some(folder) = folder {
            self.pins.folder_seen(folder);
        }
        let more = folder.is_some_and(|folder| folder < u8::MAX);
        Ok(Strays { blobs: Arc::clone(self), names, more })
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

    fn temporary_path(&self) -> PathBuf {
        self.temporary_folder().join(self.next_temporary.fetch_add(1, Ordering::Relaxed).to_string())
    }
}

/// Names of bodies that perhaps no row names. Dropped before they are settled, they are strays again.
#[derive(Debug)]
pub(crate) struct Strays {
    blobs: Arc<Blobs>,
    names: Vec<BlobName>,
    more: bool,
}

impl Strays {
    pub(crate) fn names(&self) -> &[BlobName] {
        &self.names
    }

    /// Says that each is doomed or has a row. Gives whether there are more.
    pub(crate) fn settle(mut self) -> bool {
        self.names.clear();
        self.more
    }
}

impl Drop for Strays {
    fn drop(&mut self) {
        self.blobs.pins.add_strays(self.names.drain(..));
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

fn sha256_of(file: &File) -> io::Result<BlobName> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES];
    let mut offset = 0;
    loop {
        match file.read_at(&mut piece, offset)? {
            0 => return Ok(BlobName(hash.finalize().into())),
            read => {
                hash.update(&piece[..read]);
                offset += read as u64;
            }
        }
    }
}

fn parse_name(digits: &str) -> Option<BlobName> {
    let mut bytes = [0; 32];
    if digits.len() != 2 * bytes.len() || !digits.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&digits[at..at + 2], 16).ok()?;
    }
    Some(BlobName(bytes))
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

#[cfg(test)]
mod tests;
