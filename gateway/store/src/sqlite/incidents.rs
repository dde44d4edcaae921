//! Reads incidents.

use postroom_core::{
    id::{EventId, IncidentId},
    monitor::RunRef,
    time::Timestamp,
};
use rusqlite::{Row, Transaction};

use super::{
    monitors::{StoredEntry, open_incident},
    reader::ReadError,
    row::{Columns, pass_over},
    walk::{self, walk},
};
use crate::{
    monitors::{IncidentFilter, IncidentRecord, IncidentState},
    page::{Page, PageRequest},
};

macro_rules! select_incidents {
    ($where:literal) => {
        concat!(
            "SELECT number, id, monitor, monitor_name, state, severity, opened_at, resolved_at,
                    first_failing_event, first_failing_at, last_failing_event, last_failing_at,
                    resolved_by_event, resolved_by_at, runs, failed_runs, reminders, announced, timeline
             FROM incident WHERE ",
            $where
        )
    };
}

macro_rules! walk_incidents {
    ($where:literal) => {
        concat!(
            "SELECT number, monitor, state, opened_at FROM incident WHERE ",
            $where,
            "number < ?1 ORDER BY number DESC"
        )
    };
}

/// The monitor that an open incident is of.
const TRACK: &str = "SELECT track FROM monitor WHERE uid = ?1";
const BY_ID: &str = select_incidents!("id = ?1");
const BY_NUMBER: &str = select_incidents!("number = ?1");
const WALK_ALL: &str = walk_incidents!("");
const WALK_OPEN: &str = walk_incidents!("resolved_at IS NULL AND ");
const WALK_OF_MONITOR: &str = walk_incidents!("monitor = ?2 AND ");

/// Every query of this module, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 6] = [TRACK, BY_ID, BY_NUMBER, WALK_ALL, WALK_OPEN, WALK_OF_MONITOR];

/// One incident.
pub(super) fn incident(
    transaction: &Transaction<'_>,
    id: IncidentId,
) -> Result<Option<IncidentRecord>, ReadError> {
    let mut statement = transaction.prepare_cached(BY_ID)?;
    let mut rows = statement.query([id.as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let record = incident_record(row)?;
    Ok(Some(as_of_now(transaction, record)?))
}

/// A page of incidents, newest first.
pub(super) fn incidents(
    transaction: &Transaction<'_>,
    filter: &IncidentFilter,
    request: PageRequest,
) -> Result<Page<IncidentRecord>, ReadError> {
    let (before, limit) = (walk::before(request), request.limit);
    let wanted = |row: &Row<'_>| is_wanted(filter, row);
    let found = match filter {
        IncidentFilter { monitor: Some(monitor), .. } => {
            walk(transaction, WALK_OF_MONITOR, (before, monitor), limit, wanted)?
        }
        IncidentFilter { state: Some(IncidentState::Open), .. } => {
            walk(transaction, WALK_OPEN, [before], limit, wanted)?
        }
        _ => walk(transaction, WALK_ALL, [before], limit, wanted)?,
    };
    let mut statement = transaction.prepare_cached(BY_NUMBER)?;
    let mut items = Vec::with_capacity(found.items.len());
    for number in found.items {
        let mut rows = statement.query([number])?;
        if let Some(row) = rows.next()?
            && let Some(record) = pass_over(incident_record(row))?
        {
            items.push(as_of_now(transaction, record)?);
        }
    }
    Ok(Page { items, next: found.next })
}

fn is_wanted(filter: &IncidentFilter, row: &Row<'_>) -> rusqlite::Result<bool> {
    let IncidentFilter { state, monitor, since, until } = filter;
    let opened_at = Timestamp::from_unix_ms(row.get(3)?);
    Ok(walk::is(row, 1, monitor.as_deref())?
        && walk::is(row, 2, state.map(IncidentState::as_str))?
        && since.is_none_or(|since| opened_at >= since)
        && until.is_none_or(|until| opened_at < until))
}

/// An open incident with what the runs of its monitor have counted up. Where that cannot be read it is as it was kept.
fn as_of_now(transaction: &Transaction<'_>, mut record: IncidentRecord) -> Result<IncidentRecord, ReadError> {
    if record.state == IncidentState::Open {
        let mut statement = transaction.prepare_cached(TRACK)?;
        let mut rows = statement.query([&record.monitor])?;
        let track = rows.next()?.map(|row| row.get_ref(0)).transpose()?;
        record.count(track.and_then(|track| open_incident(track.as_str().ok()?)).as_ref());
    }
    Ok(record)
}

fn incident_record(row: &Row<'_>) -> Result<IncidentRecord, ReadError> {
    let mut columns = Columns::of("incident", row)?;
    Ok(IncidentRecord {
        id: IncidentId::from_bytes(columns.take()?),
        monitor: columns.take()?,
        monitor_name: columns.take()?,
        state: columns.name()?,
        severity: columns.name()?,
        opened_at: columns.time()?,
        resolved_at: columns.optional_time()?,
        first_failing: RunRef { event: columns.event_id()?, at: columns.time()? },
        last_failing: RunRef { event: columns.event_id()?, at: columns.time()? },
        resolved_by: {
            let event = columns.take::<Option<[u8; 16]>>()?.map(EventId::from_bytes);
            event.zip(columns.optional_time()?).map(|(event, at)| RunRef { event, at })
        },
        runs: columns.take()?,
        failed_runs: columns.take()?,
        reminders: columns.take()?,
        announced: columns.take()?,
        timeline: columns.json::<Vec<StoredEntry<'static>>>()?.into_iter().map(Into::into).collect(),
    })
}
