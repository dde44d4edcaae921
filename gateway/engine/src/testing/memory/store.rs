//! What it answers.

use std::sync::{Arc, atomic::Ordering};

use futures_util::future::BoxFuture;
use postroom_core::{
    id::{DeliveryId, DestinationName, EventId, IncidentId, ReplayId},
    lane::{LaneKey, Ticket},
    monitor::{CollectionWatch, Run},
    replay::ReplayState,
    time::Timestamp,
};
use postroom_store::{
    Accepted, Body, BodyWriter, CollectionChange, DeadLetters, DeliveryChange, DeliveryDetail,
    DeliveryFilter, DeliveryOfEvent, DeliveryRecord, EventFilter, EventRecord, FollowFrom, Followed,
    IncidentFilter, IncidentRecord, LoadedEvent, LogPart, Matching, MonitorCounts, MonitorFilter,
    MonitorPlace, MonitorRow, NewEvent, NewReplay, Overview, Page, PageRequest, Pause, Prune, Pruned, Replay,
    ReplayDetail, RetryAnswer, RunRange, StateAnswer, StateEntry, StateWrite, Store, StoreError, TrackChange,
    TrackerMark, Usage, WaitingCount,
};
use tokio::sync::watch;

use super::Memory;

fn answer<'a, T: Send + 'a>(answer: Result<T, StoreError>) -> BoxFuture<'a, Result<T, StoreError>> {
    Box::pin(std::future::ready(answer))
}

pub(super) fn never_asked<T>() -> T {
    unreachable!("the engine does not ask for this")
}

impl Store for Memory {
    fn accept(&self, new: NewEvent) -> BoxFuture<'_, Result<Accepted, StoreError>> {
        let mut state = self.state();
        let (event, fresh) = state.insert(new);
        drop(state);
        let deliveries = fresh.iter().map(|fresh| fresh.ticket.id).collect();
        self.publish(fresh);
        self.grow();
        answer(Ok(Accepted { event: event.id, kind: event.kind, deliveries, repeated: false }))
    }

    fn begin_body(&self) -> BoxFuture<'_, Result<Box<dyn BodyWriter>, StoreError>> {
        never_asked()
    }

    fn body(&self, id: EventId) -> BoxFuture<'_, Result<Option<Body>, StoreError>> {
        self.sound(move |state| state.events.get(&id).map(|(_, body)| Body::Inline(body.clone())))
    }

    fn load(&self, events: Vec<EventId>, _: usize) -> BoxFuture<'_, Result<Vec<LoadedEvent>, StoreError>> {
        self.event_reads.fetch_add(1, Ordering::SeqCst);
        let loaded = self.works().map(|state| {
            let found = events.iter().filter_map(|id| state.events.get(id));
            found
                .map(|(event, body)| LoadedEvent { event: Arc::clone(event), body: Some(body.clone()) })
                .collect()
        });
        Box::pin(async move {
            drop(self.loads.acquire().await);
            loaded
        })
    }

    fn record(&self, changes: Vec<DeliveryChange>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.records.fetch_add(1, Ordering::SeqCst);
        let refused = self
            .refuse_records
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok();
        if refused {
            return answer(Err(StoreError::Busy));
        }
        let kept = self.works().map(|mut state| {
            for change in changes {
                let (delivery, attempts) = state.deliveries.get_mut(&change.id).unwrap();
                assert!(!delivery.state.is_final(), "a final delivery changes to {change:?}");
                delivery.state = change.state;
                delivery.attempts = change.attempts.unwrap_or(delivery.attempts);
                delivery.due = change.due;
                delivery.finished_at = change.state.is_final().then_some(change.at);
                attempts.extend(change.attempt);
            }
        });
        Box::pin(async move {
            drop(self.recorded.acquire().await);
            kept
        })
    }

    fn waiting(
        &self,
        destination: DestinationName,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Ticket>, StoreError>> {
        Box::pin(self.waiting_where(after, limit, move |delivery| delivery.destination == destination))
    }

    fn waiting_in_lane(
        &self,
        lane: LaneKey,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Ticket>, StoreError>> {
        Box::pin(self.waiting_where(after, limit, move |delivery| {
            delivery.destination == lane.destination && delivery.lane == lane.key
        }))
    }

    fn waiting_counts(&self) -> BoxFuture<'_, Result<Vec<WaitingCount>, StoreError>> {
        answer(self.works().map(|_| Vec::new()))
    }

    fn retry(&self, id: DeliveryId, at: Timestamp) -> BoxFuture<'_, Result<RetryAnswer, StoreError>> {
        answer(self.works().map(|mut state| match state.newest(id) {
            None => RetryAnswer::Unknown,
            Some(newest) if !newest.state.is_final() => RetryAnswer::StillWaiting(newest.id),
            Some(newest) => {
                let newest = newest.id;
                let fresh = state.again(newest, None, at);
                drop(state);
                let made = fresh.ticket.id;
                self.publish(vec![fresh]);
                RetryAnswer::Made(made)
            }
        }))
    }

    fn count(
        &self,
        filter: DeliveryFilter,
        _: Vec<DestinationName>,
        at: Timestamp,
    ) -> BoxFuture<'_, Result<Matching, StoreError>> {
        answer(self.works().map(|state| {
            let ends = || state.matching(&filter).map(|(_, end)| end);
            let count = ends().filter(|end| *end <= at).count() as u64;
            Matching { count, later: ends().count() as u64 - count, newest: ends().max() }
        }))
    }

    fn begin_replay(&self, new: NewReplay) -> BoxFuture<'_, Result<Replay, StoreError>> {
        let up_to = *self.newest.borrow();
        answer(self.works().map(|mut state| state.begin_replay(new, up_to)))
    }

    fn advance_replay(
        &self,
        id: ReplayId,
        limit: usize,
        at: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Replay>, StoreError>> {
        answer(self.works().map(|mut state| {
            let (replay, fresh) = state.advance_replay(id, limit, at)?;
            drop(state);
            self.publish(fresh);
            Some(replay)
        }))
    }

    fn cancel_replay(
        &self,
        id: ReplayId,
        at: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Replay>, StoreError>> {
        answer(self.works().map(|mut state| {
            let replay = &mut state.replays.get_mut(&id)?.replay;
            if replay.state == ReplayState::Running {
                replay.state = ReplayState::Cancelled;
                replay.finished_at = Some(at);
            }
            Some(replay.clone())
        }))
    }

    fn replay(&self, _: ReplayId) -> BoxFuture<'_, Result<Option<ReplayDetail>, StoreError>> {
        never_asked()
    }

    fn replays(&self, _: PageRequest) -> BoxFuture<'_, Result<Page<Replay>, StoreError>> {
        never_asked()
    }

    fn running_replays(&self) -> BoxFuture<'_, Result<Vec<Replay>, StoreError>> {
        answer(self.works().map(|state| {
            let replays = state.replays.values().map(|replaying| &replaying.replay);
            replays.filter(|replay| replay.state == ReplayState::Running).cloned().collect()
        }))
    }

    fn set_pause(
        &self,
        destination: DestinationName,
        pause: Option<Pause>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        answer(self.works().map(|mut state| {
            match pause {
                Some(pause) => state.pauses.insert(destination, pause),
                None => state.pauses.remove(&destination),
            };
        }))
    }

    fn pauses(&self) -> BoxFuture<'_, Result<Vec<(DestinationName, Pause)>, StoreError>> {
        answer(self.works().map(|state| state.pauses.clone().into_iter().collect()))
    }

    fn plugin_state(
        &self,
        _: DestinationName,
        _: String,
        _: Timestamp,
    ) -> BoxFuture<'_, Result<Option<StateEntry>, StoreError>> {
        never_asked()
    }

    fn plugin_state_keys(
        &self,
        _: DestinationName,
        _: String,
        _: Timestamp,
        _: usize,
    ) -> BoxFuture<'_, Result<Option<Vec<String>>, StoreError>> {
        never_asked()
    }

    fn write_plugin_state(&self, _: StateWrite) -> BoxFuture<'_, Result<StateAnswer, StoreError>> {
        never_asked()
    }

    fn prune(&self, prune: Prune) -> BoxFuture<'_, Result<Pruned, StoreError>> {
        answer(self.works().map(|mut state| {
            state.prunes.push(prune);
            state.pruned.pop_front().unwrap_or_default()
        }))
    }

    fn usage(&self) -> BoxFuture<'_, Result<Usage, StoreError>> {
        answer(self.works().map(|mut state| {
            let last = state.usage.back().copied().unwrap_or_default();
            state.usage.pop_front().unwrap_or(last)
        }))
    }

    fn overview(&self, _: Timestamp) -> BoxFuture<'_, Result<Overview, StoreError>> {
        never_asked()
    }

    fn dead_letters(&self) -> BoxFuture<'_, Result<DeadLetters, StoreError>> {
        never_asked()
    }

    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<EventRecord>, StoreError>> {
        self.event_reads.fetch_add(1, Ordering::SeqCst);
        answer(self.works().map(|state| {
            let (event, _) = state.events.get(&id)?;
            let event = (**event).clone();
            Some(EventRecord { event, explanations: Vec::new(), deliveries: Vec::new() })
        }))
    }

    fn events(&self, _: EventFilter, _: PageRequest) -> BoxFuture<'_, Result<Page<EventRecord>, StoreError>> {
        never_asked()
    }

    fn events_from(
        &self,
        _: EventFilter,
        _: FollowFrom,
        _: usize,
    ) -> BoxFuture<'_, Result<Followed<EventRecord>, StoreError>> {
        never_asked()
    }

    fn deliveries_from(
        &self,
        _: DeliveryFilter,
        _: FollowFrom,
        _: usize,
    ) -> BoxFuture<'_, Result<Followed<DeliveryRecord>, StoreError>> {
        never_asked()
    }

    fn deliveries(
        &self,
        _: DeliveryFilter,
        _: PageRequest,
    ) -> BoxFuture<'_, Result<Page<DeliveryRecord>, StoreError>> {
        never_asked()
    }

    fn delivery(&self, id: DeliveryId) -> BoxFuture<'_, Result<Option<DeliveryDetail>, StoreError>> {
        answer(self.works().and_then(|state| {
            if state.is_damaged_in_part(id) {
                let cause = "damaged by a test".to_owned();
                return Err(StoreError::Corrupt { table: "delivery", row: id.get(), cause });
            }
            Ok(state.deliveries.get(&id).cloned().map(|(delivery, attempts)| DeliveryDetail {
                delivery,
                attempts: (1..).zip(attempts).collect(),
            }))
        }))
    }

    fn tracker(&self) -> BoxFuture<'_, Result<TrackerMark, StoreError>> {
        self.tracked(|state| state.tracked.mark.clone())
    }

    fn log_after(&self, position: i64, limit: usize) -> BoxFuture<'_, Result<LogPart, StoreError>> {
        self.tracked(move |state| state.log_after(position, limit))
    }

    fn events_after(&self, _: i64, _: usize) -> BoxFuture<'_, Result<LogPart, StoreError>> {
        never_asked()
    }

    fn deliveries_by_id(
        &self,
        _: Vec<DeliveryId>,
    ) -> BoxFuture<'_, Result<Vec<DeliveryOfEvent>, StoreError>> {
        never_asked()
    }

    fn log_end(&self) -> watch::Receiver<i64> {
        self.log_end.subscribe()
    }

    fn track(&self, change: TrackChange) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.keep_tracked(change))
    }

    fn monitors_by_uid(&self, uids: Vec<String>) -> BoxFuture<'_, Result<Vec<MonitorRow>, StoreError>> {
        self.tracked(move |state| {
            let known = uids.iter().filter_map(|uid| state.tracked.monitors.get(uid));
            known.cloned().collect()
        })
    }

    fn monitors_due(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<MonitorRow>, StoreError>> {
        self.tracked(move |state| state.tracked.monitors_due(until, limit))
    }

    fn monitors_after(
        &self,
        after: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<MonitorRow>, StoreError>> {
        self.tracked(move |state| {
            let behind = state.tracked.monitors.iter().filter(|(uid, _)| Some(*uid) > after.as_ref());
            behind.take(limit).map(|(_, row)| row.clone()).collect()
        })
    }

    fn collections_by_uid(
        &self,
        uids: Vec<String>,
    ) -> BoxFuture<'_, Result<Vec<CollectionWatch>, StoreError>> {
        self.tracked(move |state| {
            let known = uids.iter().filter_map(|uid| state.tracked.collections.get(uid));
            known.map(|change| change.watch.clone()).collect()
        })
    }

    fn collections_due(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<CollectionChange>, StoreError>> {
        self.tracked(move |state| state.tracked.collections_due(until, limit))
    }

    fn collections(
        &self,
        after: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<CollectionChange>, StoreError>> {
        self.tracked(move |state| {
            let behind = state.tracked.collections.values().filter(|it| Some(&it.watch.uid) > after.as_ref());
            behind.take(limit).cloned().collect()
        })
    }

    fn monitors(
        &self,
        _: MonitorFilter,
        _: PageRequest<MonitorPlace>,
    ) -> BoxFuture<'_, Result<Page<MonitorRow, MonitorPlace>, StoreError>> {
        never_asked()
    }

    fn monitor_counts(&self) -> BoxFuture<'_, Result<MonitorCounts, StoreError>> {
        never_asked()
    }

    fn monitor(&self, uid: String) -> BoxFuture<'_, Result<Option<MonitorRow>, StoreError>> {
        self.sound(move |state| state.tracked.monitors.get(&uid).cloned())
    }

    fn runs(&self, _: String, _: RunRange) -> BoxFuture<'_, Result<Vec<Run>, StoreError>> {
        never_asked()
    }

    fn incidents(
        &self,
        _: IncidentFilter,
        _: PageRequest,
    ) -> BoxFuture<'_, Result<Page<IncidentRecord>, StoreError>> {
        never_asked()
    }

    fn incident(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<IncidentRecord>, StoreError>> {
        self.sound(move |state| state.tracked.incident(id))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        answer(self.works().map(drop))
    }
}
