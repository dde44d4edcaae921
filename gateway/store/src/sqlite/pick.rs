//! Which deliveries match a filter: for lists, counts and replays, with bounded work per call.

use std::ops::Range;

use postroom_core::{
    delivery::DeliveryState,
    event::Kind,
    id::{DestinationName, SourceName},
    time::Timestamp,
};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{
    reader::ReadError,
    walk::{is, walk},
};
use crate::page::{DeliveryFilter, Page};

/// Deliveries whose time of making is kept together in one row of `delivery_span`.
pub(super) const SPAN_DELIVERIES: i64 = 4096;

/// One statement, newest first and oldest first.
struct Both {
    newest_first: &'static str,
    oldest_first: &'static str,
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
            "SELECT id, state, destination, event, created_at FROM delivery ",
            $from,
            " WHERE id >= ?1 AND id < ?2 ",
            $where,
            $order
        )
    };
}

const ALL: Both = walks!("NOT INDEXED", "");
const OF_EVENT: Both = walks!("INDEXED BY delivery_by_event", "AND event = ?3");
const OF_DESTINATION: Both = walks!("INDEXED BY delivery_by_destination", "AND destination = ?3");
const IN_STATE: Both = walks!(
    "INDEXED BY delivery_by_state",
    "AND state = ?3 AND finished_at IS NOT NULL AND state <> 'delivered'"
);
const WAITING: Both = walks!("INDEXED BY delivery_waiting", "AND destination = ?3 AND finished_at IS NULL");
const WAITING_FOR: &str = "
    SELECT destination FROM delivery INDEXED BY delivery_waiting
    WHERE finished_at IS NULL AND destination > ?1 ORDER BY destination LIMIT 1";
const EVENT: &str = "SELECT kind, source, subject FROM event WHERE id = ?1";
const FIRST_SPAN: &str = "SELECT span FROM delivery_span WHERE newest >= ?1 ORDER BY span LIMIT 1";
const LAST_SPAN: &str = "SELECT span FROM delivery_span WHERE oldest < ?1 ORDER BY span DESC LIMIT 1";

/// Every query of this module, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) fn queries() -> impl Iterator<Item = &'static str> {
    let walks = [ALL, OF_EVENT, OF_DESTINATION, IN_STATE, WAITING];
    let others = [WAITING_FOR, EVENT, FIRST_SPAN, LAST_SPAN];
    walks.into_iter().flat_map(|both| [both.newest_first, both.oldest_first]).chain(others)
}

/// The order in which deliveries are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    NewestFirst,
    OldestFirst,
}

/// What is picked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) filter: &'a DeliveryFilter,
    /// For a replay: final deliveries to one of these destinations, and no others.
    pub(super) replay_to: Option<&'a [DestinationName]>,
}

/// Picks at most `limit` deliveries with ids in `ids`. [`Page::next`] is the last id that was looked at when there is
/// more to look at.
pub(super) fn pick(
    transaction: &Transaction<'_>,
    wanted: Wanted<'_>,
    order: Order,
    ids: Range<i64>,
    limit: usize,
) -> Result<Page<i64>, ReadError> {
    let filter = wanted.filter;
    let ids = narrowed(transaction, filter, ids)?;
    let page = |both: &Both, value: Option<&dyn rusqlite::ToSql>| {
        let sql = match order {
            Order::NewestFirst => both.newest_first,
            Order::OldestFirst => both.oldest_first,
        };
        let matches = |row: &Row<'_>| wanted.takes(transaction, row);
        match value {
            Some(value) => walk(transaction, sql, params![ids.start, ids.end, value], limit, matches),
            None => walk(transaction, sql, params![ids.start, ids.end], limit, matches),
        }
    };
    let destination = filter.destination.as_ref().map(DestinationName::as_str);
    // The condition that leaves the fewest rows leads; nearly all rows are delivered in the end.
    match (filter.event, filter.state, destination) {
        (Some(event), _, _) => page(&OF_EVENT, Some(event.as_bytes())),
        (None, Some(state), _) if !state.is_final() && wanted.replay_to.is_some() => {
            Ok(Page { items: Vec::new(), next: None })
        }
        (None, Some(state), Some(destination)) if !state.is_final() => page(&WAITING, Some(&destination)),
        (None, Some(state), None) if !state.is_final() => {
            let mut pages = Vec::new();
            for destination in waiting_for(transaction)? {
                pages.push(page(&WAITING, Some(&destination))?);
            }
            Ok(merged(pages, limit))
        }
        (None, Some(state), _) if state != DeliveryState::Delivered => page(&IN_STATE, Some(&state.as_str())),
        (None, _, Some(destination)) => page(&OF_DESTINATION, Some(&destination)),
        (None, _, None) => page(&ALL, None),
    }
}

impl Wanted<'_> {
    fn takes(&self, transaction: &Transaction<'_>, row: &Row<'_>) -> rusqlite::Result<bool> {
        let filter = self.filter;
        if !is(row, 1, filter.state.map(DeliveryState::as_str))?
            || !is(row, 2, filter.destination.as_ref().map(DestinationName::as_str))?
        {
            return Ok(false);
        }
        if let Some(destinations) = self.replay_to {
            let state = row.get_ref(1)?.as_bytes()?;
            let waits = |waiting: &DeliveryState| waiting.as_str().as_bytes() == state;
            let destination = row.get_ref(2)?.as_bytes()?;
            if [DeliveryState::Pending, DeliveryState::Retrying].iter().any(waits)
                || !destinations.iter().any(|name| name.as_str().as_bytes() == destination)
            {
                return Ok(false);
            }
        }
        let made = Timestamp::from_unix_ms(row.get(4)?);
        if filter.since.is_some_and(|since| made < since) || filter.until.is_some_and(|until| made >= until) {
            return Ok(false);
        }
        self.takes_event(transaction, row)
    }

    fn takes_event(&self, transaction: &Transaction<'_>, row: &Row<'_>) -> rusqlite::Result<bool> {
        let DeliveryFilter { kind, source, subject, .. } = self.filter;
        if kind.is_none() && source.is_none() && subject.is_none() {
            return Ok(true);
        }
        let mut event = transaction.prepare_cached(EVENT)?;
        let mut events = event.query([row.get_ref(3)?.as_bytes()?])?;
        let Some(event) = events.next()? else { return Ok(false) };
        Ok(is(event, 0, kind.map(Kind::as_str))?
            && is(event, 1, source.as_ref().map(SourceName::as_str))?
            && is(event, 2, subject.as_deref())?)
    }
}

/// The part of `ids` that can lie in the filter's time range.
fn narrowed(
    transaction: &Transaction<'_>,
    filter: &DeliveryFilter,
    mut ids: Range<i64>,
) -> Result<Range<i64>, ReadError> {
    let span = |sql: &str, at: Timestamp| -> rusqlite::Result<Option<i64>> {
        transaction.prepare_cached(sql)?.query_row([at.as_unix_ms()], |row| row.get(0)).optional()
    };
    if let Some(since) = filter.since {
        let first = span(FIRST_SPAN, since)?.map_or(i64::MAX, |span| span.saturating_mul(SPAN_DELIVERIES));
        ids.start = ids.start.max(first);
    }
    if let Some(until) = filter.until {
        let end = span(LAST_SPAN, until)?.map_or(0, |span| (span + 1).saturating_mul(SPAN_DELIVERIES));
        ids.end = ids.end.min(end);
    }
    Ok(ids)
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

/// Pages of different destinations as one, newest first.
fn merged(pages: Vec<Page<i64>>, limit: usize) -> Page<i64> {
    // Below the end of the page that was cut first, another destination's rows may be missing.
    let end = pages.iter().filter_map(|page| page.next).max();
    let mut items: Vec<i64> = pages.into_iter().flat_map(|page| page.items).collect();
    items.retain(|id| end.is_none_or(|end| *id >= end));
    items.sort_unstable_by(|a, b| b.cmp(a));
    let next = if items.len() > limit { items.get(limit - 1).copied() } else { end };
    items.truncate(limit);
    Page { items, next }
}
