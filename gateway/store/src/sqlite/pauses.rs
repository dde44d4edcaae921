//! Reads which destinations a person has paused.

use std::sync::Arc;

use postroom_core::{id::DestinationName, time::Timestamp};
use rusqlite::Transaction;

use super::reader::ReadError;
use crate::records::Pause;

const ALL: &str = "SELECT destination, at, by FROM pause ORDER BY destination";

/// Every query of this module, for the test that none of them reads a large table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 1] = [ALL];

/// Paused destinations, by name.
pub(super) fn pauses(transaction: &Transaction<'_>) -> Result<Vec<(DestinationName, Pause)>, ReadError> {
    let mut statement = transaction.prepare_cached(ALL)?;
    let rows = statement.query_map([], |row| {
        let pause = Pause { at: Timestamp::from_unix_ms(row.get(1)?), by: row.get(2)? };
        Ok((DestinationName::new(row.get::<_, Arc<str>>(0)?), pause))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
