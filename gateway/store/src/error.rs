//! Why the store could not do what it was asked.

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use postroom_core::id::{DeliveryId, EventId};

/// Why a read or a write did not happen.
///
/// It can be cloned because one failed commit answers everyone who waited for it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// As many writes wait as may.
    #[error("too many writes wait for the store: try again shortly")]
    Busy,
    /// There is no room left. Nothing of the write was kept.
    #[error("no space left for {}: free some, writing then goes on by itself", path.display())]
    Full {
        /// The database file or the folder of large bodies.
        path: PathBuf,
        /// What the operating system or SQLite said.
        source: Cause,
    },
    /// The storage failed in another way. Nothing of the write was kept.
    #[error("failed to {action} {}", path.display())]
    Unavailable {
        /// What was tried: "commit to", "read" …
        action: &'static str,
        /// The file it was tried on.
        path: PathBuf,
        /// What the operating system or SQLite said.
        source: Cause,
    },
    /// The store was closed, or its writer ended by a fault. Whether the write happened is not known.
    #[error("the store has stopped: start the gateway again")]
    Stopped,
    /// An event with this id was accepted before; nothing was kept a second time.
    #[error("event {event} is stored already: give every event an id of its own")]
    Duplicate {
        /// The id that was used twice.
        event: EventId,
    },
    /// A change names a delivery that is not there; none of the changes given with it was kept.
    #[error("delivery {delivery} is not in the store: it may have been pruned")]
    UnknownDelivery {
        /// The delivery that was looked for.
        delivery: DeliveryId,
    },
    /// A list cannot be followed from there: it has never come so far.
    #[error("place {place} is beyond the end of the list: follow it from the beginning or from now")]
    UnknownPlace {
        /// The place that was named.
        place: i64,
    },
    /// A row holds something that no version of the gateway writes, or its large body is missing or changed.
    #[error("row {row} of table {table} cannot be read: {cause}; restore it from a backup")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row's number.
        row: i64,
        /// What is wrong with it, without its content.
        cause: String,
    },
}

/// What stands behind an error, shared by everyone whom it concerns.
pub type Cause = Arc<dyn Error + Send + Sync>;

impl StoreError {
    pub(crate) fn sqlite(action: &'static str, path: &Path, error: rusqlite::Error) -> Self {
        let full = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull);
        Self::new(full, action, path, Arc::new(error))
    }

    pub(crate) fn io(action: &'static str, path: &Path, error: io::Error) -> Self {
        let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        Self::new(full, action, path, Arc::new(error))
    }

    fn new(full: bool, action: &'static str, path: &Path, source: Cause) -> Self {
        let path = path.to_owned();
        if full { Self::Full { path, source } } else { Self::Unavailable { action, path, source } }
    }
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open. Which deliveries are in flight is known to that process alone.
    #[error("{} is in use by another gateway: stop that one, or give this one a database of its own", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a Postroom database: choose another path for the store", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer gateway has written it.
    #[error(
        "{} has schema version {found}, this gateway knows versions up to {known}: \
         start a newer gateway, or restore a backup from before the upgrade",
        path.display()
    )]
    TooNew {
        /// The database file.
        path: PathBuf,
        /// The version of the file.
        found: u32,
        /// The newest version this binary knows.
        known: u32,
    },
    /// A file or folder could not be made or opened.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// SQLite could not open or prepare the database.
    #[error("failed to {action} {}", path.display())]
    Sqlite {
        /// What was tried.
        action: &'static str,
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}
