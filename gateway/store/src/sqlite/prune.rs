//! Finds what may go, and how much room there is. It looks beside the writer, which only removes what was found.

use postroom_core::{id::EventId, time::Timestamp};
use rusqlite::{Connection, Row, Transaction, params};

use super::{
    change::Victim,
    reader::ReadError,
    row::{Columns, pass_over},
};
use crate::{
    blob::BlobName,
    retention::{Prune, Usage},
};

/// Events that one chunk may look at. Those that must stay are looked at too.
const LOOK_ROWS_MAX: usize = 4096;

// Event ids are UUIDv7, so they are sorted by the time of acceptance, and the unique index on them serves retention
// without an index of its own.
const WALK: &str = "SELECT seq, id, received_at FROM event WHERE id > ?1 ORDER BY id";
const FATE: &str = "
    SELECT count(*), count(*) - count(finished_at), count(*) FILTER (WHERE state = 'dead'), max(finished_at)
    FROM delivery WHERE event = ?1";
// A row of a few dozen bytes for each file of 32 KiB and more, read once per round of retention.
const BLOB_BYTES: &str = "SELECT coalesce(sum(bytes), 0) FROM blob";
const BLOB_IS_NAMED: &str = "SELECT 1 FROM blob WHERE sha256 = ?1";

/// Every query of this module, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 4] = [WALK, FATE, BLOB_BYTES, BLOB_IS_NAMED];

/// What became of an event's deliveries.
#[derive(Debug)]
pub(super) struct Fate {
    pub(super) deliveries: u64,
    waiting: u64,
    dead: u64,
    last_finished_at: Option<Timestamp>,
}

/// Which events may go.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// Those to which nothing happened since then.
    Age { events_before: Option<Timestamp>, dead_before: Option<Timestamp> },
    /// All; those with a dead letter only when nothing else is left.
    Room { dead_too: bool },
}

impl Rule {
    /// Whether an event may go.
    pub(super) fn takes(&self, received_at: Timestamp, fate: &Fate) -> bool {
        if fate.waiting > 0 {
            return false;
        }
        match *self {
            Self::Age { events_before, dead_before } => {
                let before = if fate.dead > 0 { dead_before } else { events_before };
                let last = fate.last_finished_at.map_or(received_at, |at| at.max(received_at));
                before.is_some_and(|before| last < before)
            }
            Self::Room { dead_too } => dead_too || fate.dead == 0,
        }
    }

    /// The moment from which on no event may go.
    fn end(&self) -> Timestamp {
        match *self {
            Self::Age { events_before, dead_before } => {
                events_before.max(dead_before).unwrap_or(Timestamp::EPOCH)
            }
            Self::Room { .. } => Timestamp::from_unix_ms(i64::MAX),
        }
    }
}

/// How far a walk over all events has come; a new one begins at the oldest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Position(Option<EventId>);

/// What one look has found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) victims: Vec<Victim>,
    /// Where to look next; `None` when all were looked at.
    pub(super) next: Option<Position>,
}

/// Looks for at most `limit` events that may go.
pub(super) fn victims(
    transaction: &Transaction<'_>,
    rule: Rule,
    from: Position,
    limit: usize,
) -> Result<Found, ReadError> {
    let mut found = Found { victims: Vec::new(), next: None };
    let mut statement = transaction.prepare_cached(WALK)?;
    let after = from.0.map(|id| *id.as_bytes()).unwrap_or_default();
    let mut rows = statement.query([after])?;
    let mut last = from;
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        if found.victims.len() == limit || seen == LOOK_ROWS_MAX {
            found.next = Some(last);
            break;
        }
        seen += 1;
        let Some((id, received_at)) = pass_over(event_of(row))? else { continue };
        if stamped_at(id) >= rule.end() {
            break;
        }
        if rule.takes(received_at, &fate(transaction, id)?) {
            found.victims.push(Victim { id, received_at, rule });
        }
        last = Position(Some(id));
    }
    Ok(found)
}

fn event_of(row: &Row<'_>) -> Result<(EventId, Timestamp), ReadError> {
    let mut columns = Columns::of("event", row)?;
    Ok((columns.event_id()?, columns.time()?))
}

/// What became of an event's deliveries.
pub(super) fn fate(connection: &Connection, id: EventId) -> rusqlite::Result<Fate> {
    connection.prepare_cached(FATE)?.query_row(params![id.as_bytes()], |row| {
        let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
        Ok(Fate {
            deliveries: count(0)?,
            waiting: count(1)?,
            dead: count(2)?,
            last_finished_at: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_unix_ms),
        })
    })
}

/// Those of `names` that no event names.
pub(super) fn unnamed(
    transaction: &Transaction<'_>,
    mut names: Vec<BlobName>,
) -> Result<Vec<BlobName>, ReadError> {
    let mut is_named = transaction.prepare_cached(BLOB_IS_NAMED)?;
    let mut failed = None;
    names.retain(|name| match is_named.exists([name.as_bytes()]) {
        Ok(named) => !named,
        Err(error) => {
            failed = Some(error);
            false
        }
    });
    failed.map_or(Ok(names), |error| Err(error.into()))
}

/// How much room everything takes.
pub(super) fn usage(transaction: &Transaction<'_>) -> Result<Usage, ReadError> {
    let number = |pragma| transaction.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let pages = number("page_count")? - number("freelist_count")?;
    let database_bytes = (pages * number("page_size")?).unsigned_abs();
    let mut blobs = transaction.prepare_cached(BLOB_BYTES)?;
    let blob_bytes = blobs.query_row([], |row| row.get::<_, i64>(0))?.unsigned_abs();
    Ok(Usage { database_bytes, blob_bytes })
}

/// The rule by age that `prune` asks for, if it asks for one.
pub(super) fn by_age(prune: &Prune) -> Option<Rule> {
    let Prune { events_before, dead_before, .. } = *prune;
    (events_before.is_some() || dead_before.is_some()).then_some(Rule::Age { events_before, dead_before })
}

/// The time in a UUIDv7: its first 48 bits, in milliseconds.
fn stamped_at(id: EventId) -> Timestamp {
    let ms = id.as_bytes()[..6].iter().fold(0, |ms, byte| ms << 8 | i64::from(*byte));
    Timestamp::from_unix_ms(ms)
}
