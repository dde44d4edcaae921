//! What it holds about monitors. Each call lets others go first before it does anything, and again before it answers: a
//! test that drops whoever asks finds it on either side.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use futures_util::future::BoxFuture;
use postroom_core::{
    event::Kind,
    id::{EventId, IncidentId},
    monitor::Run,
    time::Timestamp,
};
use postroom_store::{
    CollectionChange, IncidentRecord, LogPart, LoggedEvent, MonitorChange, MonitorRow, StoreError,
    TrackChange, TrackerMark,
};
use tokio::task::yield_now;

use super::{Memory, State};

#[derive(Debug, Default)]
pub(crate) struct Tracked {
    /// Every event, in order of acceptance; the first has the number 1.
    pub(crate) log: Vec<EventId>,
    pub(crate) mark: TrackerMark,
    pub(crate) monitors: BTreeMap<String, MonitorRow>,
    pub(crate) runs: BTreeMap<String, Vec<Run>>,
    pub(crate) incidents: BTreeMap<IncidentId, IncidentRecord>,
    pub(crate) collections: BTreeMap<String, CollectionChange>,
    /// Large bodies, the records of incidents and single monitors cannot be read; all bodies are large then.
    pub(crate) damaged: bool,
    /// Changes that were kept.
    pub(crate) tracks: usize,
}

impl Memory {
    pub(super) fn tracked<'a, T: Send + 'a>(
        &'a self,
        read: impl FnOnce(&State) -> T + Send + 'a,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move {
            yield_now().await;
            let read = self.works().map(|state| read(&state));
            yield_now().await;
            read
        })
    }

    /// Like [`Memory::tracked`], for what may be damaged.
    pub(super) fn sound<'a, T: Send + 'a>(
        &'a self,
        read: impl FnOnce(&State) -> T + Send + 'a,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let damaged = || StoreError::Corrupt { table: "any", row: 1, cause: "a test wants it so".to_owned() };
        let read =
            self.tracked(move |state| if state.tracked.damaged { Err(damaged()) } else { Ok(read(state)) });
        Box::pin(async move { read.await? })
    }

    pub(super) async fn keep_tracked(&self, change: TrackChange) -> Result<(), StoreError> {
        yield_now().await;
        let fresh = self.works().map(|mut state| state.track(change))?;
        self.publish(fresh);
        self.grow();
        yield_now().await;
        let doubtful = self
            .doubtful_tracks
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok();
        if doubtful { Err(StoreError::Busy) } else { Ok(()) }
    }

    /// Tells whoever follows the log how far it goes.
    pub(super) fn grow(&self) {
        let end = i64::try_from(self.state().tracked.log.len()).unwrap();
        self.log_end.send_if_modified(|known| std::mem::replace(known, end) != end);
    }
}

impl State {
    pub(crate) fn following(&self) -> &Tracked {
        &self.tracked
    }

    pub(crate) fn make_unreadable(&mut self) {
        self.tracked.damaged = true;
    }

    fn track(&mut self, change: TrackChange) -> Vec<postroom_store::FreshDelivery> {
        let TrackChange { position, alive, monitors, incidents, collections, forgotten, events } = change;
        let tracked = &mut self.tracked;
        tracked.tracks += 1;
        tracked.mark =
            TrackerMark { position: position.unwrap_or(tracked.mark.position), alive: Some(alive) };
        for MonitorChange { monitor, due_at, runs } in monitors {
            let uid = monitor.identity.uid.clone();
            tracked.runs.entry(uid.clone()).or_default().extend(runs);
            tracked.monitors.insert(uid, MonitorRow { monitor, due_at });
        }
        for uid in forgotten {
            tracked.monitors.remove(&uid);
            tracked.runs.remove(&uid);
        }
        tracked.incidents.extend(incidents.into_iter().map(|incident| (incident.id, incident)));
        tracked.collections.extend(collections.into_iter().map(|it| (it.watch.uid.clone(), it)));
        events.into_iter().flat_map(|new| self.insert(new).1).collect()
    }

    pub(super) fn log_after(&self, position: i64, limit: usize) -> LogPart {
        let mut part = LogPart { last: position, ..LogPart::default() };
        for (seq, id) in (1..).zip(&self.tracked.log).filter(|(seq, _)| *seq > position) {
            if part.events.len() == limit {
                break;
            }
            part.last = seq;
            let (event, body) = &self.events[id];
            if matches!(event.kind, Kind::MonitorRun | Kind::CollectionBackup) {
                let body = (!self.tracked.damaged).then(|| body.clone());
                part.events.push(LoggedEvent { seq, event: (**event).clone(), body });
            }
        }
        part
    }
}

impl Tracked {
    /// An incident, with what the runs of its monitor have counted up.
    pub(crate) fn incident(&self, id: IncidentId) -> Option<IncidentRecord> {
        let mut record = self.incidents.get(&id)?.clone();
        if let Some(row) = self.monitors.get(&record.monitor) {
            record.count(row.monitor.track.incident.as_ref());
        }
        Some(record)
    }

    pub(super) fn monitors_due(&self, until: Timestamp, limit: usize) -> Vec<MonitorRow> {
        let mut due: Vec<_> =
            self.monitors.values().filter(|row| is_due(row.due_at, until)).cloned().collect();
        due.sort_by_key(|row| row.due_at);
        due.truncate(limit);
        due
    }

    pub(super) fn collections_due(&self, until: Timestamp, limit: usize) -> Vec<CollectionChange> {
        let mut due: Vec<_> =
            self.collections.values().filter(|it| is_due(it.due_at, until)).cloned().collect();
        due.sort_by_key(|it| it.due_at);
        due.truncate(limit);
        due
    }
}

fn is_due(due_at: Option<Timestamp>, until: Timestamp) -> bool {
    due_at.is_some_and(|due| due <= until)
}
