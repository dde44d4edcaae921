//! Reads what was changed, by whom.

use postroom_core::time::Timestamp;
use rusqlite::{Row, Transaction};

use super::{
    reader::ReadError,
    row::{Columns, pass_over},
    walk::{self, walk},
};
use crate::{
    audit::{AuditEntry, AuditFilter, AuditRecord},
    page::{Page, PageRequest},
};

const BY_ID: &str = "
    SELECT id, at, who, via, operation, object, before, after, outcome, code, request_id FROM audit WHERE id = ?1";

macro_rules! walk_audit {
    ($where:literal) => {
        concat!("SELECT id, who, operation, at FROM audit WHERE ", $where, "id < ?1 ORDER BY id DESC")
    };
}

const WALK_ALL: &str = walk_audit!("");
const WALK_OF: &str = walk_audit!("who = ?2 AND ");

/// Every query of this module, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 3] = [BY_ID, WALK_ALL, WALK_OF];

/// A page of entries, newest first.
pub(super) fn entries(
    transaction: &Transaction<'_>,
    filter: &AuditFilter,
    request: PageRequest,
) -> Result<Page<AuditRecord>, ReadError> {
    let (before, limit) = (walk::before(request), request.limit);
    let wanted = |row: &Row<'_>| is_wanted(filter, row);
    let found = match &filter.who {
        Some(who) => walk(transaction, WALK_OF, (before, who), limit, wanted)?,
        None => walk(transaction, WALK_ALL, [before], limit, wanted)?,
    };
    let mut statement = transaction.prepare_cached(BY_ID)?;
    let mut items = Vec::with_capacity(found.items.len());
    for id in found.items {
        let mut rows = statement.query([id])?;
        if let Some(row) = rows.next()? {
            items.extend(pass_over(record(row))?);
        }
    }
    Ok(Page { items, next: found.next })
}

fn is_wanted(filter: &AuditFilter, row: &Row<'_>) -> rusqlite::Result<bool> {
    let AuditFilter { who, operation, since, until } = filter;
    let at = Timestamp::from_unix_ms(row.get(3)?);
    Ok(walk::is(row, 1, who.as_deref())?
        && walk::is(row, 2, operation.as_deref())?
        && since.is_none_or(|since| at >= since)
        && until.is_none_or(|until| at < until))
}

fn record(row: &Row<'_>) -> Result<AuditRecord, ReadError> {
    let mut columns = Columns::of("audit", row)?;
    Ok(AuditRecord {
        id: columns.number(),
        entry: AuditEntry {
            at: columns.time()?,
            who: columns.take()?,
            via: columns.name()?,
            operation: columns.take()?,
            object: columns.take()?,
            before: columns.optional_json()?,
            after: columns.optional_json()?,
            outcome: columns.name()?,
            code: columns.take()?,
            request_id: columns.take()?,
        },
    })
}
