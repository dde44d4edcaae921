//! Finds rows by what they are about without an index entry per row.
//!
//! An index by subject or lane has its next entry somewhere else for each row, so nearly every event would rewrite a
//! page of each. Instead, whenever a run of rows is full, one row is written that says which of them hold which terms:
//! a segment. What is not in a segment yet is short and read through.

use rusqlite::{Connection, OptionalExtension, params};

use super::postings::{self, term};

/// Rows of one segment. Few in tests, so that all of them cross segments.
pub(super) const SEGMENT_ROWS: i64 = if cfg!(test) { 4 } else { 1024 };

/// A table with segments, and the statements for them.
#[derive(Debug)]
pub(super) struct Segments {
    /// The terms of one row; the row's number comes first.
    terms: fn(&rusqlite::Row<'_>) -> rusqlite::Result<Vec<u32>>,
    rows: &'static str,
    newest_row: &'static str,
    /// The segment that the oldest row is in, the first that can be.
    oldest: &'static str,
    last: &'static str,
    add: &'static str,
    get: &'static str,
    prune: &'static str,
    /// Segments up to one, newest first.
    pub(super) newest_first: &'static str,
}

macro_rules! segments {
    ($table:literal, $key:literal, $columns:literal, $terms:expr) => {
        Segments {
            terms: $terms,
            rows: concat!(
                "SELECT ",
                $key,
                ", ",
                $columns,
                " FROM ",
                $table,
                " WHERE ",
                $key,
                " >= ?1 AND ",
                $key,
                " < ?2"
            ),
            newest_row: concat!("SELECT seq FROM sqlite_sequence WHERE name = '", $table, "'"),
            oldest: concat!(
                "SELECT ",
                $key,
                " FROM ",
                $table,
                " WHERE ",
                $key,
                " > 0 ORDER BY ",
                $key,
                " LIMIT 1"
            ),
            last: concat!(
                "SELECT number FROM ",
                $table,
                "_segment WHERE number >= 0 ORDER BY number DESC LIMIT 1"
            ),
            add: concat!("INSERT INTO ", $table, "_segment (number, postings) VALUES (?1, ?2)"),
            get: concat!("SELECT postings FROM ", $table, "_segment WHERE number = ?1"),
            prune: concat!("DELETE FROM ", $table, "_segment WHERE number < ?1"),
            newest_first: concat!(
                "SELECT number, postings FROM ",
                $table,
                "_segment WHERE number <= ?1 ORDER BY number DESC"
            ),
        }
    };
}

/// Events by kind, source and subject.
pub(super) const EVENTS: Segments = segments!("event", "seq", "kind, source, subject", |row| {
    let name = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    let mut terms = vec![kind_term(name(1)?), source_term(name(2)?)];
    terms.extend(row.get_ref(3)?.as_str_or_null()?.map(subject_term));
    Ok(terms)
});

/// Deliveries by lane.
pub(super) const DELIVERIES: Segments = segments!("delivery", "id", "destination, lane", |row| {
    Ok(vec![lane_term(row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_str()?)])
});

/// Every query of this module, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) fn queries() -> impl Iterator<Item = &'static str> {
    [EVENTS, DELIVERIES].into_iter().flat_map(|table| {
        let Segments { rows, oldest, last, get, prune, newest_first, .. } = table;
        [rows, oldest, last, get, prune, newest_first]
    })
}

pub(super) fn kind_term(kind: &str) -> u32 {
    term(&["kind", kind])
}

pub(super) fn source_term(source: &str) -> u32 {
    term(&["source", source])
}

pub(super) fn subject_term(subject: &str) -> u32 {
    term(&["subject", subject])
}

pub(super) fn lane_term(destination: &str, key: &str) -> u32 {
    term(&["lane", destination, key])
}

/// Whether `row` is the last one of its segment.
pub(super) fn is_last(row: i64) -> bool {
    (row + 1) % SEGMENT_ROWS == 0
}

impl Segments {
    /// Writes the segments that have become full, inside the transaction that filled them: so whoever reads finds
    /// each row in a segment or after the last one.
    pub(super) fn fill(&self, connection: &Connection) -> rusqlite::Result<()> {
        let number =
            |sql| connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0)).optional();
        let full = (number(self.newest_row)?.unwrap_or(0) + 1) / SEGMENT_ROWS;
        let first = match number(self.last)? {
            Some(last) => last + 1,
            None => number(self.oldest)?.map_or(full, |row| row / SEGMENT_ROWS),
        };
        for number in first..full {
            let postings = self.postings(connection, number)?;
            connection.prepare_cached(self.add)?.execute(params![number, postings])?;
        }
        Ok(())
    }

    fn postings(&self, connection: &Connection, number: i64) -> rusqlite::Result<Vec<u8>> {
        let start = number * SEGMENT_ROWS;
        let mut statement = connection.prepare_cached(self.rows)?;
        let mut rows = statement.query([start, start + SEGMENT_ROWS])?;
        let mut pairs = Vec::new();
        while let Some(row) = rows.next()? {
            let offset = u16::try_from(row.get::<_, i64>(0)? - start).expect("a segment has fewer rows");
            // A row that cannot be read cannot be found either.
            pairs.extend((self.terms)(row).unwrap_or_default().into_iter().map(|term| (term, offset)));
        }
        Ok(postings::encode(pairs))
    }

    /// The first row that is in no segment yet.
    pub(super) fn end(&self, connection: &Connection) -> rusqlite::Result<i64> {
        let last =
            connection.prepare_cached(self.last)?.query_row([], |row| row.get::<_, i64>(0)).optional()?;
        Ok(last.map_or(0, |last| (last + 1) * SEGMENT_ROWS))
    }

    /// The postings of one segment.
    pub(super) fn get(&self, connection: &Connection, number: i64) -> rusqlite::Result<Option<Vec<u8>>> {
        connection.prepare_cached(self.get)?.query_row([number], |row| row.get(0)).optional()
    }

    /// Removes the segments whose rows are all gone, but the last one: it says how far the segments reach.
    pub(super) fn prune(&self, connection: &Connection) -> rusqlite::Result<()> {
        let number =
            |sql| connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0)).optional();
        let Some(last) = number(self.last)? else { return Ok(()) };
        let oldest = number(self.oldest)?.map_or(last, |row| row / SEGMENT_ROWS);
        connection.prepare_cached(self.prune)?.execute([oldest.min(last)])?;
        Ok(())
    }
}
