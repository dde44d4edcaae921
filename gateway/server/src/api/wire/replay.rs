//! Replays, and the filters that replays and lists share.

use postroom_core::{
    event::UnknownName,
    id::{DestinationName, EventId, ReplayId, SourceName},
    replay::ReplayState,
};
use postroom_openapi::{deliveries, replays};
use postroom_store::{DeliveryFilter, Replay, ReplayDetail};

use super::{instant, kind, kind_from, moment, state, state_from};

pub(in crate::api) fn replay(replay: Replay) -> replays::Replay {
    let Replay { id, filter, per_second, count, made, by, created_at, finished_at, .. } = replay;
    replays::Replay {
        id: id.to_string(),
        state: match replay.state {
            ReplayState::Running => replays::ReplayState::Running,
            ReplayState::Done => replays::ReplayState::Done,
            ReplayState::Cancelled => replays::ReplayState::Cancelled,
        },
        filter: deliveries::DeliveryFilter {
            state: filter.state.map(state),
            destination: filter.destination.map(|name| name.to_string()),
            event_id: filter.event.map(|id| id.to_string()),
            kind: filter.kind.map(kind),
            source: filter.source.map(|name| name.to_string()),
            subject: filter.subject,
            created_after: filter.since.map(moment),
            created_before: filter.until.map(moment),
        },
        per_second,
        count,
        made,
        progress: None,
        created_by: by,
        created_at: moment(created_at),
        finished_at: finished_at.map(moment),
    }
}

pub(in crate::api) fn replay_detail(detail: ReplayDetail) -> replays::Replay {
    let ReplayDetail { waiting, delivered, dead, other, .. } = detail;
    let progress = Some(replays::ReplayProgress { waiting, delivered, dead, other });
    replays::Replay { progress, ..replay(detail.replay) }
}

/// The filter of a list or a replay; `event` and `replay` are ids, read. Fails for a kind that no event can have.
pub(in crate::api) fn delivery_filter(
    filter: deliveries::DeliveryFilter,
    event: Option<EventId>,
    replay: Option<ReplayId>,
) -> Result<DeliveryFilter, UnknownName> {
    Ok(DeliveryFilter {
        state: filter.state.map(state_from),
        destination: filter.destination.map(DestinationName::new),
        event,
        kind: filter.kind.as_ref().map(kind_from).transpose()?,
        source: filter.source.map(SourceName::new),
        subject: filter.subject,
        since: filter.created_after.map(instant),
        until: filter.created_before.map(instant),
        replay,
    })
}
