//! Finds rows by what they are about without an index entry per row.
//!
//! An index by subject or lane has its next entry somewhere else for each row, so nearly every event would rewrite a
//! page of each. Instead, whenever a run of rows is full, one row is written that says which of them hold which terms,
//! and from when they are: a segment. It is written by the transaction after the one that fills it. What is in no segment is short and read
//! through.

use std::{collections::BTreeSet, ops::Range, sync::LazyLock};

use postroom_core::time::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};

use super::postings::{self, Postings, term};

mod search;

pub(super) use self::search::{Order, search};

/// Rows of one segment. Few in tests, so that all of them cross segments.
pub(super) const SEGMENT_ROWS: i64 = if cfg!(test) { 4 } else { 1024 };

/// Segments of one table that are made at once.
const DUE_MAX: usize = 64;

/// Events by kind, source and subject, and by the time they were received.
pub(super) static EVENTS: LazyLock<Segments> = LazyLock::new(|| {
    Segments::new("event", "seq", "received_at", "kind, source, subject", |row| {
        let name = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
        let mut terms = vec![kind_term(name(2)?), source_term(name(3)?)];
        terms.extend(row.get_ref(4)?.as_str_or_null()?.map(subject_term));
        Ok(terms)
    })
});

/// Deliveries by destination and lane, and by the time they were made.
pub(super) static DELIVERIES: LazyLock<Segments> = LazyLock::new(|| {
    Segments::new("delivery", "id", "created_at", "destination, lane", |row| {
        let (destination, lane) = (row.get_ref(2)?.as_str()?, row.get_ref(3)?.as_str()?);
        Ok(vec![destination_term(destination), lane_term(destination, lane)])
    })
});

pub(super) fn kind_term(kind: &str) -> u32 {
    term(&["kind", kind])
}

pub(super) fn source_term(source: &str) -> u32 {
    term(&["source", source])
}

pub(super) fn subject_term(subject: &str) -> u32 {
    term(&["subject", subject])
}

pub(super) fn destination_term(destination: &str) -> u32 {
    term(&["destination", destination])
}

pub(super) fn lane_term(destination: &str, key: &str) -> u32 {
    term(&["lane", destination, key])
}

/// The segments that are full and not written yet, or the first of them.
///
/// Not for inside a transaction that writes: when SQLite meets a damaged page in one, it refuses to commit it. Outside,
/// what cannot be read is told and left to those who read.
pub(super) fn due(connection: &Connection) -> rusqlite::Result<Vec<Segment>> {
    let found = || Ok([EVENTS.due(connection)?, DELIVERIES.due(connection)?].concat());
    found().or_else(|error| {
        if !is_damage(&error) {
            return Err(error);
        }
        tracing::error!(error = %error, "the database is damaged, its newest rows are found more slowly");
        Ok(Vec::new())
    })
}

/// A segment to be written.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    table: &'static Segments,
    number: i64,
    oldest: i64,
    newest: i64,
    postings: Vec<u8>,
}

impl Segment {
    /// Writes it, in a transaction that someone else commits.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut add = connection.prepare_cached(&self.table.add)?;
        add.execute(params![self.number, self.oldest, self.newest, self.postings])?;
        Ok(())
    }
}

/// A table with segments, and the statements for them.
#[derive(Debug)]
pub(super) struct Segments {
    /// The terms of a row of `rows`.
    terms: fn(&Row<'_>) -> rusqlite::Result<Vec<u32>>,
    rows: String,
    times: String,
    reach: String,
    oldest_row: String,
    last: String,
    add: String,
    get: String,
    prune: String,
    newest_first: String,
    oldest_first: String,
    first_since: String,
    last_until: String,
}

impl Segments {
    /// Rows of `table` are numbered by `key`; `columns` are what terms are made of, from the third on.
    fn new(
        table: &str,
        key: &str,
        time: &str,
        columns: &str,
        terms: fn(&Row<'_>) -> rusqlite::Result<Vec<u32>>,
    ) -> Self {
        let last =
            format!("SELECT number FROM {table}_segment WHERE number >= 0 ORDER BY number DESC LIMIT 1");
        let times = format!("{table}_segment INDEXED BY {table}_segment_times");
        Self {
            terms,
            rows: format!("SELECT {key}, {time}, {columns} FROM {table} WHERE {key} >= ?1 AND {key} < ?2"),
            times: format!("SELECT min({time}), max({time}) FROM {table} WHERE {key} >= ?1"),
            reach: format!(
                "SELECT (SELECT seq FROM sqlite_sequence WHERE name = '{table}'), \
                 ({last})"
            ),
            oldest_row: format!("SELECT {key} FROM {table} WHERE {key} > 0 ORDER BY {key} LIMIT 1"),
            last,
            add: format!(
                "INSERT INTO {table}_segment (number, oldest, newest, postings) VALUES (?1, ?2, ?3, ?4)"
            ),
            get: format!("SELECT postings FROM {table}_segment WHERE number = ?1"),
            prune: format!("DELETE FROM {table}_segment WHERE number >= ?1 AND number < ?2"),
            newest_first: format!(
                "SELECT number, postings FROM {table}_segment WHERE number >= ?1 AND number <= ?2 ORDER BY number DESC"
            ),
            oldest_first: format!(
                "SELECT number, postings FROM {table}_segment WHERE number >= ?1 AND number <= ?2 ORDER BY number"
            ),
            first_since: format!("SELECT number FROM {times} WHERE newest >= ?1 ORDER BY number LIMIT 1"),
            last_until: format!("SELECT number FROM {times} WHERE oldest < ?1 ORDER BY number DESC LIMIT 1"),
        }
    }

    /// The segment that a row is in, or will be.
    pub(super) fn of(row: i64) -> i64 {
        row.div_euclid(SEGMENT_ROWS)
    }

    fn due(&'static self, connection: &Connection) -> rusqlite::Result<Vec<Segment>> {
        // One statement, for it is asked before each commit.
        let (newest_row, last) = connection
            .prepare_cached(&self.reach)?
            .query_row([], |row| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?)))?;
        let full = (newest_row.unwrap_or(0) + 1) / SEGMENT_ROWS;
        let first = match last {
            Some(last) => last + 1,
            None => number(connection, &self.oldest_row)?.map_or(full, Self::of),
        };
        (first..full).take(DUE_MAX).map(|number| self.segment(connection, number)).collect()
    }

    fn segment(&'static self, connection: &Connection, number: i64) -> rusqlite::Result<Segment> {
        let start = number * SEGMENT_ROWS;
        let all = start..start + SEGMENT_ROWS;
        let Made { pairs, oldest, newest } = match self.made_of(connection, all.clone()) {
            // A row that cannot be read cannot be found either. The others can.
            Err(error) if is_damage(&error) => all
                .map(|row| self.made_of(connection, row..row + 1))
                .filter(|made| !made.as_ref().is_err_and(is_damage))
                .try_fold(Made::of_nothing(), |sum, made| made.map(|made| sum.with(made)))?,
            made => made?,
        };
        let offset = |row: i64| u16::try_from(row - start).expect("a segment has fewer rows");
        let postings = postings::encode(pairs.into_iter().map(|(term, row)| (term, offset(row))).collect());
        Ok(Segment { table: self, number, oldest, newest, postings })
    }

    fn made_of(&self, connection: &Connection, range: Range<i64>) -> rusqlite::Result<Made> {
        let mut statement = connection.prepare_cached(&self.rows)?;
        let mut rows = statement.query([range.start, range.end])?;
        let mut made = Made::of_nothing();
        while let Some(row) = rows.next()? {
            let (number, time) = (row.get::<_, i64>(0)?, row.get(1)?);
            // A value that nobody writes: as above.
            let terms = (self.terms)(row).unwrap_or_default();
            let pairs = terms.into_iter().map(|term| (term, number)).collect();
            made = made.with(Made { pairs, oldest: time, newest: time });
        }
        Ok(made)
    }

    /// The first row that is in no segment yet.
    pub(super) fn end(&self, connection: &Connection) -> rusqlite::Result<i64> {
        Ok(number(connection, &self.last)?.map_or(0, |last| (last + 1) * SEGMENT_ROWS))
    }

    /// The postings of one segment; `None` when there are none, and its rows must be read through.
    pub(super) fn postings(
        &self,
        connection: &Connection,
        number: i64,
    ) -> rusqlite::Result<Option<Postings>> {
        let bytes = connection.prepare_cached(&self.get)?.query_row([number], |row| row.get(0)).optional()?;
        Ok(bytes.and_then(|bytes| Self::read(number, bytes)))
    }

    fn read(number: i64, bytes: Vec<u8>) -> Option<Postings> {
        let postings = Postings::read(bytes, SEGMENT_ROWS);
        if postings.is_none() {
            tracing::error!(segment = number, "a segment is damaged, its rows are read through");
        }
        postings
    }

    /// The part of `rows` outside which nothing is from `since` on and before `until`. Right also when the clock was
    /// set back.
    pub(super) fn narrowed(
        &self,
        connection: &Connection,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        mut rows: Range<i64>,
    ) -> rusqlite::Result<Range<i64>> {
        let segment = |sql: &str, at: Timestamp| -> rusqlite::Result<Option<i64>> {
            connection.prepare_cached(sql)?.query_row([at.as_unix_ms()], |row| row.get(0)).optional()
        };
        if let Some(since) = since {
            let first = match segment(&self.first_since, since)? {
                Some(first) => first * SEGMENT_ROWS,
                None => self.end(connection)?,
            };
            rows.start = rows.start.max(first);
        }
        if let Some(until) = until {
            let end = self.end(connection)?;
            let mut times = connection.prepare_cached(&self.times)?;
            let oldest = times.query_row([end], |row| row.get::<_, Option<i64>>(0))?;
            if oldest.is_none_or(|oldest| oldest >= until.as_unix_ms()) {
                let last = segment(&self.last_until, until)?;
                rows.end = rows.end.min(last.map_or(0, |last| (last + 1) * SEGMENT_ROWS));
            }
        }
        Ok(rows)
    }

    /// Removes those of `segments` whose rows are all gone, and what is before the oldest row; but never the last one,
    /// which says how far the segments reach.
    pub(super) fn prune(&self, connection: &Connection, segments: &BTreeSet<i64>) -> rusqlite::Result<()> {
        let Some(last) = number(connection, &self.last)? else { return Ok(()) };
        let mut rows = connection.prepare_cached(&self.rows)?;
        let mut remove = connection.prepare_cached(&self.prune)?;
        for segment in segments.iter().filter(|segment| **segment < last) {
            let start = segment * SEGMENT_ROWS;
            if !rows.exists([start, start + SEGMENT_ROWS])? {
                remove.execute([*segment, segment + 1])?;
            }
        }
        let oldest = number(connection, &self.oldest_row)?.map_or(last, |row| row / SEGMENT_ROWS);
        remove.execute([0, oldest.min(last)])?;
        Ok(())
    }

    /// Every query, for the test that none of them reads a table from end to end.
    #[cfg(test)]
    pub(super) fn queries(&self) -> [&str; 9] {
        let Self { rows, times, oldest_row, last, get, prune, newest_first, first_since, last_until, .. } =
            self;
        [rows, times, oldest_row, last, get, prune, newest_first, first_since, last_until].map(String::as_str)
    }
}

fn number(connection: &Connection, sql: &str) -> rusqlite::Result<Option<i64>> {
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()
}

/// What a segment is made of.
struct Made {
    /// Terms and the rows that hold them.
    pairs: Vec<(u32, i64)>,
    oldest: i64,
    newest: i64,
}

impl Made {
    fn of_nothing() -> Self {
        Self { pairs: Vec::new(), oldest: i64::MAX, newest: i64::MIN }
    }

    fn with(mut self, other: Self) -> Self {
        self.pairs.extend(other.pairs);
        Self {
            pairs: self.pairs,
            oldest: self.oldest.min(other.oldest),
            newest: self.newest.max(other.newest),
        }
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => code == ErrorCode::DatabaseCorrupt,
        // A column of another type than all that is written.
        None => true,
    }
}
