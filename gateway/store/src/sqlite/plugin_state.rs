//! Reads what plugins keep.

use bytes::Bytes;
use postroom_core::{id::DestinationName, time::Timestamp};
use rusqlite::{OptionalExtension, Transaction, params};

use super::reader::ReadError;
use crate::plugin_state::StateEntry;

const GET: &str = "
    SELECT version, value FROM plugin_state
    WHERE destination = ?1 AND key = ?2 AND (expires_at IS NULL OR expires_at > ?3)";
const KEYS: &str = "
    SELECT id, key FROM plugin_state
    WHERE destination = ?1 AND key >= ?2 AND key < ?3 AND (expires_at IS NULL OR expires_at > ?4)
    ORDER BY key";

/// Every query of this module, for the test that none of them reads a large table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 2] = [GET, KEYS];

/// What is kept under `key`, if it has not expired.
pub(super) fn entry(
    transaction: &Transaction<'_>,
    destination: &DestinationName,
    key: &str,
    at: Timestamp,
) -> Result<Option<StateEntry>, ReadError> {
    let mut statement = transaction.prepare_cached(GET)?;
    let arguments = params![destination.as_str(), key.as_bytes(), at.as_unix_ms()];
    let entry = statement.query_row(arguments, |row| {
        let value = Bytes::from(row.get::<_, Vec<u8>>(1)?);
        Ok(StateEntry { version: row.get::<_, i64>(0)?.unsigned_abs(), value })
    });
    Ok(entry.optional()?)
}

/// The keys that begin with `prefix`, in the order of their bytes; `None` when they take more than `bytes_max`.
pub(super) fn keys(
    transaction: &Transaction<'_>,
    destination: &DestinationName,
    prefix: &str,
    at: Timestamp,
    bytes_max: usize,
) -> Result<Option<Vec<String>>, ReadError> {
    let mut statement = transaction.prepare_cached(KEYS)?;
    let arguments = params![destination.as_str(), prefix.as_bytes(), behind(prefix), at.as_unix_ms()];
    let mut rows = statement.query(arguments)?;
    let (mut keys, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let key = String::from_utf8(row.get(1)?).map_err(|_| ReadError::Corrupt {
            table: "plugin_state",
            row: row.get(0).unwrap_or_default(),
            cause: "key: not UTF-8".to_owned(),
        })?;
        bytes += key.len();
        if bytes > bytes_max {
            return Ok(None);
        }
        keys.push(key);
    }
    Ok(Some(keys))
}

/// The first bytes behind all texts that begin with `prefix`.
fn behind(prefix: &str) -> Vec<u8> {
    let mut bytes = prefix.as_bytes().to_vec();
    // UTF-8 has no byte 0xff, so the last one can always be one more, and 0xff is behind every text.
    match bytes.last_mut() {
        Some(last) => *last += 1,
        None => bytes.push(0xff),
    }
    bytes
}
