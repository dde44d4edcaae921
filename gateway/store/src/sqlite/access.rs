//! Those who use the API: keys that were made at run time, when keys were used, and what was changed.

use futures_util::future::BoxFuture;
use rusqlite::{Row, Transaction};

use super::{
    SqliteStore, audit,
    change::Changes,
    job,
    reader::ReadError,
    row::{Columns, pass_over},
};
use crate::{
    access::{Access, KeyUse, StoredKey},
    audit::{AuditEntry, AuditFilter, AuditRecord},
    error::StoreError,
    page::{Page, PageRequest},
};

// The columns of a row begin with a number for error messages, and these tables have none.
const ALL: &str = "
    SELECT 0, name, role, sha256, created_at, created_by, expires_at FROM api_key ORDER BY name";
const USES: &str = "SELECT 0, name, configured, at FROM api_key_use ORDER BY name, configured";

/// Every query of this module, for the test that none of them reads a large table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 2] = [ALL, USES];

impl Access for SqliteStore {
    fn api_keys(&self) -> BoxFuture<'_, Result<Vec<StoredKey>, StoreError>> {
        Box::pin(self.reader.read(|transaction| all(transaction, ALL, stored_key)))
    }

    fn add_api_key(&self, key: StoredKey) -> BoxFuture<'_, Result<bool, StoreError>> {
        let name = key.name.clone();
        let add = move |changes: &mut Changes<'_>, _: &mut Vec<_>| Ok(changes.add_api_key(&key)?);
        let undo = move |changes: &mut Changes<'_>, added: &bool| {
            if *added { changes.remove_api_key(&name).map(drop) } else { Ok(()) }
        };
        Box::pin(self.ask(job::change_or_undo(add, undo)))
    }

    fn remove_api_key(&self, name: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        // Not taken back when it is refused: a key that somebody wants gone is better gone.
        Box::pin(async move { self.write(move |changes, _| Ok(changes.remove_api_key(&name)?)).await })
    }

    fn key_uses(&self) -> BoxFuture<'_, Result<Vec<KeyUse>, StoreError>> {
        Box::pin(self.reader.read(|transaction| all(transaction, USES, key_use)))
    }

    fn keep_key_uses(&self, uses: Vec<KeyUse>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.write(move |changes, _| Ok(changes.keep_key_uses(&uses)?)).await })
    }

    fn add_audit(&self, entry: AuditEntry) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.write(move |changes, _| Ok(changes.add_audit(&entry)?)).await })
    }

    fn audit_log(
        &self,
        filter: AuditFilter,
        page: PageRequest,
    ) -> BoxFuture<'_, Result<Page<AuditRecord>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| audit::entries(transaction, &filter, page)))
    }
}

/// Reads all rows. One that cannot be read is passed over, and a key in it lets nobody in.
fn all<T>(
    transaction: &Transaction<'_>,
    sql: &str,
    read: impl Fn(&Row<'_>) -> Result<T, ReadError>,
) -> Result<Vec<T>, ReadError> {
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.extend(pass_over(read(row))?);
    }
    Ok(found)
}

fn stored_key(row: &Row<'_>) -> Result<StoredKey, ReadError> {
    let mut columns = Columns::of("api_key", row)?;
    Ok(StoredKey {
        name: columns.take()?,
        role: columns.name()?,
        sha256: columns.take()?,
        created_at: columns.time()?,
        created_by: columns.take()?,
        expires_at: columns.optional_time()?,
    })
}

fn key_use(row: &Row<'_>) -> Result<KeyUse, ReadError> {
    let mut columns = Columns::of("api_key_use", row)?;
    Ok(KeyUse { name: columns.take()?, configured: columns.take()?, at: columns.time()? })
}
