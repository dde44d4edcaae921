//! Reads monitors and collections.

mod stored;

use postroom_core::{
    event::Verdict,
    id::SourceName,
    monitor::{CollectionWatch, Counts, Identity, Monitor, Mute, Run, history},
    time::Timestamp,
};
use rusqlite::{Params, Row, Transaction};

use self::stored::{StoredCadence, StoredTrack};
pub(super) use self::stored::{StoredEntry, cadence_json, open_incident, timeline_json, track_json};
use super::{
    reader::ReadError,
    row::{Columns, pass_over},
    walk::WALK_ROWS_MAX,
};
use crate::{
    monitors::{CollectionChange, MonitorCounts, MonitorFilter, MonitorRow},
    page::{MonitorPlace, Page, PageRequest},
};

macro_rules! select_monitors {
    ($rest:literal) => {
        concat!(
            "SELECT id, uid, name, collection_name, collection_id, environment_name, environment_id, source, labels,
                    first_seen, last_run, passed, failed, unknown, track, silent_since, cadence, muted_until, muted_by,
                    muted_because, due_at
             FROM monitor ",
            $rest
        )
    };
}

macro_rules! walk_monitors {
    ($from:literal, $where:literal) => {
        concat!(
            "SELECT id, list_name, uid, collection_name, environment_name FROM monitor INDEXED BY ",
            $from,
            " WHERE (list_name, uid) > (?1, ?2)",
            $where,
            " ORDER BY list_name, uid"
        )
    };
}

const BY_ID: &str = select_monitors!("WHERE id = ?1");
const BY_UID: &str = select_monitors!("WHERE uid = ?1");
const DUE: &str = select_monitors!("WHERE due_at <= ?1 ORDER BY due_at");
const AFTER: &str = select_monitors!("WHERE uid > ?1 ORDER BY uid");
const WALK_ALL: &str = walk_monitors!("monitor_by_name", "");
const WALK_NOT_PASSED: &str = walk_monitors!("monitor_not_passed", " AND last_verdict <> 'passed'");
const WALK_SILENT: &str = walk_monitors!("monitor_silent", " AND silent_since IS NOT NULL");
const WALK_WITH_INCIDENT: &str = walk_monitors!("monitor_with_incident", " AND incident IS NOT NULL");
const WALK_MUTED: &str = walk_monitors!("monitor_muted", " AND muted_until IS NOT NULL");
macro_rules! select_collections {
    ($rest:literal) => {
        concat!(
            "SELECT id, uid, name, last_at, last_event, overdue_since, due_at FROM collection_watch ",
            $rest
        )
    };
}

const COLLECTION: &str = select_collections!("WHERE uid = ?1");
const COLLECTIONS_DUE: &str = select_collections!("WHERE due_at <= ?1 ORDER BY due_at");
const COLLECTIONS: &str = select_collections!("WHERE uid > ?1 ORDER BY uid");

// Indexes alone are read.
const COUNT_ALL: &str = "SELECT count(*) FROM monitor WHERE uid > ''";
const COUNT_SILENT: &str = "
    SELECT count(*) FROM monitor INDEXED BY monitor_silent WHERE list_name > '' AND silent_since IS NOT NULL";
const COUNT_WITH_INCIDENT: &str = "
    SELECT count(*) FROM monitor INDEXED BY monitor_with_incident WHERE list_name > '' AND incident IS NOT NULL";

/// Every query of this module, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 15] = [
    COUNT_ALL,
    COUNT_SILENT,
    COUNT_WITH_INCIDENT,
    BY_ID,
    BY_UID,
    DUE,
    AFTER,
    WALK_ALL,
    WALK_NOT_PASSED,
    WALK_SILENT,
    WALK_WITH_INCIDENT,
    WALK_MUTED,
    COLLECTION,
    COLLECTIONS_DUE,
    COLLECTIONS,
];

/// Those of the monitors that are known.
pub(super) fn by_uid(transaction: &Transaction<'_>, uids: &[String]) -> Result<Vec<MonitorRow>, ReadError> {
    let mut statement = transaction.prepare_cached(BY_UID)?;
    let mut found = Vec::with_capacity(uids.len());
    for uid in uids {
        let mut rows = statement.query([uid])?;
        if let Some(row) = rows.next()? {
            found.extend(pass_over(monitor_row(row))?);
        }
    }
    Ok(found)
}

/// Monitors that are due, the earliest first.
pub(super) fn due(
    transaction: &Transaction<'_>,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<MonitorRow>, ReadError> {
    several(transaction, DUE, [until.as_unix_ms()], limit, monitor_row)
}

/// Monitors by their ids, those behind `after`.
pub(super) fn monitors_after(
    transaction: &Transaction<'_>,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<MonitorRow>, ReadError> {
    several(transaction, AFTER, [after.unwrap_or_default()], limit, monitor_row)
}

/// How many there are.
pub(super) fn count(transaction: &Transaction<'_>) -> Result<MonitorCounts, ReadError> {
    let count = |sql| transaction.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0));
    let count = |sql| count(sql).map(|count| u64::try_from(count).unwrap_or_default());
    Ok(MonitorCounts {
        monitors: count(COUNT_ALL)?,
        silent: count(COUNT_SILENT)?,
        with_incident: count(COUNT_WITH_INCIDENT)?,
    })
}

/// One monitor.
pub(super) fn monitor(transaction: &Transaction<'_>, uid: &str) -> Result<Option<MonitorRow>, ReadError> {
    let mut statement = transaction.prepare_cached(BY_UID)?;
    let mut rows = statement.query([uid])?;
    rows.next()?.map(monitor_row).transpose()
}

/// A page of monitors by name.
pub(super) fn monitors(
    transaction: &Transaction<'_>,
    filter: &MonitorFilter,
    request: PageRequest<MonitorPlace>,
) -> Result<Page<MonitorRow, MonitorPlace>, ReadError> {
    let mut page = Page { items: Vec::new(), next: None };
    // Nothing comes before no name.
    let (name, uid) = request.before.map(|place| (place.list_name, place.uid)).unwrap_or_default();
    let text = filter.text.as_deref().map(str::to_lowercase);
    let limit = request.limit.max(1);
    let mut statement = transaction.prepare_cached(walk_for(filter))?;
    let mut by_id = transaction.prepare_cached(BY_ID)?;
    let mut rows = statement.query([name, uid])?;
    let (mut last, mut seen) = (None, 0);
    while let Some(row) = rows.next()? {
        if page.items.len() == limit || seen == WALK_ROWS_MAX {
            page.next = last;
            break;
        }
        let id: i64 = row.get(0)?;
        seen += 1;
        if page.items.len() + 1 >= limit || seen == WALK_ROWS_MAX {
            last = Some(MonitorPlace { list_name: row.get(1)?, uid: row.get(2)? });
        }
        if !text.as_deref().map_or(Ok(true), |text| mentions(row, text))? {
            continue;
        }
        let mut rows = by_id.query([id])?;
        if let Some(row) = rows.next()? {
            let read = pass_over(monitor_row(row))?;
            page.items.extend(read.filter(|row| is_wanted(filter, &row.monitor)));
        }
    }
    Ok(page)
}

/// The shortest way to what a filter asks for.
fn walk_for(filter: &MonitorFilter) -> &'static str {
    let MonitorFilter { verdict, silent, incident_open, muted_at, .. } = filter;
    if *incident_open == Some(true) {
        WALK_WITH_INCIDENT
    } else if *silent == Some(true) {
        WALK_SILENT
    } else if muted_at.is_some() {
        WALK_MUTED
    } else if verdict.is_some_and(|verdict| verdict != Verdict::Passed) {
        WALK_NOT_PASSED
    } else {
        WALK_ALL
    }
}

/// Whether a text is in what a row of a walk is called; `text` is in lower case.
fn mentions(row: &Row<'_>, text: &str) -> rusqlite::Result<bool> {
    for column in 1..=4 {
        if let Some(name) = row.get_ref(column)?.as_str_or_null()?
            && name.to_lowercase().contains(text)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_wanted(filter: &MonitorFilter, monitor: &Monitor) -> bool {
    let MonitorFilter { text: _, verdict, silent, incident_open, muted_at, unmuted_at, source, label } =
        filter;
    let is = |wanted: &Option<bool>, found: bool| wanted.is_none_or(|wanted| wanted == found);
    verdict.is_none_or(|verdict| monitor.last_run.as_ref().is_some_and(|run| run.verdict == verdict))
        && is(silent, monitor.cadence.silent_since.is_some())
        && is(incident_open, monitor.track.incident.is_some())
        && muted_at.is_none_or(|at| monitor.mute.as_ref().is_some_and(|mute| mute.until > at))
        && unmuted_at.is_none_or(|at| monitor.mute.as_ref().is_none_or(|mute| mute.until <= at))
        && source.as_ref().is_none_or(|source| monitor.identity.source == *source)
        && label.as_ref().is_none_or(|(name, wanted)| {
            let value = monitor.identity.labels.get(name);
            value.is_some_and(|value| wanted.as_ref().is_none_or(|wanted| value == wanted))
        })
}

fn monitor_row(row: &Row<'_>) -> Result<MonitorRow, ReadError> {
    let mut columns = Columns::of("monitor", row)?;
    let identity = Identity {
        uid: columns.take()?,
        name: columns.take()?,
        collection_name: columns.take()?,
        collection_id: columns.take()?,
        environment_name: columns.take()?,
        environment_id: columns.take()?,
        source: SourceName::new(columns.take::<String>()?),
        labels: columns.json()?,
    };
    let first_seen = columns.time()?;
    let last_run = columns.take::<Option<Vec<u8>>>()?;
    let last_run = last_run.map(|bytes| only_run(&bytes)).transpose();
    let last_run = last_run.map_err(|cause| columns.corrupt(10, &cause))?;
    let counts = Counts { passed: columns.count()?, failed: columns.count()?, unknown: columns.count()? };
    let track = columns.json::<StoredTrack<'static>>()?.read();
    let track = track.map_err(|cause| columns.corrupt(14, cause))?;
    let silent_since = columns.optional_time()?;
    let cadence = columns.json::<StoredCadence<'static>>()?.read(silent_since);
    let (until, by) = (columns.optional_time()?, columns.take::<Option<String>>()?);
    let reason = columns.take()?;
    let mute = until.zip(by).map(|(until, by)| Mute { until, by, reason });
    let monitor = Monitor { identity, first_seen, last_run, counts, track, cadence, mute };
    Ok(MonitorRow { monitor, due_at: columns.optional_time()? })
}

fn only_run(bytes: &[u8]) -> Result<Run, String> {
    let mut runs = history::decode(bytes).map_err(|error| error.to_string())?;
    runs.pop().filter(|_| runs.is_empty()).ok_or_else(|| "not one run".to_owned())
}

/// Those of the collections that are known.
pub(super) fn collections_by_uid(
    transaction: &Transaction<'_>,
    uids: &[String],
) -> Result<Vec<CollectionWatch>, ReadError> {
    let mut found = Vec::with_capacity(uids.len());
    for uid in uids {
        found.extend(
            several(transaction, COLLECTION, [uid], 1, collection_row)?.into_iter().map(|row| row.watch),
        );
    }
    Ok(found)
}

/// Collections that are due, the earliest first.
pub(super) fn collections_due(
    transaction: &Transaction<'_>,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<CollectionChange>, ReadError> {
    several(transaction, COLLECTIONS_DUE, [until.as_unix_ms()], limit, collection_row)
}

/// Collections by their ids, those behind `after`.
pub(super) fn collections(
    transaction: &Transaction<'_>,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<CollectionChange>, ReadError> {
    several(transaction, COLLECTIONS, [after.unwrap_or_default()], limit, collection_row)
}

fn collection_row(row: &Row<'_>) -> Result<CollectionChange, ReadError> {
    let mut columns = Columns::of("collection_watch", row)?;
    let watch = CollectionWatch {
        uid: columns.take()?,
        name: columns.take()?,
        last_at: columns.time()?,
        last_event: columns.event_id()?,
        overdue_since: columns.optional_time()?,
    };
    Ok(CollectionChange { watch, due_at: columns.optional_time()? })
}

/// At most `limit` rows that can be read. One that cannot takes no place, so that it hides none behind it.
fn several<T>(
    transaction: &Transaction<'_>,
    sql: &str,
    params: impl Params,
    limit: usize,
    read: fn(&Row<'_>) -> Result<T, ReadError>,
) -> Result<Vec<T>, ReadError> {
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        found.extend(pass_over(read(row))?);
    }
    Ok(found)
}
