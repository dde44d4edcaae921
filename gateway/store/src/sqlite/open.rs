//! Opens the files: who may use them, and how SQLite treats them.

use std::{
    fs::{File, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use super::{
    log::{self, Disk, LogError},
    migrate::{self, MigrateError},
    segments,
};
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
    file: File,
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
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: database.to_owned() }),
            Err(TryLockError::Error(source)) => Err(OpenError::Io { action: "lock", path, source }),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a process that is being started at this moment still has the file open too.
        if let Err(error) = self.file.unlock() {
            tracing::warn!(error = %error, "unlocking the store failed");
        }
    }
}

/// What must outlive every connection: closing any descriptor of the database file takes SQLite's locks away from the
/// whole process, and once the lock is gone somebody else may open it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) _file: Arc<File>,
    // Last, so that it goes last.
    pub(super) _lock: Lock,
}

/// The database file, held open from before the first connection until after the last: closing any descriptor of it
/// takes SQLite's locks away from the whole process. Makes the file if needed, for this user alone; SQLite would make it
/// readable for everyone, and its other files take over the permissions of this one.
pub(super) fn file(database: &Path) -> Result<File, OpenError> {
    let folder = folder_of(database);
    let failed = |source| OpenError::Io { action: "sync the folder", path: folder.to_owned(), source };
    if !database.exists() {
        // A start that failed or died may have made the folders and not synced their names: the database must not be
        // in a folder that a power cut takes away.
        sync_folders_above(folder).map_err(failed)?;
    }
    let file = open_private(database)?;
    sync_folder(folder).map_err(failed)?;
    Ok(file)
}

fn sync_folders_above(folder: &Path) -> io::Result<()> {
    for above in folder.ancestors().skip(1) {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        match sync_folder(above) {
            // What this user may not even list was made by somebody else.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => break,
            synced => synced?,
        }
    }
    Ok(())
}

/// Opens the database for writing and brings its schema to the newest version. The file exists, and this process does
/// not have it open.
pub(super) fn writer(database: &Path, disk: &dyn Disk) -> Result<Connection, OpenError> {
    let failed = |action, error: MigrateError| {
        let path = database.to_owned();
        match error {
            MigrateError::Foreign => OpenError::Foreign { path },
            MigrateError::TooNew { found, known } => OpenError::TooNew { path, found, known },
            MigrateError::Sqlite(source) => OpenError::Sqlite { action, path, source },
        }
    };
    let connection = writable(database).map_err(|error| failed("open", error.into()))?;
    // Before anything is changed: a foreign file must stay as it is.
    migrate::check(&connection).map_err(|error| failed("read", error))?;
    drop(connection);
    log::restore(database, disk).map_err(|error| match error {
        LogError::Sqlite(error) => failed("sync the log of", error.into()),
        LogError::Io(source) => {
            OpenError::Io { action: "sync the log of", path: database.to_owned(), source }
        }
    })?;
    let mut connection = writable(database).map_err(|error| failed("open", error.into()))?;
    tune_writer(&connection).map_err(|error| failed("set up", error.into()))?;
    migrate::migrate(&mut connection).map_err(|error| failed("migrate", error))?;
    fill_segments(&mut connection).map_err(|error| failed("migrate", error.into()))?;
    Ok(connection)
}

/// Writes the segments that a database of an older version lacks.
fn fill_segments(connection: &mut Connection) -> rusqlite::Result<()> {
    loop {
        let due = segments::due(connection)?;
        if due.is_empty() {
            return Ok(());
        }
        let transaction = connection.transaction()?;
        due.iter().try_for_each(|segment| segment.write(&transaction))?;
        transaction.commit()?;
    }
}

/// Opens a database for writing that this process has open already, or had.
pub(super) fn writer_again(database: &Path) -> rusqlite::Result<Connection> {
    let connection = writable(database)?;
    tune_writer(&connection)?;
    Ok(connection)
}

/// Opens the database to move the log into it. It waits for reads under way for `reads_end_max`.
pub(super) fn mover(database: &Path, reads_end_max: Duration) -> rusqlite::Result<Connection> {
    let connection = writable(database)?;
    connection.busy_timeout(reads_end_max)?;
    connection.execute_batch("PRAGMA wal_autocheckpoint = 0")?;
    Ok(connection)
}

pub(super) fn writable(database: &Path) -> rusqlite::Result<Connection> {
    open(database, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// Opens the database for reading beside the writer.
pub(super) fn reader(database: &Path) -> rusqlite::Result<Connection> {
    open(database, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn open(database: &Path, mode: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(database, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_MAX)?;
    connection.set_prepared_statement_cache_capacity(64);
    // When the log is moved is for us to say: after a failed fsync it must not be.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

fn tune_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        // Large pages: a commit of many small rows touches few of them, and most bodies fit into one.
        "PRAGMA page_size = 16384;
         PRAGMA journal_mode = WAL;
         -- No fsync in a commit: a thread of its own syncs the log before anyone is answered.
         PRAGMA synchronous = NORMAL;
         -- One look-up in a warm page per delivery and attempt, and no fault of ours can leave orphans.
         PRAGMA foreign_keys = ON;
         -- A thread of its own moves the log, not a COMMIT.
         PRAGMA wal_autocheckpoint = 0;
         -- After a burst the log shrinks to this; below it is overwritten in place, which makes fsync cheaper.
         PRAGMA journal_size_limit = 67108864;
         -- KiB: the ends of all tables and indexes, and the waiting rows, stay in memory.
         PRAGMA cache_size = -32768;
         PRAGMA temp_store = MEMORY;",
    )
}

/// How many pages the log has, and how many of them are in the database file already.
pub(super) fn log_pages(connection: &Connection) -> rusqlite::Result<(u64, u64)> {
    // The first read of a connection is what opens the log.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| {
        let pages = |column| row.get::<_, i64>(column).map(|pages| pages.max(0).unsigned_abs());
        Ok((pages(1)?, pages(2)?))
    })
}

/// How many pages of the log can be read back, by nothing but the file itself; `None` when another program has the
/// database open. This process must not have it open.
///
/// Whoever is first reads the log, and all others believe the index that was made of it then. An index from before a
/// failed sync tells of pages that the file may have lost.
pub(super) fn log_pages_on_disk(database: &Path) -> rusqlite::Result<Option<u64>> {
    let connection = writable(database)?;
    connection.busy_timeout(Duration::ZERO)?;
    // Before the first read: then the index is made anew, in memory, and only if nobody else has one.
    connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE")?;
    match log_pages(&connection) {
        Ok((pages, _)) => Ok(Some(pages)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn folder_of(database: &Path) -> &Path {
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
