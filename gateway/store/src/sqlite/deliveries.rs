//! Reads deliveries and attempts.

use std::sync::Arc;

use postroom_core::{
    delivery::DeliveryState,
    id::{DeliveryId, DestinationName, EventId, RouteName},
    lane::{LaneKey, Ticket},
    outcome::Outcome,
    time::Timestamp,
};
use rusqlite::{Params, Row, Transaction, params};

use super::{
    reader::ReadError,
    row::Columns,
    walk::{self, walk},
};
use crate::{
    page::{DeliveryFilter, Page, PageRequest},
    records::{AttemptRecord, DeliveryDetail, DeliveryRecord, LastOutcome, WaitingCount},
};

macro_rules! select_deliveries {
    ($where:literal) => {
        concat!(
            "SELECT delivery.id, delivery.event, destination, route, lane, state, attempts, created_at, due,
                    delivery.finished_at, outcome, code, message
             FROM delivery
             LEFT JOIN attempt ON attempt.delivery = delivery.id AND attempt.number = delivery.last_attempt
             WHERE ",
            $where
        )
    };
}

macro_rules! walk_deliveries {
    ($where:literal) => {
        concat!("SELECT id, state, destination FROM delivery WHERE id < ?1 ", $where, " ORDER BY id DESC")
    };
}

macro_rules! select_tickets {
    ($where:literal) => {
        concat!("SELECT id, event, destination, lane, attempts, due FROM delivery WHERE ", $where)
    };
}

const BY_ID: &str = select_deliveries!("delivery.id = ?1");
const OF_EVENT: &str = select_deliveries!("delivery.event = ?1 ORDER BY delivery.id");
const ATTEMPTS: &str =
    "SELECT delivery, number, started_at, finished_at, outcome, retry_after_ms, code, message, record
     FROM attempt WHERE delivery = ?1 ORDER BY number";
const WALK: &str = walk_deliveries!("");
const WALK_EVENT: &str = walk_deliveries!("AND event = ?2");
const WALK_DESTINATION: &str = walk_deliveries!("AND destination = ?2");
// The second condition is what lets SQLite use the index without the delivered rows.
const WALK_STATE: &str = walk_deliveries!("AND state = ?2 AND state <> 'delivered'");
// SQLite merges the two sorted halves as they are read. No LIMIT in these two: a row that cannot be read does not count.
const WAITING: &str = concat!(
    select_tickets!("state = 'pending' AND state <> 'delivered' AND id > ?1"),
    " UNION ALL ",
    select_tickets!("state = 'retrying' AND state <> 'delivered' AND id > ?1"),
    " ORDER BY id"
);
const WAITING_IN_LANE: &str =
    select_tickets!("destination = ?2 AND lane = ?3 AND finished_at IS NULL AND id > ?1 ORDER BY id");
const WAITING_COUNTS: &str = "SELECT destination, count(*) FROM delivery WHERE finished_at IS NULL GROUP BY destination ORDER BY destination";

/// Every query of this module, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 10] = [
    BY_ID,
    OF_EVENT,
    ATTEMPTS,
    WALK,
    WALK_EVENT,
    WALK_DESTINATION,
    WALK_STATE,
    WAITING,
    WAITING_IN_LANE,
    WAITING_COUNTS,
];

/// Waiting deliveries of all lanes.
pub(super) fn waiting(
    transaction: &Transaction<'_>,
    after: Option<DeliveryId>,
    limit: usize,
) -> Result<Vec<Ticket>, ReadError> {
    tickets(transaction, WAITING, params![number(after)], limit)
}

/// Waiting deliveries of one lane.
pub(super) fn waiting_in_lane(
    transaction: &Transaction<'_>,
    lane: &LaneKey,
    after: Option<DeliveryId>,
    limit: usize,
) -> Result<Vec<Ticket>, ReadError> {
    let params = params![number(after), lane.destination.as_str(), &*lane.key];
    tickets(transaction, WAITING_IN_LANE, params, limit)
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
    let before = walk::before(request);
    let state = filter.state.map(DeliveryState::as_str);
    let destination = filter.destination.as_ref().map(DestinationName::as_str);
    let wanted = |row: &Row<'_>| Ok(walk::is(row, 1, state)? && walk::is(row, 2, destination)?);
    // The condition that leaves the fewest rows leads; nearly all rows are delivered in the end.
    let found = match (filter.event, filter.state, destination) {
        (Some(event), _, _) => {
            walk(transaction, WALK_EVENT, params![before, event.as_bytes()], request, wanted)?
        }
        (None, Some(state), _) if state != DeliveryState::Delivered => {
            walk(transaction, WALK_STATE, params![before, state.as_str()], request, wanted)?
        }
        (None, _, Some(destination)) => {
            walk(transaction, WALK_DESTINATION, params![before, destination], request, wanted)?
        }
        (None, _, None) => walk(transaction, WALK, params![before], request, wanted)?,
    };
    let mut items = Vec::with_capacity(found.items.len());
    for id in found.items {
        items.extend(records(transaction, BY_ID, [id])?);
    }
    Ok(Page { items, next: found.next })
}

/// The deliveries of an event, in the order in which they were made.
pub(super) fn of_event(
    transaction: &Transaction<'_>,
    event: EventId,
) -> Result<Vec<DeliveryRecord>, ReadError> {
    records(transaction, OF_EVENT, [event.as_bytes()])
}

/// One delivery with its attempts.
pub(super) fn delivery(
    transaction: &Transaction<'_>,
    id: DeliveryId,
) -> Result<Option<DeliveryDetail>, ReadError> {
    let Some(delivery) = records(transaction, BY_ID, [id.get()])?.pop() else { return Ok(None) };
    let mut statement = transaction.prepare_cached(ATTEMPTS)?;
    let mut rows = statement.query([id.get()])?;
    let mut attempts = Vec::new();
    while let Some(row) = rows.next()? {
        attempts.push(numbered_attempt(row)?);
    }
    Ok(Some(DeliveryDetail { delivery, attempts }))
}

fn number(after: Option<DeliveryId>) -> i64 {
    after.map_or(0, DeliveryId::get)
}

/// Reads at most `limit` tickets. A row that cannot be read is told and passed over: the others must be delivered.
fn tickets(
    transaction: &Transaction<'_>,
    sql: &str,
    params: impl Params,
    limit: usize,
) -> Result<Vec<Ticket>, ReadError> {
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut tickets = Vec::new();
    while tickets.len() < limit
        && let Some(row) = rows.next()?
    {
        match ticket(row) {
            Ok(ticket) => tickets.push(ticket),
            Err(ReadError::Corrupt { table, row, cause }) => {
                tracing::error!(table, row, cause, "a waiting delivery cannot be read, it is passed over");
            }
            Err(error) => return Err(error),
        }
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
    })
}

/// When a delivery may start. One that was never tried may start at once, also when the clock has been set back since
/// it was accepted.
pub(super) fn due_or_at_once(due: Option<Timestamp>) -> Timestamp {
    due.unwrap_or(Timestamp::EPOCH)
}

fn records(
    transaction: &Transaction<'_>,
    sql: &str,
    params: impl Params,
) -> Result<Vec<DeliveryRecord>, ReadError> {
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(delivery_record(row)?);
    }
    Ok(records)
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
        last_outcome: match columns.optional_name()? {
            None => None,
            Some(kind) => Some(LastOutcome { kind, code: columns.take()?, message: columns.take()? }),
        },
    })
}

fn numbered_attempt(row: &Row<'_>) -> Result<(u32, AttemptRecord), ReadError> {
    let mut columns = Columns::of("attempt", row)?;
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
