//! Reads the runs of a monitor piece by piece: those of years never stand in memory together.

use std::{fmt, str::FromStr, sync::Arc};

use futures_util::{StreamExt as _, stream};
use postroom_core::{monitor::Run, time::Timestamp};
use postroom_openapi::{
    monitors::{self, RunPieces},
    page::PageRequest,
    port::ReadError,
};
use postroom_store::{RunOrder, RunRange, Store};

use crate::api::{errors::unreadable, wire};

/// Runs of a piece.
const PIECE_RUNS: usize = 16 * 1024;
/// No more runs of one moment are told apart.
const SAME_MOMENT_MAX: usize = 10_000;

/// A place among the runs: those of this moment come next, but for the first `skip`, which were read already. A time alone
/// would not do: two runs can be accepted in the same millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    at: Timestamp,
    skip: usize,
}

impl Place {
    /// Behind the last of `runs`, which were read from `before` on.
    fn behind(runs: &[Run], before: Option<Self>) -> Option<Self> {
        let at = runs.last()?.at;
        let same = runs.iter().rev().take_while(|run| run.at == at).count();
        let skipped = before.filter(|before| before.at == at && same == runs.len());
        Some(Self { at, skip: same + skipped.map_or(0, |before| before.skip) })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.as_unix_ms(), self.skip)
    }
}

impl FromStr for Place {
    type Err = ReadError;

    fn from_str(text: &str) -> Result<Self, ReadError> {
        let place = || {
            let (at, skip) = text.split_once('.')?;
            let skip = skip.parse().ok().filter(|skip| *skip <= SAME_MOMENT_MAX)?;
            Some(Self { at: Timestamp::from_unix_ms(at.parse().ok()?), skip })
        };
        place()
            .ok_or(ReadError::BadParameter { name: "cursor", reason: "not a cursor of this list".to_owned() })
    }
}

/// Runs of a monitor on their way out of the store.
pub(super) struct Reading<'s> {
    store: &'s dyn Store,
    uid: &'s str,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    place: Option<Place>,
    is_over: bool,
    /// Runs of a piece.
    piece: usize,
}

impl<'s> Reading<'s> {
    pub(super) fn new(store: &'s dyn Store, uid: &'s str, range: monitors::RunRange) -> Self {
        let monitors::RunRange { since, until } = range;
        let (since, until) = (since.map(wire::instant), until.map(wire::instant));
        Self { store, uid, since, until, place: None, is_over: false, piece: PIECE_RUNS }
    }

    /// The next piece, oldest runs first; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Run>>, ReadError> {
        if self.is_over {
            return Ok(None);
        }
        let runs = self.read(self.piece, RunOrder::OldestFirst).await?;
        self.is_over = runs.len() < self.piece;
        self.place = Place::behind(&runs, self.place);
        Ok((!runs.is_empty()).then_some(runs))
    }

    /// A page, newest runs first, and where the next one begins.
    pub(super) async fn page_back(
        mut self,
        page: PageRequest,
    ) -> Result<(Vec<Run>, Option<Place>), ReadError> {
        self.place = page.after.as_deref().map(str::parse).transpose()?;
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX).max(1);
        let mut runs = self.read(limit.saturating_add(1), RunOrder::NewestFirst).await?;
        let has_more = runs.len() > limit;
        runs.truncate(limit);
        let next = if has_more { Place::behind(&runs, self.place) } else { None };
        Ok((runs, next))
    }

    /// At most `limit` runs from its place on.
    async fn read(&self, limit: usize, order: RunOrder) -> Result<Vec<Run>, ReadError> {
        let skip = self.place.map_or(0, |place| place.skip);
        let (mut since, mut until) = (self.since, self.until);
        match (order, self.place) {
            (_, None) => {}
            (RunOrder::OldestFirst, Some(place)) => since = Some(place.at),
            (RunOrder::NewestFirst, Some(place)) => {
                let behind = Timestamp::from_unix_ms(place.at.as_unix_ms().saturating_add(1));
                until = Some(until.map_or(behind, |until| until.min(behind)));
            }
        }
        let range = RunRange { since, until, limit: limit.saturating_add(skip), order };
        let mut runs = self.store.runs(self.uid.to_owned(), range).await.map_err(unreadable)?;
        runs.drain(..skip.min(runs.len()));
        Ok(runs)
    }
}

/// All runs of a range, oldest first. The first piece is read before this returns, so that a store that is away is told
/// before an answer begins.
pub(super) async fn stream(
    store: Arc<dyn Store>,
    uid: String,
    range: monitors::RunRange,
) -> Result<RunPieces, ReadError> {
    let mut reading = Reading::new(&*store, &uid, range);
    let first = reading.next().await?;
    let begun = (reading.place, reading.is_over);
    let rest = stream::try_unfold((store, uid, begun), move |(store, uid, (place, is_over))| async move {
        let mut reading = Reading { place, is_over, ..Reading::new(&*store, &uid, range) };
        let Some(runs) = reading.next().await? else { return Ok(None) };
        let begun = (reading.place, reading.is_over);
        Ok(Some((wired(runs), (store, uid, begun))))
    });
    let first = stream::iter(first.map(wired).map(Ok));
    Ok(first.chain(rest).boxed())
}

fn wired(runs: Vec<Run>) -> Vec<monitors::MonitorRun> {
    runs.into_iter().map(wire::run).collect()
}

#[cfg(test)]
mod tests;
