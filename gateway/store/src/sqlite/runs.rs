//! Reads the runs of a monitor.

use std::{cmp::Reverse, collections::BinaryHeap, ops::Range};

use postroom_core::monitor::{Run, history};
use rusqlite::{OptionalExtension, Transaction, params};

use super::{
    reader::ReadError,
    row::{Columns, pass_over},
};
use crate::monitors::{RunOrder, RunRange};

const RECENT: &str = "SELECT id, chunk_ms_max, recent FROM monitor WHERE uid = ?1";
const OLDEST_FIRST: &str = "
    SELECT monitor, last_at, number, first_at, bytes FROM run_chunk
    WHERE monitor = ?1 AND last_at >= ?2 AND last_at <= ?3 ORDER BY last_at";
const NEWEST_FIRST: &str = "
    SELECT monitor, last_at, number, first_at, bytes FROM run_chunk
    WHERE monitor = ?1 AND last_at >= ?2 AND last_at <= ?3 ORDER BY last_at DESC";

/// Every query of this module, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 3] = [RECENT, OLDEST_FIRST, NEWEST_FIRST];

/// Runs of a monitor in a stretch of time. Chunks are read from the end that is asked for until no run of another one
/// can come before the last that is wanted.
pub(super) fn runs(transaction: &Transaction<'_>, uid: &str, range: RunRange) -> Result<Vec<Run>, ReadError> {
    let RunRange { since, until, limit, order } = range;
    let stretch = since.map_or(i64::MIN, |at| at.as_unix_ms())..until.map_or(i64::MAX, |at| at.as_unix_ms());
    let mut recent = transaction.prepare_cached(RECENT)?;
    let recent = recent
        .query_row([uid], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, Vec<u8>>(2)?)))
        .optional()?;
    let Some((monitor, chunk_ms_max, recent)) = recent else { return Ok(Vec::new()) };
    let mut found =
        Found { parts: Vec::new(), open: BinaryHeap::new(), settled: 0, stretch, limit, order, chunk_ms_max };
    // Behind all chunks.
    found.add(i64::MAX, pass_over(decode("monitor", monitor, &recent))?.unwrap_or_default());

    let Range { start, end } = found.stretch;
    let mut statement = transaction.prepare_cached(match order {
        RunOrder::OldestFirst => OLDEST_FIRST,
        RunOrder::NewestFirst => NEWEST_FIRST,
    })?;
    let mut rows = statement.query(params![monitor, start, end.saturating_add(chunk_ms_max)])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of("run_chunk", row)?;
        let last_at = columns.take()?;
        if found.is_complete_before(last_at) {
            break;
        }
        let (number, first_at) = (columns.take()?, columns.take::<i64>()?);
        if first_at >= end {
            continue;
        }
        if let Some(runs) = pass_over(decode("run_chunk", monitor, &columns.take::<Vec<u8>>()?))? {
            found.add(number, runs);
        }
    }
    Ok(found.sorted())
}

/// A number that is the smaller the earlier a run of this time is wanted.
fn place(order: RunOrder, at: i64) -> i64 {
    match order {
        RunOrder::OldestFirst => at,
        RunOrder::NewestFirst => !at,
    }
}

fn decode(table: &'static str, row: i64, bytes: &[u8]) -> Result<Vec<Run>, ReadError> {
    history::decode(bytes).map_err(|error| ReadError::Corrupt { table, row, cause: error.to_string() })
}

/// What was found, by chunk. Chunks overlap where the clock was set back.
#[derive(Debug)]
struct Found {
    parts: Vec<(i64, Vec<Run>)>,
    /// Places of runs before which one may be found still, the first on top.
    open: BinaryHeap<Reverse<i64>>,
    /// Runs before which none can be found any more.
    settled: usize,
    stretch: Range<i64>,
    limit: usize,
    order: RunOrder,
    /// No chunk begins earlier than so long before its end.
    chunk_ms_max: i64,
}

impl Found {
    fn add(&mut self, number: i64, mut runs: Vec<Run>) {
        runs.retain(|run| self.stretch.contains(&run.at.as_unix_ms()));
        self.open.extend(runs.iter().map(|run| Reverse(place(self.order, run.at.as_unix_ms()))));
        self.parts.push((number, runs));
    }

    /// Whether nothing of a chunk that ends at `last_at`, and of those behind it, comes before the last that is wanted.
    fn is_complete_before(&mut self, last_at: i64) -> bool {
        // The earliest place that a run of them can have. It only goes up from chunk to chunk.
        let bound = match self.order {
            RunOrder::NewestFirst => place(self.order, last_at),
            RunOrder::OldestFirst => last_at.saturating_sub(self.chunk_ms_max),
        };
        while self.settled < self.limit && self.open.peek().is_some_and(|Reverse(place)| *place < bound) {
            self.open.pop();
            self.settled += 1;
        }
        self.settled >= self.limit
    }

    fn sorted(mut self) -> Vec<Run> {
        // In order of acceptance: that is what counts among runs of one moment.
        self.parts.sort_by_key(|(number, _)| *number);
        let mut runs: Vec<Run> = self.parts.into_iter().flat_map(|(_, runs)| runs).collect();
        runs.sort_by_key(|run| run.at);
        if self.order == RunOrder::NewestFirst {
            runs.reverse();
        }
        runs.truncate(self.limit);
        runs
    }
}
