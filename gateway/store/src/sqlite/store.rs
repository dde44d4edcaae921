//! The store's operations: each is a read on a snapshot, or a write with what has gathered.

use std::{mem, sync::Arc};

use futures_util::future::BoxFuture;
use postroom_core::{
    id::{DeliveryId, DestinationName, EventId, IncidentId, ReplayId},
    lane::{LaneKey, Ticket},
    monitor::{CollectionWatch, Run},
    replay::ReplayState,
    time::Timestamp,
};
use rusqlite::Transaction;
use tokio::sync::watch;

use super::{
    SqliteStore,
    change::{Changes, EventRow, StateWritten, Tracking},
    commit, deliveries, event_log, events, incidents, job, migrate, monitors, overview, pauses, plugin_state,
    prune,
    reader::ReadError,
    replays, runs, walk,
};
use crate::{
    Store,
    body::{Body, BodyWriter},
    error::StoreError,
    monitors::{
        CollectionChange, IncidentFilter, IncidentRecord, LogPart, MonitorCounts, MonitorFilter, MonitorRow,
        RunRange, TrackChange, TrackerMark,
    },
    overview::{DeadLetters, Overview},
    page::{DeliveryFilter, EventFilter, FollowFrom, Followed, MonitorPlace, Page, PageRequest},
    plugin_state::{StateAnswer, StateEntry, StateWrite},
    records::{
        Accepted, DeliveryChange, DeliveryDetail, DeliveryOfEvent, DeliveryRecord, EventRecord, LoadedEvent,
        NewEvent, Pause, WaitingCount,
    },
    replays::{Matching, NewReplay, Replay, ReplayDetail, RetryAnswer},
    retention::{Prune, Pruned, Usage},
};

impl Store for SqliteStore {
    fn accept(&self, new: NewEvent) -> BoxFuture<'_, Result<Accepted, StoreError>> {
        Box::pin(async move {
            // The place comes first: an event that is refused must not leave its body behind.
            let place = self.place()?;
            let row = Box::new(self.row(new).await?);
            let (accepted, row) = commit(place, job::accept(row)).await?;
            if !accepted.repeated {
                row.settle();
            }
            Ok(accepted)
        })
    }

    fn record(&self, records: Vec<DeliveryChange>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.write(move |changes, _| changes.record(&records)).await })
    }

    fn waiting(
        &self,
        destination: DestinationName,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Ticket>, StoreError>> {
        let read =
            move |transaction: &Transaction<'_>| deliveries::waiting(transaction, &destination, after, limit);
        Box::pin(self.durable(read))
    }

    fn waiting_in_lane(
        &self,
        lane: LaneKey,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Ticket>, StoreError>> {
        let read = move |transaction: &Transaction<'_>| {
            deliveries::waiting_in_lane(transaction, &lane, after, limit)
        };
        Box::pin(self.durable(read))
    }

    fn waiting_counts(&self) -> BoxFuture<'_, Result<Vec<WaitingCount>, StoreError>> {
        Box::pin(self.reader.read(deliveries::waiting_counts))
    }

    fn retry(&self, id: DeliveryId, at: Timestamp) -> BoxFuture<'_, Result<RetryAnswer, StoreError>> {
        Box::pin(self.deliver_again(id, at))
    }

    fn count(
        &self,
        filter: DeliveryFilter,
        destinations: Vec<DestinationName>,
        at: Timestamp,
    ) -> BoxFuture<'_, Result<Matching, StoreError>> {
        Box::pin(self.count_matching(filter, destinations, at))
    }

    fn begin_replay(&self, new: NewReplay) -> BoxFuture<'_, Result<Replay, StoreError>> {
        Box::pin(self.new_replay(new))
    }

    fn advance_replay(
        &self,
        id: ReplayId,
        limit: usize,
        at: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Replay>, StoreError>> {
        Box::pin(self.step_replay(id, limit, at))
    }

    fn cancel_replay(
        &self,
        id: ReplayId,
        at: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Replay>, StoreError>> {
        Box::pin(async move {
            let end = move |changes: &mut Changes<'_>, _: &mut Vec<_>| {
                Ok(changes.end_replay(id, ReplayState::Cancelled, at)?)
            };
            let undo = move |changes: &mut Changes<'_>, ended: &bool| {
                if *ended { changes.take_back_end(id) } else { Ok(()) }
            };
            self.ask(job::change_or_undo(end, undo)).await?;
            self.replay_now(id).await
        })
    }

    fn replay(&self, id: ReplayId) -> BoxFuture<'_, Result<Option<ReplayDetail>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| replays::detail(transaction, id)))
    }

    fn replays(&self, page: PageRequest) -> BoxFuture<'_, Result<Page<Replay>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| replays::replays(transaction, page)))
    }

    fn running_replays(&self) -> BoxFuture<'_, Result<Vec<Replay>, StoreError>> {
        Box::pin(self.reader.read(replays::running))
    }

    fn set_pause(
        &self,
        destination: DestinationName,
        pause: Option<Pause>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        let name = destination.clone();
        let set = move |changes: &mut Changes<'_>, _: &mut Vec<_>| {
            Ok(changes.set_pause(destination.as_str(), pause.as_ref())?)
        };
        let undo = move |changes: &mut Changes<'_>, before: &Option<Pause>| {
            changes.set_pause(name.as_str(), before.as_ref()).map(drop)
        };
        Box::pin(async move { self.ask(job::change_or_undo(set, undo)).await.map(drop) })
    }

    fn pauses(&self) -> BoxFuture<'_, Result<Vec<(DestinationName, Pause)>, StoreError>> {
        Box::pin(self.reader.read(pauses::pauses))
    }

    fn plugin_state(
        &self,
        destination: DestinationName,
        key: String,
        at: Timestamp,
    ) -> BoxFuture<'_, Result<Option<StateEntry>, StoreError>> {
        let read =
            move |transaction: &Transaction<'_>| plugin_state::entry(transaction, &destination, &key, at);
        Box::pin(self.reader.read(read))
    }

    fn plugin_state_keys(
        &self,
        destination: DestinationName,
        prefix: String,
        at: Timestamp,
        bytes_max: usize,
    ) -> BoxFuture<'_, Result<Option<Vec<String>>, StoreError>> {
        let read = move |transaction: &Transaction<'_>| {
            plugin_state::keys(transaction, &destination, &prefix, at, bytes_max)
        };
        Box::pin(self.reader.read(read))
    }

    fn write_plugin_state(&self, write: StateWrite) -> BoxFuture<'_, Result<StateAnswer, StoreError>> {
        let write = Arc::new(write);
        let asked = Arc::clone(&write);
        let keep = move |changes: &mut Changes<'_>, _: &mut Vec<_>| Ok(changes.write_state(&asked)?);
        // A plugin that is told that nothing was kept tries again, and must not meet its own write.
        let undo =
            move |changes: &mut Changes<'_>, written: &StateWritten| changes.take_back_state(&write, written);
        Box::pin(async move {
            let written = self.ask(job::change_or_undo(keep, undo)).await?;
            Ok(written.answer)
        })
    }

    fn prune(&self, prune: Prune) -> BoxFuture<'_, Result<Pruned, StoreError>> {
        Box::pin(self.prune_chunk(prune))
    }

    fn usage(&self) -> BoxFuture<'_, Result<Usage, StoreError>> {
        Box::pin(self.reader.read(prune::usage))
    }

    fn overview(&self, at: Timestamp) -> BoxFuture<'_, Result<Overview, StoreError>> {
        Box::pin(self.reader.read(move |transaction| overview::overview(transaction, at)))
    }

    fn dead_letters(&self) -> BoxFuture<'_, Result<DeadLetters, StoreError>> {
        Box::pin(self.reader.read(overview::dead_letters))
    }

    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<EventRecord>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| events::event(transaction, id)))
    }

    fn begin_body(&self) -> BoxFuture<'_, Result<Box<dyn BodyWriter>, StoreError>> {
        Box::pin(async move {
            // Asked again when the event is accepted, but a body that would be refused then need not be written.
            drop(self.place()?);
            Ok(self.bodies.begin())
        })
    }

    fn body(&self, id: EventId) -> BoxFuture<'_, Result<Option<Body>, StoreError>> {
        Box::pin(self.bodies.read(&self.reader, id))
    }

    fn load(
        &self,
        events: Vec<EventId>,
        bytes_max: usize,
    ) -> BoxFuture<'_, Result<Vec<LoadedEvent>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| events::load(transaction, &events, bytes_max)))
    }

    fn events(
        &self,
        filter: EventFilter,
        page: PageRequest,
    ) -> BoxFuture<'_, Result<Page<EventRecord>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| events::events(transaction, &filter, page)))
    }

    fn events_from(
        &self,
        filter: EventFilter,
        from: FollowFrom,
        limit: usize,
    ) -> BoxFuture<'_, Result<Followed<EventRecord>, StoreError>> {
        // Before the read, as with what waits: see `durable`.
        let end = *self.log_end.borrow();
        Box::pin(async move {
            let rows = walk::after(from, end)?;
            self.reader.read(move |transaction| events::events_from(transaction, &filter, rows, limit)).await
        })
    }

    fn deliveries_from(
        &self,
        filter: DeliveryFilter,
        from: FollowFrom,
        limit: usize,
    ) -> BoxFuture<'_, Result<Followed<DeliveryRecord>, StoreError>> {
        // Before the read, as with what waits: see `durable`.
        let end = self.durable.highest().map_or(0, DeliveryId::get);
        Box::pin(async move {
            let ids = walk::after(from, end)?;
            self.reader
                .read(move |transaction| deliveries::deliveries_from(transaction, &filter, ids, limit))
                .await
        })
    }

    fn deliveries(
        &self,
        filter: DeliveryFilter,
        page: PageRequest,
    ) -> BoxFuture<'_, Result<Page<DeliveryRecord>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| deliveries::deliveries(transaction, &filter, page)))
    }

    fn delivery(&self, id: DeliveryId) -> BoxFuture<'_, Result<Option<DeliveryDetail>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| deliveries::delivery(transaction, id)))
    }

    fn tracker(&self) -> BoxFuture<'_, Result<TrackerMark, StoreError>> {
        // By the writer, and so behind all that was written before.
        Box::pin(self.write(|changes, _| Ok(changes.tracker_mark()?)))
    }

    fn log_after(&self, position: i64, limit: usize) -> BoxFuture<'_, Result<LogPart, StoreError>> {
        Box::pin(async move {
            // Before the read, as with what waits: see `durable`.
            let end = *self.log_end.borrow();
            let read =
                move |transaction: &Transaction<'_>| event_log::log_after(transaction, position, end, limit);
            self.reader.read(read).await
        })
    }

    fn events_after(&self, position: i64, limit: usize) -> BoxFuture<'_, Result<LogPart, StoreError>> {
        Box::pin(async move {
            let end = *self.log_end.borrow();
            let read = move |transaction: &Transaction<'_>| {
                event_log::events_after(transaction, position, end, limit)
            };
            self.reader.read(read).await
        })
    }

    fn deliveries_by_id(
        &self,
        ids: Vec<DeliveryId>,
    ) -> BoxFuture<'_, Result<Vec<DeliveryOfEvent>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| deliveries::by_id(transaction, &ids)))
    }

    fn log_end(&self) -> watch::Receiver<i64> {
        self.log_end.clone()
    }

    fn track(&self, mut change: TrackChange) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let mut events = Vec::with_capacity(change.events.len());
            for new in mem::take(&mut change.events) {
                events.push(self.row(new).await?);
            }
            let tracking = Arc::new(Tracking { change, events });
            let kept = Arc::clone(&tracking);
            // Not taken back when it is refused: all of it is true, and whoever follows the log looks what stayed.
            self.write(move |changes, fresh| changes.track(&kept, fresh)).await?;
            tracking.events.iter().for_each(EventRow::settle);
            Ok(())
        })
    }

    fn monitors_by_uid(&self, uids: Vec<String>) -> BoxFuture<'_, Result<Vec<MonitorRow>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| monitors::by_uid(transaction, &uids)))
    }

    fn monitors_due(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<MonitorRow>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| monitors::due(transaction, until, limit)))
    }

    fn monitors_after(
        &self,
        after: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<MonitorRow>, StoreError>> {
        let read = move |transaction: &Transaction<'_>| {
            monitors::monitors_after(transaction, after.as_deref(), limit)
        };
        Box::pin(self.reader.read(read))
    }

    fn collections_by_uid(
        &self,
        uids: Vec<String>,
    ) -> BoxFuture<'_, Result<Vec<CollectionWatch>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| monitors::collections_by_uid(transaction, &uids)))
    }

    fn collections_due(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<CollectionChange>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| monitors::collections_due(transaction, until, limit)))
    }

    fn collections(
        &self,
        after: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<CollectionChange>, StoreError>> {
        let read =
            move |transaction: &Transaction<'_>| monitors::collections(transaction, after.as_deref(), limit);
        Box::pin(self.reader.read(read))
    }

    fn monitors(
        &self,
        filter: MonitorFilter,
        page: PageRequest<MonitorPlace>,
    ) -> BoxFuture<'_, Result<Page<MonitorRow, MonitorPlace>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| monitors::monitors(transaction, &filter, page)))
    }

    fn monitor_counts(&self) -> BoxFuture<'_, Result<MonitorCounts, StoreError>> {
        Box::pin(self.reader.read(monitors::count))
    }

    fn monitor(&self, uid: String) -> BoxFuture<'_, Result<Option<MonitorRow>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| monitors::monitor(transaction, &uid)))
    }

    fn runs(&self, uid: String, range: RunRange) -> BoxFuture<'_, Result<Vec<Run>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| runs::runs(transaction, &uid, range)))
    }

    fn incidents(
        &self,
        filter: IncidentFilter,
        page: PageRequest,
    ) -> BoxFuture<'_, Result<Page<IncidentRecord>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| incidents::incidents(transaction, &filter, page)))
    }

    fn incident(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<IncidentRecord>, StoreError>> {
        Box::pin(self.reader.read(move |transaction| incidents::incident(transaction, id)))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let touch = job::change(|changes, _| Ok(migrate::touch(changes.connection())?));
            commit(self.place()?, touch).await?;
            self.reader.read(|transaction| Ok(transaction.query_row("SELECT 1", [], |_| Ok(()))?)).await
        })
    }
}

impl SqliteStore {
    /// Makes an event ready to be written: its body is where it stays.
    async fn row(&self, new: NewEvent) -> Result<EventRow, StoreError> {
        let NewEvent { event, body, targets, explanations, mark } = new;
        let body = self.bodies.keep(body).await?;
        Ok(EventRow::new(event, body, targets, &explanations, mark))
    }

    /// Reads what to deliver, without what a crash could still take back.
    async fn durable(
        &self,
        read: impl FnOnce(&Transaction<'_>) -> Result<Vec<Ticket>, ReadError> + Send + 'static,
    ) -> Result<Vec<Ticket>, StoreError> {
        // Before the read: a later mark may stand above something that the read saw and that was taken back since.
        let highest = self.durable.highest();
        let mut tickets = self.reader.read(read).await?;
        tickets.retain(|ticket| Some(ticket.id) <= highest);
        Ok(tickets)
    }
}
