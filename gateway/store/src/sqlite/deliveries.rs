//! Reads deliveries and attempts.

use std::{
    ops::{Range, RangeInclusive},
    sync::Arc,
};

use postroom_core::{
    id::{DeliveryId, DestinationName, EventId, ReplayId, RouteName, SourceName},
    lane::{LaneKey, Ticket},
    outcome::Outcome,
    time::Timestamp,
};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{
    pick,
    postings::Postings,
    reader::ReadError,
    row::{Columns, pass_over},
    segments::{DELIVERIES, Order, SEGMENT_ROWS, Segments, lane_term},
    walk,
};
use crate::{
    page::{DeliveryFilter, Followed, Page, PageRequest},
    records::{AttemptRecord, DeliveryDetail, DeliveryOfEvent, DeliveryRecord, LastOutcome, WaitingCount},
};

macro_rules! select_deliveries {
    ($where:literal) => {
        concat!(
            "SELECT id, event, destination, route, lane, state, attempts, created_at, due, finished_at, replay_of,
                    replayed_by, replay, outcome, code, message
             FROM delivery WHERE ",
            $where
        )
    };
}

macro_rules! select_tickets {
    ($from:literal, $where:literal) => {
        concat!(
            "SELECT id, event, destination, lane, attempts, due, replay_of FROM delivery ",
            $from,
            " WHERE ",
            $where
        )
    };
}

const BY_ID: &str = select_deliveries!("id = ?1");
const ITS_EVENT: &str = "SELECT seq, kind, source, subject FROM event WHERE id = ?1";
const OF_EVENT: &str = select_deliveries!("event = ?1 ORDER BY id");
const ATTEMPTS: &str =
    "SELECT delivery, number, started_at, finished_at, outcome, retry_after_ms, code, message, record
     FROM attempt WHERE delivery = ?1 ORDER BY number";
const LAST_ATTEMPT: &str =
    "SELECT id, last_attempt, attempt_started_at, attempt_finished_at, outcome, retry_after_ms, code, message, record
     FROM delivery WHERE id = ?1 AND last_attempt > 0";
// No LIMIT: a row that cannot be read does not count.
const WAITING: &str = select_tickets!(
    "INDEXED BY delivery_waiting",
    "destination = ?3 AND finished_at IS NULL AND id >= ?1 AND id < ?2 ORDER BY id"
);
const NEXT_WAITING: &str = "
    SELECT id FROM delivery INDEXED BY delivery_waiting
    WHERE destination = ?2 AND finished_at IS NULL AND id >= ?1 ORDER BY id LIMIT 1";
const TICKET: &str = select_tickets!("", "id = ?1 AND finished_at IS NULL");
const WAITING_COUNTS: &str = "SELECT destination, count(*) FROM delivery WHERE finished_at IS NULL GROUP BY destination ORDER BY destination";

/// Every query of this module, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 9] =
    [BY_ID, ITS_EVENT, OF_EVENT, ATTEMPTS, LAST_ATTEMPT, WAITING, NEXT_WAITING, TICKET, WAITING_COUNTS];

/// Waiting deliveries of one destination.
pub(super) fn waiting(
    transaction: &Transaction<'_>,
    destination: &DestinationName,
    after: Option<DeliveryId>,
    limit: usize,
) -> Result<Vec<Ticket>, ReadError> {
    tickets(transaction, destination, first_after(after)..i64::MAX, limit, |_| true)
}

/// Waiting deliveries of one lane, segment by segment in which something waits for its destination.
pub(super) fn waiting_in_lane(
    transaction: &Transaction<'_>,
    lane: &LaneKey,
    after: Option<DeliveryId>,
    limit: usize,
) -> Result<Vec<Ticket>, ReadError> {
    let destination = lane.destination.as_str();
    let mut next_waiting = transaction.prepare_cached(NEXT_WAITING)?;
    let mut found = Vec::new();
    let mut from = first_after(after);
    while found.len() < limit {
        let next = next_waiting.query_row(params![from, destination], |row| row.get(0)).optional()?;
        let Some(next) = next else { break };
        let segment = Segments::of(next);
        let ids = next..(segment + 1) * SEGMENT_ROWS;
        from = ids.end;
        let room = limit - found.len();
        found.extend(match DELIVERIES.postings(transaction, segment)? {
            Some(postings) => by_postings(transaction, lane, &postings, ids, room)?,
            None => tickets(transaction, &lane.destination, ids, room, |ticket| ticket.lane == *lane)?,
        });
    }
    Ok(found)
}

fn by_postings(
    transaction: &Transaction<'_>,
    lane: &LaneKey,
    postings: &Postings,
    ids: Range<i64>,
    limit: usize,
) -> Result<Vec<Ticket>, ReadError> {
    let start = ids.end - SEGMENT_ROWS;
    let rows = postings.rows(&[lane_term(lane.destination.as_str(), &lane.key)]);
    let mut by_id = transaction.prepare_cached(TICKET)?;
    let mut found = Vec::new();
    for id in rows.into_iter().map(|row| start + i64::from(row)).filter(|id| ids.contains(id)) {
        if found.len() == limit {
            break;
        }
        let mut rows = by_id.query([id])?;
        let Some(row) = rows.next()? else { continue };
        // Another lane may have the same hash.
        found.extend(pass_over(ticket(row))?.filter(|ticket| ticket.lane == *lane));
    }
    Ok(found)
}

/// How much waits for each destination that something waits for.
pub(super) fn waiting_counts(transaction: &Transaction<'_>) -> Result<Vec<WaitingCount>, ReadError> {
    let mut statement = transaction.prepare_cached(WAITING_COUNTS)?;
    let mut rows = statement.query([])?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        let destination = DestinationName::new(row.get::<_, Arc<str>>(0)?);
        counts.push(WaitingCount { destination, waiting: row.get::<_, i64>(1)?.unsigned_abs() });
    }
    Ok(counts)
}

/// A page of deliveries.
pub(super) fn deliveries(
    transaction: &Transaction<'_>,
    filter: &DeliveryFilter,
    request: PageRequest,
) -> Result<Page<DeliveryRecord>, ReadError> {
    let ids = 1..walk::before(request);
    let found = pick::list(transaction, filter, Order::NewestFirst, ids, request.limit)?;
    let mut items = Vec::with_capacity(found.items.len());
    for id in found.items {
        items.extend(pass_over(record(transaction, DeliveryId::new(id)))?.flatten());
    }
    Ok(Page { items, next: found.next })
}

/// Deliveries in the order in which they were made.
pub(super) fn deliveries_from(
    transaction: &Transaction<'_>,
    filter: &DeliveryFilter,
    ids: RangeInclusive<i64>,
    limit: usize,
) -> Result<Followed<DeliveryRecord>, ReadError> {
    let range = *ids.start()..ids.end().saturating_add(1);
    let found = pick::list(transaction, filter, Order::OldestFirst, range, limit)?;
    walk::followed(found, &ids, |id| Ok(pass_over(record(transaction, DeliveryId::new(id)))?.flatten()))
}

/// One delivery.
pub(super) fn record(
    transaction: &Transaction<'_>,
    id: DeliveryId,
) -> Result<Option<DeliveryRecord>, ReadError> {
    let mut statement = transaction.prepare_cached(BY_ID)?;
    let mut rows = statement.query([id.get()])?;
    rows.next()?.map(delivery_record).transpose()
}

/// Those of the deliveries that there are, each with what its event is.
pub(super) fn by_id(
    transaction: &Transaction<'_>,
    ids: &[DeliveryId],
) -> Result<Vec<DeliveryOfEvent>, ReadError> {
    let mut its_event = transaction.prepare_cached(ITS_EVENT)?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(delivery) = pass_over(record(transaction, *id))?.flatten() else { continue };
        let mut rows = its_event.query([delivery.event.as_bytes()])?;
        let Some(row) = rows.next()? else { continue };
        found.extend(pass_over(of_its_event(delivery, row))?);
    }
    Ok(found)
}

fn of_its_event(delivery: DeliveryRecord, event: &Row<'_>) -> Result<DeliveryOfEvent, ReadError> {
    let mut columns = Columns::of("event", event)?;
    Ok(DeliveryOfEvent {
        delivery,
        kind: columns.name()?,
        source: SourceName::new(columns.take::<Arc<str>>()?),
        subject: columns.take()?,
    })
}

/// The deliveries of an event, in the order in which they were made.
pub(super) fn of_event(
    transaction: &Transaction<'_>,
    event: EventId,
) -> Result<Vec<DeliveryRecord>, ReadError> {
    let mut statement = transaction.prepare_cached(OF_EVENT)?;
    let mut rows = statement.query([event.as_bytes()])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.extend(pass_over(delivery_record(row))?);
    }
    Ok(records)
}

/// One delivery with its attempts.
pub(super) fn delivery(
    transaction: &Transaction<'_>,
    id: DeliveryId,
) -> Result<Option<DeliveryDetail>, ReadError> {
    let Some(delivery) = record(transaction, id)? else { return Ok(None) };
    let mut attempts = Vec::new();
    // The earlier ones, then the newest, which lies in the delivery's own row.
    for (table, sql) in [("attempt", ATTEMPTS), ("delivery", LAST_ATTEMPT)] {
        let mut statement = transaction.prepare_cached(sql)?;
        let mut rows = statement.query([id.get()])?;
        while let Some(row) = rows.next()? {
            attempts.push(numbered_attempt(table, row)?);
        }
    }
    Ok(Some(DeliveryDetail { delivery, attempts }))
}

fn first_after(after: Option<DeliveryId>) -> i64 {
    after.map_or(0, |after| after.get() + 1)
}

/// Reads at most `limit` waiting deliveries of a destination that are wanted. A row that cannot be read is told and
/// passed over: the others must be delivered.
fn tickets(
    transaction: &Transaction<'_>,
    destination: &DestinationName,
    ids: Range<i64>,
    limit: usize,
    wanted: impl Fn(&Ticket) -> bool,
) -> Result<Vec<Ticket>, ReadError> {
    let mut statement = transaction.prepare_cached(WAITING)?;
    let mut rows = statement.query(params![ids.start, ids.end, destination.as_str()])?;
    let mut tickets = Vec::new();
    while tickets.len() < limit
        && let Some(row) = rows.next()?
    {
        tickets.extend(pass_over(ticket(row))?.filter(&wanted));
    }
    Ok(tickets)
}

fn ticket(row: &Row<'_>) -> Result<Ticket, ReadError> {
    let mut columns = Columns::of("delivery", row)?;
    Ok(Ticket {
        id: DeliveryId::new(columns.number()),
        event: columns.event_id()?,
        lane: LaneKey {
            destination: DestinationName::new(columns.take::<Arc<str>>()?),
            key: columns.take()?,
        },
        attempts: columns.take()?,
        due: due_or_at_once(columns.optional_time()?),
        repeats: columns.take::<Option<i64>>()?.is_some(),
    })
}

/// When a delivery may start. One that was never tried may start at once, also when the clock has been set back since
/// it was accepted.
pub(super) fn due_or_at_once(due: Option<Timestamp>) -> Timestamp {
    due.unwrap_or(Timestamp::EPOCH)
}

fn delivery_record(row: &Row<'_>) -> Result<DeliveryRecord, ReadError> {
    let mut columns = Columns::of("delivery", row)?;
    Ok(DeliveryRecord {
        id: DeliveryId::new(columns.number()),
        event: columns.event_id()?,
        destination: DestinationName::new(columns.take::<Arc<str>>()?),
        route: RouteName::new(columns.take::<Arc<str>>()?),
        lane: columns.take()?,
        state: columns.name()?,
        attempts: columns.take()?,
        created_at: columns.time()?,
        due: columns.optional_time()?,
        finished_at: columns.optional_time()?,
        replay_of: columns.take::<Option<i64>>()?.map(DeliveryId::new),
        replayed_by: columns.take::<Option<i64>>()?.map(DeliveryId::new),
        replay: columns.take::<Option<i64>>()?.map(ReplayId::new),
        last_outcome: match columns.optional_name()? {
            None => None,
            Some(kind) => Some(LastOutcome { kind, code: columns.take()?, message: columns.take()? }),
        },
    })
}

fn numbered_attempt(table: &'static str, row: &Row<'_>) -> Result<(u32, AttemptRecord), ReadError> {
    let mut columns = Columns::of(table, row)?;
    let number = columns.take()?;
    let attempt = AttemptRecord {
        started_at: columns.time()?,
        finished_at: columns.time()?,
        outcome: Outcome {
            kind: columns.name()?,
            retry_after: columns.optional_duration()?,
            code: columns.take()?,
            message: columns.take()?,
            record_json: columns.take()?,
        },
    };
    Ok((number, attempt))
}
