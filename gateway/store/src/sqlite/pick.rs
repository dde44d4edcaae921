//! Which deliveries match a filter: for lists, counts and replays, with bounded work per call.
//!
//! A list goes from the newest to the oldest, a replay the other way round: it makes its deliveries in the order of the
//! first ones.

use std::ops::Range;

use postroom_core::{
    delivery::DeliveryState,
    event::Kind,
    id::{DestinationName, ReplayId, SourceName},
    time::Timestamp,
};
use rusqlite::{OptionalExtension, Row, Transaction, params_from_iter, types::Value};

use super::{
    reader::ReadError,
    segments::{DELIVERIES, Order, destination_term, search},
    walk::{is, walk},
};
use crate::page::{DeliveryFilter, Page};

/// One statement, newest first and oldest first.
struct Both {
    newest_first: &'static str,
    oldest_first: &'static str,
}

impl Both {
    fn in_order(&self, order: Order) -> &'static str {
        match order {
            Order::NewestFirst => self.newest_first,
            Order::OldestFirst => self.oldest_first,
        }
    }
}

macro_rules! walks {
    ($from:literal, $where:literal) => {
        Both {
            newest_first: walks!($from, $where, " ORDER BY id DESC"),
            oldest_first: walks!($from, $where, " ORDER BY id"),
        }
    };
    ($from:literal, $where:literal, $order:literal) => {
        concat!(
            "SELECT id, state, destination, event, created_at, replay, finished_at, replayed_by FROM delivery ",
            $from,
            " WHERE id >= ?1 AND id < ?2 ",
            $where,
            $order
        )
    };
}

const ALL: Both = walks!("NOT INDEXED", "");
const OF_EVENT: Both = walks!("INDEXED BY delivery_by_event", "AND event = ?3");
const IN_STATE: Both = walks!(
    "INDEXED BY delivery_by_state",
    "AND state = ?3 AND finished_at IS NOT NULL AND state <> 'delivered'"
);
const WAITING: Both = walks!("INDEXED BY delivery_waiting", "AND destination = ?3 AND finished_at IS NULL");
const OF_REPLAY: Both =
    walks!("INDEXED BY delivery_by_replay", "AND replay = ?3 AND replay IS NOT NULL AND state = ?4");
const WAITING_FOR: &str = "
    SELECT destination FROM delivery INDEXED BY delivery_waiting
    WHERE finished_at IS NULL AND destination > ?1 ORDER BY destination LIMIT 1";
const EVENT: &str = "SELECT kind, source, subject FROM event WHERE id = ?1";

/// Every query of this module, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) fn queries() -> impl Iterator<Item = &'static str> {
    let walks = [ALL, OF_EVENT, IN_STATE, WAITING, OF_REPLAY];
    let others = [WAITING_FOR, EVENT];
    walks.into_iter().flat_map(|both| [both.newest_first, both.oldest_first]).chain(others)
}

/// What leads to the rows to look at.
enum Lead {
    /// An index to walk along, and what to look up in it.
    Index { walk: &'static Both, values: Vec<Value> },
    /// What the segments have under a term.
    Term(u32),
}

impl Lead {
    /// The one whose condition leaves the fewest rows; nearly all rows are delivered in the end.
    fn of(filter: &DeliveryFilter) -> Self {
        let destination = filter.destination.as_ref().map(DestinationName::as_str);
        match (filter.event, filter.state, destination) {
            (Some(event), ..) => Self::along(&OF_EVENT, Value::Blob(event.as_bytes().to_vec())),
            (None, Some(state), Some(destination)) if !state.is_final() => {
                Self::along(&WAITING, text(destination))
            }
            (None, Some(state), _) if state.is_final() && state != DeliveryState::Delivered => {
                Self::along(&IN_STATE, text(state.as_str()))
            }
            (None, _, Some(destination)) => Self::Term(destination_term(destination)),
            (None, _, None) => Self::Index { walk: &ALL, values: Vec::new() },
        }
    }

    fn along(walk: &'static Both, value: Value) -> Self {
        Self::Index { walk, values: vec![value] }
    }

    /// Those of a list. What one index has under several headings is walked under each, and then merged.
    fn of_list(transaction: &Transaction<'_>, filter: &DeliveryFilter) -> Result<Vec<Self>, ReadError> {
        let waits = filter.state.is_some_and(|state| !state.is_final());
        match filter {
            DeliveryFilter { event: None, replay: Some(replay), state, .. } => {
                let states = state.map_or(DeliveryState::ALL.to_vec(), |state| vec![state]);
                let values = |state: DeliveryState| vec![replay.get().into(), text(state.as_str())];
                Ok(states
                    .into_iter()
                    .map(|state| Self::Index { walk: &OF_REPLAY, values: values(state) })
                    .collect())
            }
            DeliveryFilter { event: None, destination: None, .. } if waits => {
                let names = waiting_for(transaction)?;
                Ok(names.iter().map(|name| Self::along(&WAITING, text(name))).collect())
            }
            _ => Ok(vec![Self::of(filter)]),
        }
    }

    /// Looks along it for at most `limit` rows that are `wanted`.
    fn page(
        &self,
        transaction: &Transaction<'_>,
        order: Order,
        ids: &Range<i64>,
        limit: usize,
        wanted: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
    ) -> Result<Page<i64>, ReadError> {
        match self {
            Self::Index { walk: both, values } => {
                let params = [ids.start.into(), ids.end.into()].into_iter().chain(values.iter().cloned());
                walk(transaction, both.in_order(order), params_from_iter(params), limit, wanted)
            }
            Self::Term(term) => {
                let all = (ALL.in_order(order), order);
                search(transaction, &DELIVERIES, &[*term], all, ids.clone(), limit, wanted)
            }
        }
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Lists at most `limit` deliveries with ids in `ids`. [`Page::next`] is the last id that was looked at when there is
/// more to look at.
pub(super) fn list(
    transaction: &Transaction<'_>,
    filter: &DeliveryFilter,
    order: Order,
    ids: Range<i64>,
    limit: usize,
) -> Result<Page<i64>, ReadError> {
    let ids = DELIVERIES.narrowed(transaction, filter.since, filter.until, ids)?;
    let limit = limit.max(1);
    let mut pages = Vec::new();
    for lead in Lead::of_list(transaction, filter)? {
        let matches = |row: &Row<'_>| matches(transaction, filter, row);
        pages.push(lead.page(transaction, order, &ids, limit, matches)?);
    }
    Ok(merged(pages, order, limit))
}

/// Looks for deliveries with ids in `ids` that a replay may take: final ones to one of `destinations` that were not
/// repeated yet. Of these `takes` picks by the moment when they became final. [`Page::next`] is as in [`list`].
pub(super) fn replayable(
    transaction: &Transaction<'_>,
    filter: &DeliveryFilter,
    destinations: &[DestinationName],
    ids: Range<i64>,
    limit: usize,
    mut takes: impl FnMut(Timestamp) -> bool,
) -> Result<Page<i64>, ReadError> {
    if filter.state.is_some_and(|state| !state.is_final()) {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let ids = DELIVERIES.narrowed(transaction, filter.since, filter.until, ids)?;
    let lead = Lead::of(filter);
    lead.page(transaction, Order::OldestFirst, &ids, limit, |row| {
        let (Some(finished_at), None) = (row.get::<_, Option<i64>>(6)?, row.get::<_, Option<i64>>(7)?) else {
            return Ok(false);
        };
        let destination = row.get_ref(2)?.as_bytes()?;
        Ok(destinations.iter().any(|name| name.as_str().as_bytes() == destination)
            && matches(transaction, filter, row)?
            && takes(Timestamp::from_unix_ms(finished_at)))
    })
}

fn matches(transaction: &Transaction<'_>, filter: &DeliveryFilter, row: &Row<'_>) -> rusqlite::Result<bool> {
    let DeliveryFilter { state, destination, event: _, kind, source, subject, since, until, replay } = filter;
    if !is(row, 1, state.map(DeliveryState::as_str))?
        || !is(row, 2, destination.as_ref().map(DestinationName::as_str))?
        || (replay.is_some() && row.get::<_, Option<i64>>(5)? != replay.map(ReplayId::get))
    {
        return Ok(false);
    }
    let made = Timestamp::from_unix_ms(row.get(4)?);
    if since.is_some_and(|since| made < since) || until.is_some_and(|until| made >= until) {
        return Ok(false);
    }
    if kind.is_none() && source.is_none() && subject.is_none() {
        return Ok(true);
    }
    let mut event = transaction.prepare_cached(EVENT)?;
    let mut events = event.query([row.get_ref(3)?.as_bytes()?])?;
    let Some(event) = events.next()? else { return Ok(false) };
    Ok(is(event, 0, kind.as_ref().map(Kind::as_str))?
        && is(event, 1, source.as_ref().map(SourceName::as_str))?
        && is(event, 2, subject.as_deref())?)
}

/// The destinations that something waits for.
fn waiting_for(transaction: &Transaction<'_>) -> Result<Vec<String>, ReadError> {
    let mut next = transaction.prepare_cached(WAITING_FOR)?;
    let mut names: Vec<String> = Vec::new();
    loop {
        let after = names.last().map_or("", String::as_str);
        let Some(name) = next.query_row([after], |row| row.get(0)).optional()? else { return Ok(names) };
        names.push(name);
    }
}

/// Pages of different headings as one.
fn merged(pages: Vec<Page<i64>>, order: Order, limit: usize) -> Page<i64> {
    // Behind the end of the page that was cut first, rows of another may be missing.
    let ends = pages.iter().filter_map(|page| page.next);
    let end = if order == Order::NewestFirst { ends.max() } else { ends.min() };
    let mut items: Vec<i64> = pages.into_iter().flat_map(|page| page.items).collect();
    match order {
        Order::NewestFirst => {
            items.retain(|id| end.is_none_or(|end| *id >= end));
            items.sort_unstable_by(|a, b| b.cmp(a));
        }
        Order::OldestFirst => {
            items.retain(|id| end.is_none_or(|end| *id <= end));
            items.sort_unstable();
        }
    }
    let next = if items.len() > limit { items.get(limit - 1).copied() } else { end };
    items.truncate(limit);
    Page { items, next }
}
