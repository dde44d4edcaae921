//! Lists, page by page, with bounded work per page.

use std::ops::RangeInclusive;

use rusqlite::{Params, Row, Transaction};

use super::reader::ReadError;
use crate::{
    error::StoreError,
    page::{FollowFrom, Followed, Page, PageRequest},
};

/// Rows that one page may look at. A filter that no index serves whole could otherwise read all of history to find
/// nothing; so it gives what it has found and where to go on.
pub(super) const WALK_ROWS_MAX: usize = 10_000;

/// A page of row numbers: `sql` gives rows in the order of the list with the number in column 0, `wanted` picks.
pub(super) fn walk<P: Params>(
    transaction: &Transaction<'_>,
    sql: &str,
    params: P,
    limit: usize,
    mut wanted: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
) -> Result<Page<i64>, ReadError> {
    let limit = limit.max(1);
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut page = Page { items: Vec::new(), next: None };
    let mut last = None;
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        if page.items.len() == limit || seen == WALK_ROWS_MAX {
            page.next = last;
            break;
        }
        let number = row.get(0)?;
        if wanted(row)? {
            page.items.push(number);
        }
        last = Some(number);
        seen += 1;
    }
    Ok(page)
}

/// The bound of a page as a number that every row is below.
pub(super) fn before(request: PageRequest) -> i64 {
    request.before.unwrap_or(i64::MAX).max(0)
}

/// The numbers to follow: behind the one that `from` names, up to `end`, the highest number that was ever told. It never falls
/// while the database is the same one, so a place beyond it was given by another.
pub(super) fn after(from: FollowFrom, end: i64) -> Result<RangeInclusive<i64>, StoreError> {
    let last = match from {
        FollowFrom::Now => end,
        FollowFrom::After(last) => last.max(0),
    };
    if last > end {
        return Err(StoreError::UnknownPlace { place: last });
    }
    Ok(last.saturating_add(1)..=end)
}

/// What was found in `rows`, read by their numbers. What cannot be read is passed over.
pub(super) fn followed<T>(
    found: Page<i64>,
    rows: &RangeInclusive<i64>,
    read: impl FnMut(i64) -> Result<Option<T>, ReadError>,
) -> Result<Followed<T>, ReadError> {
    let is_more = found.next.is_some();
    let last = found.next.unwrap_or(*rows.end());
    let items = found.items.into_iter().map(read).filter_map(Result::transpose).collect::<Result<_, _>>()?;
    Ok(Followed { items, last, is_more })
}

/// Whether a text column is what a filter asks for; an unset filter takes all.
pub(super) fn is(row: &Row<'_>, column: usize, filter: Option<&str>) -> rusqlite::Result<bool> {
    match filter {
        None => Ok(true),
        Some(filter) => Ok(row.get_ref(column)?.as_bytes_or_null()? == Some(filter.as_bytes())),
    }
}

#[cfg(test)]
mod tests;
