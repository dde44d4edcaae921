//! The folder that holds all versions of all collections.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{
    durable,
    name::{folder_name, folder_suffix, hex},
    version::Version,
};

/// All versions of all collections, below one folder. Its methods block.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    root: PathBuf,
}

/// One collection as it was received.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Snapshot<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) id: Option<&'a str>,
    pub(crate) bytes: &'a [u8],
    pub(crate) received_unix_ms: u64,
}

/// Where a snapshot is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Path of the file below the root.
    pub(crate) file: String,
    /// SHA-256 of the file, in hex.
    pub(crate) sha256: String,
    /// Whether the file was there already.
    pub(crate) unchanged: bool,
}

#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("cannot create the folder {}", .root.display())]
    Root { root: PathBuf, source: io::Error },
    #[error("cannot {doing} {}", .path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("{} was changed by somebody else: move it away and send the backup again", .path.display())]
    Changed { path: PathBuf },
    #[error("the write was interrupted")]
    Interrupted,
}

impl Archive {
    /// Opens the archive below `root`, which is created when it is missing.
    pub(crate) fn open(root: PathBuf) -> Result<Self, Error> {
        let archive = Self { root };
        archive.create_root()?;
        Ok(archive)
    }

    /// Removes what crashed writes left behind; gives the number of files, and why folders were passed over. A folder
    /// that cannot be read, such as `lost+found`, is nobody's reason not to make backups.
    pub(crate) fn sweep(&self, now_unix_ms: u64) -> Result<(usize, Vec<Error>), Error> {
        let (mut removed, mut passed_over) = (0, Vec::new());
        for entry in self.entries(&self.root)? {
            if entry.is_dir() {
                match durable::sweep(&entry, now_unix_ms) {
                    Ok(files) => removed += files,
                    Err(source) => passed_over.push(io("sweep", &entry, source)),
                }
            }
        }
        Ok((removed, passed_over))
    }

    /// Keeps a snapshot. It is on disk when this returns.
    ///
    /// A snapshot that equals the newest version of its collection is not written again, nor is one that was written by
    /// an earlier try.
    pub(crate) fn keep(&self, snapshot: Snapshot<'_>) -> Result<Kept, Error> {
        let sha256 = hex(&Sha256::digest(snapshot.bytes));
        let version = Version::new(snapshot.received_unix_ms, &sha256);
        let folder_name = self.folder(snapshot.name, snapshot.id)?;
        let folder = self.root.join(&folder_name);

        let present = self.present(&folder, &version, &sha256, snapshot.bytes)?;
        let unchanged = present.is_some();
        if !unchanged {
            durable::write(&folder, version.file_name(), snapshot.bytes)
                .map_err(|source| io("write to", &folder, source))?;
        }
        // Also for what was there: a try that died before this may have written it.
        for folder in [&folder, &self.root] {
            durable::sync_folder(folder).map_err(|source| io("sync", folder, source))?;
        }
        let file = format!("{folder_name}/{}", present.unwrap_or(version).file_name());
        Ok(Kept { file, sha256, unchanged })
    }

    fn create_root(&self) -> Result<(), Error> {
        durable::create_folder(&self.root).map_err(|source| Error::Root { root: self.root.clone(), source })
    }

    /// The folder of a collection, below the root. A collection that was renamed keeps the folder it has, so that it has
    /// one history.
    fn folder(&self, name: Option<&str>, id: Option<&str>) -> Result<String, Error> {
        self.create_root()?;
        let folder_name = folder_name(name, id);
        let folder = self.root.join(&folder_name);
        if folder.is_dir() {
            return Ok(folder_name);
        }
        if let Some(suffix) = folder_suffix(id)
            && let Some(earlier) = self.folder_ending_in(&suffix)?
        {
            return Ok(earlier);
        }
        durable::create_folder(&folder).map_err(|source| io("create the folder", &folder, source))?;
        Ok(folder_name)
    }

    fn folder_ending_in(&self, suffix: &str) -> Result<Option<String>, Error> {
        let folders = self.entries(&self.root)?.into_iter().filter(|entry| entry.is_dir());
        Ok(folders.filter_map(|folder| file_name(&folder)).filter(|name| name.ends_with(suffix)).min())
    }

    /// The version that already holds these bytes: the one of an earlier try, or the newest.
    ///
    /// Bytes are compared, not names alone: a name has a part of the hash, and a disk may have lost what it was given.
    fn present(
        &self,
        folder: &Path,
        wanted: &Version,
        sha256: &str,
        bytes: &[u8],
    ) -> Result<Option<Version>, Error> {
        let holds = |version: &Version| {
            let path = folder.join(version.file_name());
            holds(&path, bytes).map_err(|source| io("read", &path, source))
        };
        let versions =
            self.entries(folder)?.into_iter().filter_map(|path| Version::parse(&file_name(&path)?));
        let versions: Vec<Version> = versions.collect();
        if versions.contains(wanted) {
            return match holds(wanted)? {
                true => Ok(Some(wanted.clone())),
                false => Err(Error::Changed { path: folder.join(wanted.file_name()) }),
            };
        }
        match versions.into_iter().max() {
            Some(newest) if newest.may_hold(sha256) && holds(&newest)? => Ok(Some(newest)),
            _ => Ok(None),
        }
    }

    fn entries(&self, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        let list =
            || -> io::Result<Vec<_>> { fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect() };
        list().map_err(|source| io("list", folder, source))
    }
}

fn io(doing: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Io { doing, path: path.to_owned(), source }
}

fn file_name(path: &Path) -> Option<String> {
    path.file_name()?.to_str().map(str::to_owned)
}

/// Whether the file has exactly these bytes. It is read piece by piece: collections reach many megabytes.
fn holds(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() != bytes.len() as u64 {
        return Ok(false);
    }
    let mut buffer = vec![0; 64 * 1024];
    for expected in bytes.chunks(buffer.len()) {
        let piece = &mut buffer[..expected.len()];
        file.read_exact(piece)?;
        if piece != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
