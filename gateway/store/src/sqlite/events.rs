//! Reads events.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    ops::{Range, RangeInclusive},
    sync::Arc,
};

use bytes::Bytes;
use postroom_core::{
    event::{Event, Facts, Kind},
    id::{EventId, SourceName},
    time::Timestamp,
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
    page::{EventFilter, Followed, Page, PageRequest},
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

macro_rules! walk_events {
    ($order:literal) => {
        concat!(
            "SELECT seq, source, kind, subject, received_at, facts, note, labels FROM event
             WHERE seq >= ?1 AND seq < ?2 ORDER BY seq",
            $order
        )
    };
}

const BY_ID: &str = select_events!("explanations", "id = ?1");
const BY_SEQ: &str = select_events!("explanations", "seq = ?1");
const WITH_BODY: &str = select_events!("body", "id = ?1");
const BODY: &str = "SELECT seq, body_bytes, blob, body FROM event WHERE id = ?1";
const NEWEST_FIRST: &str = walk_events!(" DESC");
const OLDEST_FIRST: &str = walk_events!("");

/// Every query of this module, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 6] = [BY_ID, BY_SEQ, WITH_BODY, BODY, NEWEST_FIRST, OLDEST_FIRST];

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
    let rows = 0..walk::before(request);
    let found = find(transaction, filter, Order::NewestFirst, rows, request.limit)?;
    let mut items = Vec::with_capacity(found.items.len());
    for seq in found.items {
        items.extend(by_seq(transaction, seq)?);
    }
    Ok(Page { items, next: found.next })
}

/// Events in the order in which they were accepted, without their deliveries.
pub(super) fn events_from(
    transaction: &Transaction<'_>,
    filter: &EventFilter,
    rows: RangeInclusive<i64>,
    limit: usize,
) -> Result<Followed<EventRecord>, ReadError> {
    let range = *rows.start()..rows.end().saturating_add(1);
    let found = find(transaction, filter, Order::OldestFirst, range, limit)?;
    walk::followed(found, &rows, |seq| by_seq(transaction, seq))
}

fn by_seq(transaction: &Transaction<'_>, seq: i64) -> Result<Option<EventRecord>, ReadError> {
    let mut statement = transaction.prepare_cached(BY_SEQ)?;
    let mut rows = statement.query([seq])?;
    match rows.next()? {
        Some(row) => pass_over(event_record(row)),
        None => Ok(None),
    }
}

/// The numbers of the events in `rows` that match.
fn find(
    transaction: &Transaction<'_>,
    filter: &EventFilter,
    order: Order,
    rows: Range<i64>,
    limit: usize,
) -> Result<Page<i64>, ReadError> {
    let rows = EVENTS.narrowed(transaction, filter.since, filter.until, rows)?;
    let sql = match order {
        Order::NewestFirst => NEWEST_FIRST,
        Order::OldestFirst => OLDEST_FIRST,
    };
    let (terms, wanted) = (terms(filter), |row: &Row<'_>| is_wanted(filter, row));
    if terms.is_empty() {
        return walk(transaction, sql, [rows.start, rows.end], limit, wanted);
    }
    search(transaction, &EVENTS, &terms, (sql, order), rows, limit, wanted)
}

/// What leads to the events that match. What else is asked for is looked at in each of them.
fn terms(filter: &EventFilter) -> Vec<u32> {
    let EventFilter { kind, source, subject, monitor, .. } = filter;
    let kind = kind.map(|kind| kind_term(kind.as_str()));
    let source = source.as_ref().map(|source| source_term(source.as_str()));
    let subject = subject.as_deref().map(subject_term);
    // What is about a monitor has it as its subject.
    let monitor = monitor.as_deref().map(subject_term);
    [subject, monitor, source, kind].into_iter().flatten().collect()
}

fn is_wanted(filter: &EventFilter, row: &Row<'_>) -> rusqlite::Result<bool> {
    let EventFilter { kind, source, subject, label, monitor, collection, text, since, until } = filter;
    let received_at = Timestamp::from_unix_ms(row.get(4)?);
    if !walk::is(row, 1, source.as_ref().map(SourceName::as_str))?
        || !walk::is(row, 2, kind.as_ref().map(Kind::as_str))?
        || !walk::is(row, 3, subject.as_deref())?
        || since.is_some_and(|since| received_at < since)
        || until.is_some_and(|until| received_at >= until)
    {
        return Ok(false);
    }
    if let Some((name, value)) = label
        && !label_is(row.get_ref(7)?.as_str()?, name, value.as_deref())
    {
        return Ok(false);
    }
    if monitor.is_none() && collection.is_none() && text.is_none() {
        return Ok(true);
    }
    // One that cannot be read is told of when it is read as a whole.
    let Ok(facts) = serde_json::from_str::<StoredFacts<'_>>(row.get_ref(5)?.as_str()?) else {
        return Ok(false);
    };
    let facts = Facts::from(facts);
    let is = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
    if !is(monitor, &facts.monitor_id) || !is(collection, &facts.collection_id) {
        return Ok(false);
    }
    let Some(text) = text else { return Ok(true) };
    let Facts {
        monitor_name,
        monitor_id,
        collection_name,
        collection_id,
        environment_name,
        environment_id,
        action,
        model,
    } = &facts;
    let said = [
        monitor_name,
        monitor_id,
        collection_name,
        collection_id,
        environment_name,
        environment_id,
        action,
        model,
    ];
    let said = said.into_iter().flatten().map(String::as_str);
    let said = said.chain(row.get_ref(3)?.as_str_or_null()?).chain(row.get_ref(6)?.as_str_or_null()?);
    Ok(said.into_iter().any(|said| said.to_lowercase().contains(text)))
}

fn label_is(labels: &str, name: &str, value: Option<&str>) -> bool {
    let labels = serde_json::from_str::<BTreeMap<Cow<'_, str>, Cow<'_, str>>>(labels);
    labels.is_ok_and(|labels| labels.get(name).is_some_and(|found| value.is_none_or(|value| found == value)))
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
