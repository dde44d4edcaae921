//! A page of rows that hold terms.

use std::ops::Range;

use rusqlite::{Row, Transaction};

use super::{SEGMENT_ROWS, Segments};
use crate::{
    page::Page,
    sqlite::{
        reader::ReadError,
        walk::{WALK_ROWS_MAX, walk},
    },
};

/// Segments that one page may look at: four million rows.
const SEGMENTS_MAX: usize = 4096;

/// The order of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sqlite) enum Order {
    NewestFirst,
    OldestFirst,
}

/// Looks for at most `limit` rows with numbers in `rows` that hold all `terms` and are `wanted`. `sql` gives the rows
/// between two numbers in the order of the page, with the number in column 0. [`Page::next`] is the last number that
/// was looked at when there is more to look at.
pub(in crate::sqlite) fn search(
    transaction: &Transaction<'_>,
    table: &Segments,
    terms: &[u32],
    (sql, order): (&str, Order),
    rows: Range<i64>,
    limit: usize,
    mut wanted: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
) -> Result<Page<i64>, ReadError> {
    let limit = limit.max(1);
    let end = table.end(transaction)?;
    let covered = rows.start..rows.end.min(end);
    let rest = [rows.start.max(end), rows.end];
    let mut page = Page { items: Vec::new(), next: None };
    if order == Order::NewestFirst {
        page = walk(transaction, sql, rest, limit, &mut wanted)?;
    }
    let in_segments = InSegments { transaction, table, terms, sql, order, limit };
    if page.next.is_none() && !covered.is_empty() {
        in_segments.look(&mut page, covered, &mut wanted)?;
    }
    if order == Order::OldestFirst && page.next.is_none() && rest[0] < rest[1] {
        if page.items.len() == limit {
            page.next = page.items.last().copied();
        } else {
            let found = walk(transaction, sql, rest, limit - page.items.len(), wanted)?;
            page.items.extend(found.items);
            page.next = found.next;
        }
    }
    Ok(page)
}

struct InSegments<'a> {
    transaction: &'a Transaction<'a>,
    table: &'a Segments,
    terms: &'a [u32],
    sql: &'a str,
    order: Order,
    limit: usize,
}

impl InSegments<'_> {
    fn look(
        &self,
        page: &mut Page<i64>,
        rows: Range<i64>,
        mut wanted: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
    ) -> Result<(), ReadError> {
        let (sql, is_reversed) = match self.order {
            Order::NewestFirst => (&self.table.newest_first, true),
            Order::OldestFirst => (&self.table.oldest_first, false),
        };
        let mut by_number = self.transaction.prepare_cached(self.sql)?;
        let mut statement = self.transaction.prepare_cached(sql)?;
        let mut segments = statement.query([rows.start, rows.end - 1].map(Segments::of))?;
        // What was read through before it is behind the end of these rows.
        let (mut last, mut rows_seen, mut segments_seen) = (is_reversed.then_some(rows.end), 0, 0);
        while let Some(segment) = segments.next()? {
            let start = segment.get::<_, i64>(0)? * SEGMENT_ROWS;
            // One that is damaged is read through.
            let mut numbers: Vec<i64> = match Segments::read(start / SEGMENT_ROWS, segment.get(1)?) {
                Some(postings) => {
                    postings.rows(self.terms).into_iter().map(|row| start + i64::from(row)).collect()
                }
                None => (start..start + SEGMENT_ROWS).collect(),
            };
            if is_reversed {
                numbers.reverse();
            }
            for number in numbers.into_iter().filter(|row| rows.contains(row)) {
                if page.items.len() == self.limit || rows_seen == WALK_ROWS_MAX {
                    page.next = last;
                    return Ok(());
                }
                let mut found = by_number.query([number, number + 1])?;
                // Pruned since, or another value with the same hash.
                if let Some(row) = found.next()?
                    && wanted(row)?
                {
                    page.items.push(number);
                }
                last = Some(number);
                rows_seen += 1;
            }
            last = Some(if is_reversed { start } else { start + SEGMENT_ROWS - 1 });
            segments_seen += 1;
            if segments_seen == SEGMENTS_MAX {
                page.next = last;
                return Ok(());
            }
        }
        Ok(())
    }
}
