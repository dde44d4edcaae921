//! Reads the figures of a store, with bounded work.

use std::collections::HashMap;

use postroom_core::{
    id::{DeliveryId, DestinationName},
    time::Timestamp,
};
use rusqlite::{OptionalExtension, Transaction};

use super::{deliveries, reader::ReadError, walk::WALK_ROWS_MAX};
use crate::overview::{DeadGroup, DeadLetters, Overview, Waits};

const OLDEST_EVENT: &str = "SELECT received_at FROM event WHERE seq > 0 ORDER BY seq LIMIT 1";
const NEWEST_EVENT: &str = "SELECT seq, received_at FROM event WHERE seq > 0 ORDER BY seq DESC LIMIT 1";
// An id begins with the moment at which it was made, so the index on them leads to the first event since then.
const FIRST_SINCE: &str = "SELECT seq FROM event WHERE id >= ?1 ORDER BY id LIMIT 1";
const OLDEST_WAITING: &str = "
    SELECT created_at FROM delivery INDEXED BY delivery_waiting
    WHERE destination = ?1 AND finished_at IS NULL ORDER BY id LIMIT 1";
const DEAD: &str = "
    SELECT id, destination, code, message, created_at, finished_at, replayed_by
    FROM delivery INDEXED BY delivery_by_state
    WHERE state = 'dead' AND finished_at IS NOT NULL AND state <> 'delivered' ORDER BY id DESC";

/// Every query of this module, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 5] = [OLDEST_EVENT, NEWEST_EVENT, FIRST_SINCE, OLDEST_WAITING, DEAD];

const MINUTE_MS: i64 = 60_000;

/// What came in until `now`, and what waits.
pub(super) fn overview(transaction: &Transaction<'_>, now: Timestamp) -> Result<Overview, ReadError> {
    let moment = |ms: i64| Timestamp::from_unix_ms(ms);
    let oldest: Option<i64> =
        transaction.prepare_cached(OLDEST_EVENT)?.query_row([], |row| row.get(0)).optional()?;
    let newest: Option<(i64, i64)> = transaction
        .prepare_cached(NEWEST_EVENT)?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let since = |minutes: i64| -> rusqlite::Result<u64> {
        let Some((last, _)) = newest else { return Ok(0) };
        let first = now.as_unix_ms().saturating_sub(minutes * MINUTE_MS).max(0);
        let mut id = [0; 16];
        id[..6].copy_from_slice(&first.to_be_bytes()[2..]);
        let first: Option<i64> =
            transaction.prepare_cached(FIRST_SINCE)?.query_row([id], |row| row.get(0)).optional()?;
        Ok(first.map_or(0, |first| (last - first + 1).max(0).unsigned_abs()))
    };
    Ok(Overview {
        oldest_event: oldest.map(moment),
        newest_event: newest.map(|(_, at)| moment(at)),
        last_minute: since(1)?,
        last_hour: since(60)?,
        last_day: since(24 * 60)?,
        waiting: waits(transaction)?,
    })
}

fn waits(transaction: &Transaction<'_>) -> Result<Vec<Waits>, ReadError> {
    let mut oldest = transaction.prepare_cached(OLDEST_WAITING)?;
    let counts = deliveries::waiting_counts(transaction)?;
    let with_oldest = counts.into_iter().map(|count| {
        let name = count.destination.as_str();
        let made: Option<i64> = oldest.query_row([name], |row| row.get(0)).optional()?;
        Ok(Waits {
            destination: count.destination,
            waiting: count.waiting,
            oldest: made.map(Timestamp::from_unix_ms),
        })
    });
    with_oldest.collect()
}

/// The newest dead letters in groups; those that were done again are passed over.
pub(super) fn dead_letters(transaction: &Transaction<'_>) -> Result<DeadLetters, ReadError> {
    let mut statement = transaction.prepare_cached(DEAD)?;
    let mut rows = statement.query([])?;
    let mut found = DeadLetters::default();
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        if seen == WALK_ROWS_MAX {
            found.is_more = true;
            break;
        }
        seen += 1;
        if row.get::<_, Option<i64>>(6)?.is_some() {
            continue;
        }
        let (id, destination) = (DeliveryId::new(row.get(0)?), row.get::<_, String>(1)?);
        let code = row.get::<_, Option<String>>(2)?.unwrap_or_default();
        let (made, dead) = (Timestamp::from_unix_ms(row.get(4)?), Timestamp::from_unix_ms(row.get(5)?));
        let key = (destination, code);
        if let Some(group) = places.get(&key).and_then(|place| found.groups.get_mut(*place)) {
            group.count += 1;
            group.first_made = group.first_made.min(made);
            group.last_made = group.last_made.max(made);
            group.first_dead = group.first_dead.min(dead);
            group.last_dead = group.last_dead.max(dead);
            continue;
        }
        found.groups.push(DeadGroup {
            destination: DestinationName::new(key.0.as_str()),
            code: key.1.clone(),
            message: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
            count: 1,
            first_made: made,
            last_made: made,
            first_dead: dead,
            last_dead: dead,
            newest: id,
        });
        places.insert(key, found.groups.len() - 1);
    }
    Ok(found)
}
