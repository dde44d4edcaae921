//! Reads replays, and finds what they go on with.

use std::{borrow::Cow, ops::Range, str::FromStr, sync::Arc};

use postroom_core::{
    id::{DeliveryId, DestinationName, ReplayId, SourceName},
    replay::ReplayState,
    time::Timestamp,
};
use rusqlite::{Row, Transaction};
use serde::{Deserialize, Serialize};

use super::{
    change::{Original, Step},
    deliveries, events,
    pick::replayable,
    reader::ReadError,
    row::{Columns, json, pass_over},
    walk::{self, walk},
};
use crate::{
    page::{DeliveryFilter, Page, PageRequest},
    replays::{Matching, Replay, ReplayDetail},
};

macro_rules! select_replays {
    ($where:literal) => {
        concat!(
            "SELECT id, filter, destinations, per_second, matched, made, state, by, created_at, finished_at, position,
                    up_to, final_by
             FROM replay WHERE ",
            $where
        )
    };
}

const BY_ID: &str = select_replays!("id = ?1");
const RUNNING: &str = select_replays!("finished_at IS NULL ORDER BY id");
const WALK: &str = "SELECT id FROM replay WHERE id < ?1 ORDER BY id DESC";
const FATES: &str = "
    SELECT state, count(*) FROM delivery INDEXED BY delivery_by_replay
    WHERE replay = ?1 AND replay IS NOT NULL GROUP BY state";

/// Every query of this module, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 4] = [BY_ID, RUNNING, WALK, FATES];

/// A replay and how far it came.
#[derive(Debug)]
pub(super) struct StoredReplay {
    pub(super) replay: Replay,
    /// The last delivery that was looked at.
    position: i64,
    /// The newest delivery that it takes.
    up_to: i64,
    /// What became final later is left out.
    final_by: Timestamp,
}

impl StoredReplay {
    /// A step with nothing in it yet; `None` when the replay has ended.
    pub(super) fn first_step(&self) -> Option<Step> {
        (self.replay.state == ReplayState::Running).then(|| Step {
            id: self.replay.id,
            from: self.position,
            to: self.position,
            originals: Vec::new(),
            is_last: false,
        })
    }
}

/// One replay.
pub(super) fn stored(transaction: &Transaction<'_>, id: ReplayId) -> Result<Option<StoredReplay>, ReadError> {
    let mut statement = transaction.prepare_cached(BY_ID)?;
    let mut rows = statement.query([id.get()])?;
    rows.next()?.map(stored_replay).transpose()
}

/// One replay, and what became of the deliveries it made.
pub(super) fn detail(transaction: &Transaction<'_>, id: ReplayId) -> Result<Option<ReplayDetail>, ReadError> {
    let Some(StoredReplay { replay, .. }) = stored(transaction, id)? else { return Ok(None) };
    let mut detail = ReplayDetail { replay, waiting: 0, delivered: 0, dead: 0, other: 0 };
    let mut statement = transaction.prepare_cached(FATES)?;
    let mut rows = statement.query([id.get()])?;
    while let Some(row) = rows.next()? {
        let count = row.get::<_, i64>(1)?.unsigned_abs();
        *match row.get::<_, String>(0)?.as_str() {
            "pending" | "retrying" => &mut detail.waiting,
            "delivered" => &mut detail.delivered,
            "dead" => &mut detail.dead,
            _ => &mut detail.other,
        } += count;
    }
    Ok(Some(detail))
}

/// A page of replays, newest first.
pub(super) fn replays(
    transaction: &Transaction<'_>,
    request: PageRequest,
) -> Result<Page<Replay>, ReadError> {
    let found = walk(transaction, WALK, [walk::before(request)], request.limit, |_| Ok(true))?;
    let mut items = Vec::with_capacity(found.items.len());
    for id in found.items {
        let stored = pass_over(stored(transaction, ReplayId::new(id)))?.flatten();
        items.extend(stored.map(|stored| stored.replay));
    }
    Ok(Page { items, next: found.next })
}

/// The replays that are not at their end, oldest first.
pub(super) fn running(transaction: &Transaction<'_>) -> Result<Vec<Replay>, ReadError> {
    let mut statement = transaction.prepare_cached(RUNNING)?;
    let mut rows = statement.query([])?;
    let mut running = Vec::new();
    while let Some(row) = rows.next()? {
        running.extend(pass_over(stored_replay(row))?.map(|stored| stored.replay));
    }
    Ok(running)
}

/// Counts the next part of what a replay with this filter would take that is asked for `at` this moment. Gives how much
/// there is up to now, and where to look next.
pub(super) fn count(
    transaction: &Transaction<'_>,
    filter: &DeliveryFilter,
    destinations: &[DestinationName],
    ids: Range<i64>,
    at: Timestamp,
    mut so_far: Matching,
) -> Result<(Matching, Option<i64>), ReadError> {
    let page = replayable(transaction, filter, destinations, ids, usize::MAX, |finished_at| {
        so_far.add(finished_at, at);
        // It is counted, that is all.
        false
    })?;
    Ok((so_far, page.next.map(|last| last + 1)))
}

/// Looks at the next deliveries and adds those that go again to `step`, up to `limit` of them.
pub(super) fn look_on(
    transaction: &Transaction<'_>,
    stored: &StoredReplay,
    step: &mut Step,
    limit: usize,
) -> Result<(), ReadError> {
    let StoredReplay { replay: Replay { filter, destinations, .. }, up_to, final_by, .. } = stored;
    let room = limit.saturating_sub(step.originals.len());
    let ids = step.to + 1..up_to + 1;
    let in_time = |finished_at| finished_at <= *final_by;
    let page = replayable(transaction, filter, destinations, ids, room, in_time)?;
    for id in page.items {
        step.originals.extend(pass_over(original(transaction, DeliveryId::new(id)))?.flatten());
    }
    step.to = page.next.unwrap_or(*up_to);
    step.is_last = page.next.is_none();
    Ok(())
}

/// A delivery with its event, to be delivered once more.
pub(super) fn original(transaction: &Transaction<'_>, id: DeliveryId) -> Result<Option<Original>, ReadError> {
    let Some(delivery) = deliveries::record(transaction, id)? else { return Ok(None) };
    let Some(event) = events::record(transaction, delivery.event)? else { return Ok(None) };
    Ok(Some(Original {
        id,
        event: Arc::new(event.event),
        destination: delivery.destination,
        route: delivery.route,
        lane: delivery.lane,
    }))
}

fn stored_replay(row: &Row<'_>) -> Result<StoredReplay, ReadError> {
    let mut columns = Columns::of("replay", row)?;
    let filter = columns.json::<StoredFilter<'static>>()?;
    Ok(StoredReplay {
        replay: Replay {
            id: ReplayId::new(columns.number()),
            filter: filter.into_filter().map_err(|()| columns.corrupt(1, "unknown name"))?,
            destinations: columns.json::<Vec<String>>()?.into_iter().map(DestinationName::new).collect(),
            per_second: columns.take()?,
            count: columns.count()?,
            made: columns.count()?,
            state: columns.name()?,
            by: columns.take()?,
            created_at: columns.time()?,
            finished_at: columns.optional_time()?,
        },
        position: columns.take()?,
        up_to: columns.take()?,
        final_by: columns.time()?,
    })
}

pub(super) fn destinations_json(destinations: &[DestinationName]) -> String {
    json(&destinations.iter().map(DestinationName::as_str).collect::<Vec<_>>())
}

pub(super) fn filter_json(filter: &DeliveryFilter) -> String {
    let DeliveryFilter { state, destination, event, kind, source, subject, since, until, replay } = filter;
    json(&StoredFilter {
        state: state.map(|state| state.as_str().into()),
        destination: destination.as_ref().map(|destination| destination.as_str().into()),
        event: event.map(|event| event.to_string().into()),
        kind: kind.as_ref().map(|kind| kind.as_str().into()),
        source: source.as_ref().map(|source| source.as_str().into()),
        subject: subject.as_deref().map(Cow::Borrowed),
        since: since.map(Timestamp::as_unix_ms),
        until: until.map(Timestamp::as_unix_ms),
        replay: replay.map(ReplayId::get),
    })
}

/// A filter as JSON; what is not set is left out. A name that this version does not know is an error and not left
/// out: a wider filter would deliver what nobody asked for.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredFilter<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    destination: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replay: Option<i64>,
}

impl StoredFilter<'_> {
    fn into_filter(self) -> Result<DeliveryFilter, ()> {
        fn parsed<T: FromStr>(text: Option<&Cow<'_, str>>) -> Result<Option<T>, ()> {
            text.map(|text| text.parse()).transpose().map_err(|_| ())
        }
        Ok(DeliveryFilter {
            state: parsed(self.state.as_ref())?,
            destination: self.destination.as_deref().map(DestinationName::new),
            event: parsed(self.event.as_ref())?,
            kind: parsed(self.kind.as_ref())?,
            source: self.source.as_deref().map(SourceName::new),
            subject: self.subject.map(Cow::into_owned),
            since: self.since.map(Timestamp::from_unix_ms),
            until: self.until.map(Timestamp::from_unix_ms),
            replay: self.replay.map(ReplayId::new),
        })
    }
}
