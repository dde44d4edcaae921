//! Reads beside the writer, a few at a time, on threads that may block.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard},
};

use rusqlite::{Connection, Transaction};
use tokio::sync::Semaphore;

use super::open;
use crate::error::StoreError;

/// Reads that run at once. Each holds a connection with a cache of its own; more would only compete for the disk.
const READS_MAX: usize = 4;

/// Why a read gave nothing.
#[derive(Debug)]
pub(super) enum ReadError {
    Sqlite(rusqlite::Error),
    Corrupt { table: &'static str, row: i64, cause: String },
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// A bounded pool of read-only connections.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    permits: Arc<Semaphore>,
    pool: Arc<Pool>,
}

#[derive(Debug)]
struct Pool {
    path: Arc<Path>,
    idle: Mutex<Vec<Connection>>,
    /// Held shared by every read, and alone while the database must not be open.
    gate: RwLock<()>,
    // Last, and here: a read may still run when the store is gone.
    _held: open::Held,
}

impl Reader {
    pub(super) fn new(path: Arc<Path>, held: open::Held) -> Self {
        let pool = Pool { path, idle: Mutex::default(), gate: RwLock::new(()), _held: held };
        Self { permits: Arc::new(Semaphore::new(READS_MAX)), pool: Arc::new(pool) }
    }

    /// Waits for the reads under way and closes all connections. Later reads wait until what this gives is dropped.
    pub(super) fn shut(&self) -> RwLockWriteGuard<'_, ()> {
        let alone = self.pool.gate.write().unwrap_or_else(PoisonError::into_inner);
        self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        alone
    }

    /// Runs `read` on a snapshot of the database.
    pub(super) async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, ReadError> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Stopped)?;
        let pool = Arc::clone(&self.pool);
        let reading = tokio::task::spawn_blocking(move || {
            // Held here and not by the caller, who may stop waiting while the read still runs.
            let _permit = permit;
            pool.read(read).map_err(|error| pool.told(error))
        });
        reading.await.map_err(|_| StoreError::Stopped)?
    }
}

impl Pool {
    fn read<T>(&self, read: impl FnOnce(&Transaction<'_>) -> Result<T, ReadError>) -> Result<T, ReadError> {
        let _open = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => open::reader(&self.path)?,
        };
        let result = on_snapshot(&mut connection, read);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }

    fn told(&self, error: ReadError) -> StoreError {
        match error {
            ReadError::Sqlite(error) => StoreError::sqlite("read", &self.path, error),
            ReadError::Corrupt { table, row, cause } => StoreError::Corrupt { table, row, cause },
        }
    }
}

fn on_snapshot<T>(
    connection: &mut Connection,
    read: impl FnOnce(&Transaction<'_>) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let transaction = connection.transaction()?;
    read(&transaction)
}
