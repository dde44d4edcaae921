//! Reads events.

use std::sync::Arc;

use bytes::Bytes;
use postroom_core::{
    event::{Event, Kind},
    id::{EventId, SourceName},
};
use rusqlite::{Row, Transaction};

use super::{
    deliveries,
    reader::ReadError,
    row::{Columns, StoredExplanation, StoredFacts, pass_over},
    segments::{EVENTS, Order, kind_term, search, source_term, subject_term},
    walk::{self, walk},
};
use crate::{
    blob::BlobName,
    page::{EventFilter, Page, PageRequest},
    records::{EventRecord, LoadedEvent},
};

macro_rules! select_events {
    ($more:literal, $where:literal) => {
        concat!(
            "SELECT seq, id, received_at, source, kind, subject, ordering_key, verdict, facts, note, labels,
                    content_type, body_bytes, hops, ",
            $more,
            " FROM event WHERE ",
            $where
        )
    };
}

const BY_ID: &str = select_events!("explanations", "id = ?1");
const BY_SEQ: &str = select_events!("explanations", "seq = ?1");
const WITH_BODY: &str = select_events!("body", "id = ?1");
const BODY: &str = "SELECT seq, body_bytes, blob, body FROM event WHERE id = ?1";
const WALK: &str =
    "SELECT seq, source, kind, subject FROM event WHERE seq >= ?1 AND seq < ?2 ORDER BY seq DESC";

/// Every query of this module, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 5] = [BY_ID, BY_SEQ, WITH_BODY, BODY, WALK];

/// One event with its deliveries.
pub(super) fn event(transaction: &Transaction<'_>, id: EventId) -> Result<Option<EventRecord>, ReadError> {
    let Some(mut record) = record(transaction, id)? else { return Ok(None) };
    record.deliveries = deliveries::of_event(transaction, id)?;
    Ok(Some(record))
}

/// One event without its deliveries.
pub(super) fn record(transaction: &Transaction<'_>, id: EventId) -> Result<Option<EventRecord>, ReadError> {
    let mut statement = transaction.prepare_cached(BY_ID)?;
    let mut rows = statement.query([id.as_bytes()])?;
    rows.next()?.map(event_record).transpose()
}

/// A page of events, without their deliveries.
pub(super) fn events(
    transaction: &Transaction<'_>,
    filter: &EventFilter,
    request: PageRequest,
) -> Result<Page<EventRecord>, ReadError> {
    let found = find(transaction, filter, walk::before(request), request.limit)?;
    let mut statement = transaction.prepare_cached(BY_SEQ)?;
    let mut items = Vec::with_capacity(found.items.len());
    for seq in found.items {
        let mut rows = statement.query([seq])?;
        if let Some(row) = rows.next()? {
            items.extend(pass_over(event_record(row))?);
        }
    }
    Ok(Page { items, next: found.next })
}

/// The numbers of the events that match, newest first.
fn find(
    transaction: &Transaction<'_>,
    filter: &EventFilter,
    before: i64,
    limit: usize,
) -> Result<Page<i64>, ReadError> {
    let (terms, wanted) = (terms(filter), |row: &Row<'_>| is_wanted(filter, row));
    if terms.is_empty() {
        return walk(transaction, WALK, [0, before], limit, wanted);
    }
    search(transaction, &EVENTS, &terms, (WALK, Order::NewestFirst), 0..before, limit, wanted)
}

fn terms(filter: &EventFilter) -> Vec<u32> {
    let EventFilter { kind, source, subject } = filter;
    let kind = kind.map(|kind| kind_term(kind.as_str()));
    let source = source.as_ref().map(|source| source_term(source.as_str()));
    let subject = subject.as_deref().map(subject_term);
    [subject, source, kind].into_iter().flatten().collect()
}

fn is_wanted(filter: &EventFilter, row: &Row<'_>) -> rusqlite::Result<bool> {
    let EventFilter { kind, source, subject } = filter;
    Ok(walk::is(row, 1, source.as_ref().map(SourceName::as_str))?
        && walk::is(row, 2, kind.as_ref().map(Kind::as_str))?
        && walk::is(row, 3, subject.as_deref())?)
}

/// Where an event's body is.
pub(super) enum BodyPlace {
    Inline(Bytes),
    File { row: i64, name: BlobName, bytes: u64 },
}

/// An event's body, or where it is.
pub(super) fn body(transaction: &Transaction<'_>, id: EventId) -> Result<Option<BodyPlace>, ReadError> {
    let mut statement = transaction.prepare_cached(BODY)?;
    let mut rows = statement.query([id.as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut columns = Columns::of("event", row)?;
    let bytes = columns.count()?;
    let name = columns.take::<Option<[u8; 32]>>()?.map(BlobName::from_bytes);
    Ok(Some(match name {
        None => BodyPlace::Inline(columns.take::<Vec<u8>>()?.into()),
        Some(name) => BodyPlace::File { row: columns.number(), name, bytes },
    }))
}

/// Events with their small bodies, as far as those fit into `bytes_max`.
pub(super) fn load(
    transaction: &Transaction<'_>,
    ids: &[EventId],
    bytes_max: usize,
) -> Result<Vec<LoadedEvent>, ReadError> {
    let mut statement = transaction.prepare_cached(WITH_BODY)?;
    let (mut loaded, mut bytes) = (Vec::new(), 0);
    for id in ids {
        let mut rows = statement.query([id.as_bytes()])?;
        let Some(row) = rows.next()? else { continue };
        let Some(event) = pass_over(loaded_event(row))? else { continue };
        bytes += event.body.as_ref().map_or(0, Bytes::len);
        if bytes > bytes_max && !loaded.is_empty() {
            break;
        }
        loaded.push(event);
    }
    Ok(loaded)
}

fn loaded_event(row: &Row<'_>) -> Result<LoadedEvent, ReadError> {
    let mut columns = Columns::of("event", row)?;
    Ok(LoadedEvent {
        event: Arc::new(event_of(&mut columns)?),
        body: columns.take::<Option<Vec<u8>>>()?.map(Bytes::from),
    })
}

pub(super) fn event_of(columns: &mut Columns<'_, '_>) -> Result<Event, ReadError> {
    Ok(Event {
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
        hops: columns.take()?,
    })
}

fn event_record(row: &Row<'_>) -> Result<EventRecord, ReadError> {
    let mut columns = Columns::of("event", row)?;
    Ok(EventRecord {
        event: event_of(&mut columns)?,
        explanations: columns
            .json::<Vec<StoredExplanation<'static>>>()?
            .into_iter()
            .map(Into::into)
            .collect(),
        deliveries: Vec::new(),
    })
}
