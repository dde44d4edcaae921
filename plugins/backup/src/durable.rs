//! Writes that survive a power cut. A file appears under its name whole or not at all, and is on disk when a call
//! here returns.

use std::{
    fs::{self, DirEntry, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, UNIX_EPOCH},
};

const TEMPORARY_PREFIX: &str = ".postroom-";
const TEMPORARY_SUFFIX: &str = ".tmp";
/// No write takes so long: an older temporary file belongs to a process that died. A younger one may be another
/// instance's that is just being written, as when a destination is reloaded.
const TEMPORARY_AGE_MAX: Duration = Duration::from_secs(60 * 60);

/// Writes a file; it takes the place of one that has this name.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = Temporary::with(folder, bytes)?;
    fs::rename(&temporary.0, folder.join(name))?;
    sync_folder(folder)
}

/// Writes a new file; fails with [`io::ErrorKind::AlreadyExists`] when something has this name.
pub(crate) fn write_new(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let path = folder.join(name);
    // Most often it shows before anything is written.
    if fs::symlink_metadata(&path).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let temporary = Temporary::with(folder, bytes)?;
    match fs::hard_link(&temporary.0, &path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        // A file system without hard links. Another writer in this very moment would be replaced.
        Err(_) if fs::symlink_metadata(&path).is_ok() => return Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(&temporary.0, &path)?,
    }
    drop(temporary);
    sync_folder(folder)
}

/// Makes a folder and those above it, as far as they are missing.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(folder);
    if parent != folder {
        create_folder(parent)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_folder(parent),
    }
}

/// Brings the entries of a folder to disk.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Removes temporary files that crashes left in `folder`; gives their number.
pub(crate) fn sweep(folder: &Path, now_unix_ms: u64) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Another instance that is ending may sweep the same folder.
        match is_left_over(&entry, now_unix_ms)
            .and_then(|left| if left { fs::remove_file(entry.path()).map(|()| 1) } else { Ok(0) })
        {
            Ok(files) => removed += files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(removed)
}

fn is_left_over(entry: &DirEntry, now_unix_ms: u64) -> io::Result<bool> {
    let name = entry.file_name();
    if !is_temporary(&name.to_string_lossy()) {
        return Ok(false);
    }
    let written = entry.metadata()?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Duration::from_millis(now_unix_ms).saturating_sub(written) > TEMPORARY_AGE_MAX)
}

/// Whether a file of this name may be one that is being written.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY_PREFIX) && name.ends_with(TEMPORARY_SUFFIX)
}

/// Path of a file that is being written; the file is removed unless it was renamed.
struct Temporary(PathBuf);

impl Temporary {
    /// A file with these bytes, on disk.
    fn with(folder: &Path, bytes: &[u8]) -> io::Result<Self> {
        let (temporary, mut file) = Self::create(folder)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(temporary)
    }

    /// Each write has a file of its own, also for the same event: a try that the gateway gave up runs on beside the next.
    fn create(folder: &Path) -> io::Result<(Self, File)> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("{TEMPORARY_PREFIX}{}-{count}{TEMPORARY_SUFFIX}", process::id());
            let path = folder.join(name);
            match File::create_new(&path) {
                Ok(file) => return Ok((Self(path), file)),
                // In a container the process that died had the same id as this one.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After the rename there is nothing to remove, and what cannot be removed now is swept at a later start.
        fs::remove_file(&self.0).ok();
    }
}

#[cfg(test)]
mod tests;
