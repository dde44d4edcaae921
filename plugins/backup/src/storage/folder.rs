//! A folder of this machine. The writes are our own (`durable`): the folder is brought to disk too.

use std::{
    fs::{self, DirEntry},
    io, panic,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use bytes::Bytes;
use postroom_sdk::tokio::task::spawn_blocking;

use super::{Entry, StorageError, Write};
use crate::durable;

#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder `root`; it is made with the first write.
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) async fn read(&self, path: &str) -> Result<Option<Bytes>, StorageError> {
        let path = self.root.join(path);
        blocking(move || match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(StorageError::io("read", &path, &error)),
        })
        .await
    }

    pub(super) async fn write(&self, path: &str, bytes: Bytes, how: Write) -> Result<(), StorageError> {
        let (root, path) = (self.root.clone(), self.root.join(path));
        blocking(move || {
            let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
            else {
                return Err(StorageError::other("io", "a path without a name"));
            };
            create_root(&root)?;
            durable::create_folder(folder)
                .map_err(|error| StorageError::io("create the folder", folder, &error))?;
            let written = match how {
                Write::Replace => durable::write(folder, name, &bytes),
                Write::New => durable::write_new(folder, name, &bytes),
            };
            written.map_err(|error| match (error.kind(), how) {
                (io::ErrorKind::AlreadyExists, Write::New) => StorageError::Exists,
                _ => StorageError::io("write to", folder, &error),
            })
        })
        .await
    }

    pub(super) async fn exists(&self, path: &str) -> Result<Option<u64>, StorageError> {
        let path = self.root.join(path);
        blocking(move || match fs::metadata(&path) {
            Ok(found) => Ok(found.is_file().then_some(found.len())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(StorageError::io("look at", &path, &error)),
        })
        .await
    }

    pub(super) async fn list(&self, folder: &str) -> Result<Vec<Entry>, StorageError> {
        let folder = self.root.join(folder);
        blocking(move || {
            let failed = |error: &io::Error| StorageError::io("list", &folder, error);
            let found = match fs::read_dir(&folder) {
                Ok(found) => found,
                Err(error) if is_absent(&error) => return Ok(Vec::new()),
                Err(error) => return Err(failed(&error)),
            };
            let mut entries = Vec::new();
            for entry in found {
                entries.extend(entry.and_then(|entry| read_entry(&entry)).map_err(|error| failed(&error))?);
            }
            Ok(entries)
        })
        .await
    }

    pub(super) async fn delete(&self, path: &str) -> Result<(), StorageError> {
        let path = self.root.join(path);
        blocking(move || match fs::remove_file(&path) {
            Ok(()) => path
                .parent()
                .map_or(Ok(()), durable::sync_folder)
                .map_err(|error| StorageError::io("sync the folder of", &path, &error)),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(StorageError::io("remove", &path, &error)),
        })
        .await
    }

    /// Folders that cannot be read, such as `lost+found`, are passed over.
    pub(super) async fn sweep(&self, now_unix_ms: u64) -> Result<usize, StorageError> {
        let root = self.root.clone();
        blocking(move || {
            create_root(&root)?;
            let (mut removed, mut folders) = (0, vec![root]);
            while let Some(folder) = folders.pop() {
                removed += durable::sweep(&folder, now_unix_ms).unwrap_or_default();
                let below = fs::read_dir(&folder).into_iter().flatten().flatten();
                folders.extend(
                    below
                        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                        .map(|entry| entry.path()),
                );
            }
            Ok(removed)
        })
        .await
    }

    pub(super) fn describe(&self) -> String {
        format!("folder {}", self.root.display())
    }
}

/// Makes the root. That it cannot be made is a fault of the settings, unless it may be possible tomorrow.
fn create_root(root: &Path) -> Result<(), StorageError> {
    durable::create_folder(root).map_err(|error| match StorageError::io("create the folder", root, &error) {
        full @ StorageError::Full { .. } => full,
        other => StorageError::Misconfigured {
            setting: "root",
            why: format!("{other}; choose another `root` or give the gateway access to it"),
        },
    })
}

/// Whether there is nothing under a path, nor can be: a part of it may be a file.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
    )
}

/// What an entry is; `None` for a name that no path of ours can have, and for one that is gone again.
fn read_entry(entry: &DirEntry) -> io::Result<Option<Entry>> {
    let Ok(name) = entry.file_name().into_string() else { return Ok(None) };
    // Follows links: somebody may have put a folder elsewhere.
    let found = match fs::metadata(entry.path()) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let modified = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok(Some(Entry {
        name,
        is_folder: found.is_dir(),
        bytes: found.is_file().then_some(found.len()),
        modified_unix_ms: modified.and_then(|since| i64::try_from(since.as_millis()).ok()),
    }))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(payload) => panic::resume_unwind(payload),
            Err(_) => Err(StorageError::other("interrupted", "the plugin is ending")),
        },
    }
}
