//! SQLite's write-ahead log as a file: what makes a commit durable, and what makes it trustworthy again.

use std::{fmt, fs::File, io, os::unix::fs::FileExt, path::Path, sync::Arc};

use super::open;
use crate::blob::sync_folder;

/// Bytes that are rewritten at once.
const PIECE_BYTES: usize = 1024 * 1024;

/// Brings a file to the disk. Tests put one in its place that fails.
pub(super) trait Disk: fmt::Debug + Send + Sync {
    /// What was written to `file` before is on disk when this returns.
    fn sync(&self, file: &File) -> io::Result<()>;
}

/// The operating system.
#[derive(Debug)]
pub(super) struct System;

impl Disk for System {
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }
}

/// The log, through a descriptor of our own. SQLite takes no lock on this file, so unlike with the database file none
/// is lost when the descriptor is closed.
#[derive(Debug)]
pub(super) struct Log {
    database: Arc<Path>,
    file: File,
    disk: Arc<dyn Disk>,
}

impl Log {
    /// Opens the log of a database that SQLite has open: as long as it has, the file stays the same.
    pub(super) fn open(database: Arc<Path>, disk: Arc<dyn Disk>) -> io::Result<Self> {
        let file = open_log(&database)?;
        sync_folder(open::folder_of(&database))?;
        Ok(Self { database, file, disk })
    }

    /// All that was committed before is durable when this returns.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.disk.sync(&self.file)
    }

    /// [Restores](restore) the log.
    pub(super) fn restore(&self) -> Result<(), LogError> {
        restore(&self.database, &*self.disk)
    }

    /// Opens the log of a database that SQLite has opened again.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        self.file = open_log(&self.database)?;
        sync_folder(open::folder_of(&self.database))
    }
}

/// Why the log could not be restored.
#[derive(Debug)]
pub(super) enum LogError {
    Sqlite(rusqlite::Error),
    Io(io::Error),
}

impl From<rusqlite::Error> for LogError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<io::Error> for LogError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Brings all that the log of a database holds to the disk, although an fsync has failed or an earlier process may have
/// seen one fail. This process must not have the database open.
///
/// The kernel counts a page whose write failed as written, so another fsync would say nothing about it. Every byte is
/// therefore written once more, through a new descriptor, for an old one may still hold the old error.
pub(super) fn restore(database: &Path, disk: &dyn Disk) -> Result<(), LogError> {
    match open::beside(database, "-wal").metadata() {
        Ok(log) if log.len() > 0 => {}
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        Ok(_) | Err(_) => return Ok(()),
    }
    // A foreign program that writes at this moment would find its bytes undone.
    let connection = open::writable(database)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let file = open_log(database)?;
    rewrite(&file)?;
    disk.sync(&file)?;
    connection.execute_batch("ROLLBACK")?;
    Ok(())
}

fn open_log(database: &Path) -> io::Result<File> {
    File::options().read(true).write(true).open(open::beside(database, "-wal"))
}

fn rewrite(file: &File) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    let mut offset = 0;
    loop {
        match file.read_at(&mut piece, offset)? {
            0 => return Ok(()),
            read => {
                file.write_all_at(&piece[..read], offset)?;
                offset += read as u64;
            }
        }
    }
}
