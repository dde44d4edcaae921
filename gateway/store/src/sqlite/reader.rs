//! Reads beside the writer, a few at a time, on threads that may block.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
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
    Blob(io::Error),
    Corrupt { table: &'static str, row: i64, cause: String },
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// A bounded pool of read-only connections.
#[derive(Debug)]
pub(super) struct Reader {
    path: Arc<Path>,
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Reader {
    pub(super) fn new(path: Arc<Path>) -> Self {
        Self { path, permits: Arc::new(Semaphore::new(READS_MAX)), idle: Arc::default() }
    }

    /// Runs `read` on a snapshot of the database.
    pub(super) async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, ReadError> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Stopped)?;
        let (path, idle) = (Arc::clone(&self.path), Arc::clone(&self.idle));
        let reading = tokio::task::spawn_blocking(move || {
            // Held here and not by the caller, who may stop waiting while the read still runs.
            let _permit = permit;
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = match kept {
                Some(connection) => connection,
                None => open::reader(&path).map_err(|error| StoreError::sqlite("open", &path, error))?,
            };
            let result = on_snapshot(&mut connection, read);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            result.map_err(|error| match error {
                ReadError::Sqlite(error) => StoreError::sqlite("read", &path, error),
                ReadError::Blob(error) => StoreError::io("read a large body of", &path, error),
                ReadError::Corrupt { table, row, cause } => StoreError::Corrupt { table, row, cause },
            })
        });
        reading.await.map_err(|_| StoreError::Stopped)?
    }
}

fn on_snapshot<T>(
    connection: &mut Connection,
    read: impl FnOnce(&Transaction<'_>) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let transaction = connection.transaction()?;
    read(&transaction)
}
