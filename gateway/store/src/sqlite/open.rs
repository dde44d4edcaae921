//! Opens the files: who may use them, and how SQLite treats them.

use std::{
    fs::{File, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::migrate::{self, MigrateError};
use crate::{
    blob::{make_private_folder, sync_folder},
    error::OpenError,
};

/// How long a write waits for a foreign tool that holds the database, such as a backup made with `sqlite3`.
const BUSY_MAX: Duration = Duration::from_secs(5);

/// A second file beside the database, `postroom.db` + `suffix`, as SQLite names its own `-wal` and `-shm`: what
/// belongs together is found together, and two databases in one folder share nothing.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Holds the database for this process. The lock goes with the file handle, so it cannot outlive the process.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, and makes the folder for it if needed. SQLite's own locks would let a second gateway in, and
    /// both would deliver the same events: what is in flight is known in memory only.
    pub(super) fn take(database: &Path) -> Result<Self, OpenError> {
        let folder = folder_of(database);
        make_private_folder(folder).map_err(|source| OpenError::Io {
            action: "make the folder",
            path: folder.to_owned(),
            source,
        })?;
        let path = beside(database, ".lock");
        let file = open_private(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: database.to_owned() }),
            Err(TryLockError::Error(source)) => Err(OpenError::Io { action: "lock", path, source }),
        }
    }
}

/// Opens the database for writing, makes it if needed, and brings its schema to the newest version.
pub(super) fn writer(database: &Path) -> Result<Connection, OpenError> {
    // SQLite would make the file readable for everyone; its other files take over the permissions of this one.
    drop(open_private(database)?);
    let folder = folder_of(database);
    sync_folder(folder).map_err(|source| OpenError::Io {
        action: "sync the folder",
        path: folder.to_owned(),
        source,
    })?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let failed = |action, error: MigrateError| {
        let path = database.to_owned();
        match error {
            MigrateError::Foreign => OpenError::Foreign { path },
            MigrateError::TooNew { found, known } => OpenError::TooNew { path, found, known },
            MigrateError::Sqlite(source) => OpenError::Sqlite { action, path, source },
        }
    };
    let mut connection =
        Connection::open_with_flags(database, flags).map_err(|error| failed("open", error.into()))?;
    connection.busy_timeout(BUSY_MAX).map_err(|error| failed("open", error.into()))?;
    // Before anything is changed: a foreign file must stay as it is.
    migrate::check(&connection).map_err(|error| failed("read", error))?;
    tune_writer(&connection).map_err(|error| failed("set up", error.into()))?;
    migrate::migrate(&mut connection).map_err(|error| failed("migrate", error))?;
    Ok(connection)
}

fn tune_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        // Large pages: a commit of many small rows touches few of them, and most bodies fit into one.
        "PRAGMA page_size = 16384;
         PRAGMA journal_mode = WAL;
         -- One fsync in every commit: an event must be on disk before it is acknowledged.
         PRAGMA synchronous = FULL;
         -- One look-up in a warm page per delivery and attempt, and no fault of ours can leave orphans.
         PRAGMA foreign_keys = ON;
         -- The writer checkpoints by itself after it has answered everyone, not inside a COMMIT.
         PRAGMA wal_autocheckpoint = 0;
         -- After a burst the log shrinks to this; below it is overwritten in place, which makes fsync cheaper.
         PRAGMA journal_size_limit = 67108864;
         -- KiB: the ends of all tables and indexes, and the waiting rows, stay in memory.
         PRAGMA cache_size = -32768;
         PRAGMA temp_store = MEMORY;",
    )?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// Opens the database for reading beside the writer.
pub(super) fn reader(database: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    connection.busy_timeout(BUSY_MAX)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

fn folder_of(database: &Path) -> &Path {
    match database.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn open_private(path: &Path) -> Result<File, OpenError> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|source| OpenError::Io { action: "open", path: path.to_owned(), source })
}
