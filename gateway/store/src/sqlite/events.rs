//! Reads events.

use std::sync::Arc;

use postroom_core::{
    event::{Event, Kind},
    id::{EventId, SourceName},
};
use rusqlite::{Row, Transaction, params};

use super::{
    deliveries,
    reader::ReadError,
    row::{Columns, StoredExplanation, StoredFacts},
    walk::{self, walk},
};
use crate::{
    blob::{BlobName, Blobs, ReadBlobError},
    page::{EventFilter, Page, PageRequest},
    records::EventRecord,
};

macro_rules! select_events {
    ($where:literal) => {
        concat!(
            "SELECT seq, id, received_at, source, kind, subject, ordering_key, verdict, facts, note, labels,
                    content_type, body_bytes, explanations
             FROM event WHERE ",
            $where
        )
    };
}

macro_rules! walk_events {
    ($where:literal) => {
        concat!("SELECT seq, source, kind FROM event WHERE seq < ?1 ", $where, " ORDER BY seq DESC")
    };
}

const BY_ID: &str = select_events!("id = ?1");
const BY_SEQ: &str = select_events!("seq = ?1");
const BODY: &str = "SELECT seq, body_bytes, blob, body FROM event WHERE id = ?1";
const WALK: &str = walk_events!("");
const WALK_SUBJECT: &str = walk_events!("AND subject = ?2");
const WALK_KIND: &str = walk_events!("AND kind = ?2");
const WALK_SOURCE: &str = walk_events!("AND source = ?2");

/// Every query of this module, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 7] = [BY_ID, BY_SEQ, BODY, WALK, WALK_SUBJECT, WALK_KIND, WALK_SOURCE];

/// One event with its deliveries.
pub(super) fn event(transaction: &Transaction<'_>, id: EventId) -> Result<Option<EventRecord>, ReadError> {
    let mut statement = transaction.prepare_cached(BY_ID)?;
    let mut rows = statement.query([id.as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut record = event_record(row)?;
    record.deliveries = deliveries::of_event(transaction, id)?;
    Ok(Some(record))
}

/// A page of events, without their deliveries.
pub(super) fn events(
    transaction: &Transaction<'_>,
    filter: &EventFilter,
    request: PageRequest,
) -> Result<Page<EventRecord>, ReadError> {
    let (sql, value) = lead(filter);
    let before = walk::before(request);
    let source = filter.source.as_ref().map(SourceName::as_str);
    let kind = filter.kind.map(Kind::as_str);
    let wanted = |row: &Row<'_>| Ok(walk::is(row, 1, source)? && walk::is(row, 2, kind)?);
    let found = match value {
        Some(value) => walk(transaction, sql, params![before, value], request, wanted)?,
        None => walk(transaction, sql, params![before], request, wanted)?,
    };
    let mut statement = transaction.prepare_cached(BY_SEQ)?;
    let mut items = Vec::with_capacity(found.items.len());
    for seq in found.items {
        let mut rows = statement.query([seq])?;
        if let Some(row) = rows.next()? {
            items.push(event_record(row)?);
        }
    }
    Ok(Page { items, next: found.next })
}

/// The index that leaves the fewest rows to look at, and its value. Monitor runs are the bulk of all traffic, so of a
/// kind and a source the other one leads for them.
fn lead(filter: &EventFilter) -> (&'static str, Option<&str>) {
    match filter {
        EventFilter { subject: Some(subject), .. } => (WALK_SUBJECT, Some(subject)),
        EventFilter { source: Some(source), kind: None | Some(Kind::MonitorRun), .. } => {
            (WALK_SOURCE, Some(source.as_str()))
        }
        EventFilter { kind: Some(kind), .. } => (WALK_KIND, Some(kind.as_str())),
        EventFilter { .. } => (WALK, None),
    }
}

/// An event's body, byte for byte.
pub(super) fn body(
    transaction: &Transaction<'_>,
    id: EventId,
    blobs: &Blobs,
) -> Result<Option<Vec<u8>>, ReadError> {
    let mut statement = transaction.prepare_cached(BODY)?;
    let mut rows = statement.query([id.as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut columns = Columns::of("event", row)?;
    let bytes = columns.count()?;
    let name = columns.take::<Option<[u8; 32]>>()?.map(BlobName::from_bytes);
    let Some(name) = name else { return columns.take().map(Some) };
    blobs.get(name, bytes).map(Some).map_err(|error| match error {
        ReadBlobError::Io(error) => ReadError::Blob(error),
        ReadBlobError::Missing(_) | ReadBlobError::Changed(_) => columns.corrupt(2, &error.to_string()),
    })
}

fn event_record(row: &Row<'_>) -> Result<EventRecord, ReadError> {
    let mut columns = Columns::of("event", row)?;
    Ok(EventRecord {
        event: Event {
            id: columns.event_id()?,
            received_at: columns.time()?,
            source: SourceName::new(columns.take::<Arc<str>>()?),
            kind: columns.name()?,
            subject: columns.take()?,
            ordering_key: columns.take()?,
            verdict: columns.optional_name()?,
            facts: columns.json::<StoredFacts<'static>>()?.into(),
            note: columns.take()?,
            labels: columns.json()?,
            content_type: columns.take()?,
            body_bytes: columns.count()?,
        },
        explanations: columns
            .json::<Vec<StoredExplanation<'static>>>()?
            .into_iter()
            .map(Into::into)
            .collect(),
        deliveries: Vec::new(),
    })
}
