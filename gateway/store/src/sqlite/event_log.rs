//! Reads the log of events, for the one who follows it.

use bytes::Bytes;
use postroom_core::{
    event::Kind,
    monitor::{Absence, Watch},
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{
    events::event_of,
    reader::ReadError,
    row::{Columns, pass_over},
    walk::WALK_ROWS_MAX,
};
use crate::monitors::{Alive, LogPart, LoggedEvent, TrackerMark};

/// Bodies that one part holds. Whoever follows works through one part at a time.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

const EVENTS: &str = "
    SELECT seq, id, received_at, source, kind, subject, ordering_key, verdict, facts, note, labels,
           content_type, body_bytes, hops, CASE kind WHEN 'monitor_run' THEN body END
    FROM event WHERE seq > ?1 AND seq <= ?2 ORDER BY seq";
const EVERY_EVENT: &str = "
    SELECT seq, id, received_at, source, kind, subject, ordering_key, verdict, facts, note, labels,
           content_type, body_bytes, hops
    FROM event WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3";
/// Its kind and its body.
const KIND: usize = 4;
const BODY: usize = 14;
const MARK: &str = "SELECT position, alive_at, absences, following_since FROM tracker WHERE id = 1";

/// Every query of this module, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 3] = [EVENTS, EVERY_EVENT, MARK];

/// How far the log was followed.
pub(super) fn mark(connection: &Connection) -> rusqlite::Result<TrackerMark> {
    let mut statement = connection.prepare_cached(MARK)?;
    let mark = statement.query_row([], |row| {
        let time = |column| row.get(column).map(Timestamp::from_unix_ms);
        let alive =
            Alive { at: time(1)?, watch: watch_of(row.get_ref(2)?.as_blob()?), following_since: time(3)? };
        Ok(TrackerMark { position: row.get(0)?, alive: Some(alive) })
    });
    Ok(mark.optional()?.unwrap_or_default())
}

/// The moments of a watch as they are kept: from and until, eight bytes each.
pub(super) fn absences_of(watch: &Watch) -> Vec<u8> {
    let moments = watch.absences().iter().flat_map(|absence| [absence.from, absence.until]);
    moments.flat_map(|moment| moment.as_unix_ms().to_le_bytes()).collect()
}

fn watch_of(absences: &[u8]) -> Watch {
    let moments: Vec<_> = absences
        .chunks_exact(8)
        .filter_map(|bytes| bytes.try_into().ok().map(i64::from_le_bytes))
        .map(Timestamp::from_unix_ms)
        .collect();
    Watch::of(moments.chunks_exact(2).map(|pair| Absence { from: pair[0], until: pair[1] }))
}

/// At most `limit` events after `position` and up to `end`.
pub(super) fn log_after(
    transaction: &Transaction<'_>,
    position: i64,
    end: i64,
    limit: usize,
) -> Result<LogPart, ReadError> {
    let mut part = LogPart { events: Vec::new(), last: position, missing: 0 };
    let mut statement = transaction.prepare_cached(EVENTS)?;
    let mut rows = statement.query(params![position, end])?;
    let (mut seen, mut body_bytes) = (0, 0);
    loop {
        if part.events.len() >= limit.max(1) || seen == WALK_ROWS_MAX || body_bytes >= BODY_BYTES_MAX {
            break;
        }
        let Some(row) = rows.next()? else {
            // Whatever is missing at the end was there and is gone.
            part.last = end.max(position);
            break;
        };
        let seq: i64 = row.get(0)?;
        seen += 1;
        part.last = seq;
        let kind = row.get_ref(KIND)?.as_str().unwrap_or_default();
        if ![Kind::MonitorRun, Kind::CollectionBackup].iter().any(|followed| followed.as_str() == kind) {
            continue;
        }
        let Some(logged) = pass_over(logged(row))? else { continue };
        body_bytes += logged.body.as_ref().map_or(0, Bytes::len);
        part.events.push(logged);
    }
    part.missing = part.last.abs_diff(position) - seen as u64;
    Ok(part)
}

/// At most `limit` events of any kind after `position` and up to `end`, without their bodies.
pub(super) fn events_after(
    transaction: &Transaction<'_>,
    position: i64,
    end: i64,
    limit: usize,
) -> Result<LogPart, ReadError> {
    let limit = limit.clamp(1, WALK_ROWS_MAX);
    let mut part = LogPart { events: Vec::new(), last: position, missing: 0 };
    let mut statement = transaction.prepare_cached(EVERY_EVENT)?;
    let mut rows = statement.query(params![position, end, limit as i64])?;
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        part.last = row.get(0)?;
        seen += 1;
        part.events.extend(pass_over(without_body(row))?);
    }
    if seen < limit {
        // Whatever is missing at the end was there and is gone.
        part.last = end.max(position);
    }
    part.missing = part.last.abs_diff(position) - seen as u64;
    Ok(part)
}

fn logged(row: &Row<'_>) -> Result<LoggedEvent, ReadError> {
    let body = row.get::<_, Option<Vec<u8>>>(BODY)?.map(Bytes::from);
    Ok(LoggedEvent { body, ..without_body(row)? })
}

fn without_body(row: &Row<'_>) -> Result<LoggedEvent, ReadError> {
    let mut columns = Columns::of("event", row)?;
    Ok(LoggedEvent { seq: columns.number(), event: event_of(&mut columns)?, body: None })
}
