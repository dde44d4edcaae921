//! Keeps what has come of a look, as one change.

use futures_util::future::try_join_all;
use postroom_core::{
    chain::Chain,
    id::IncidentId,
    monitor::{Identity, Run},
    time::Timestamp,
};
use postroom_store::{Alive, IncidentRecord, NewEvent, StoreError, TrackChange};

use super::{
    Place, Tracker, Tracking,
    records::Records,
    told,
    work::{Touched, Work},
};

/// A change of nothing but how far the log is followed.
pub(super) fn nothing(position: Option<i64>, alive: Alive) -> TrackChange {
    TrackChange {
        position,
        alive,
        monitors: Vec::new(),
        incidents: Vec::new(),
        collections: Vec::new(),
        forgotten: Vec::new(),
        events: Vec::new(),
    }
}

impl Tracker {
    /// Keeps a change.
    pub(super) async fn keep(&mut self, change: TrackChange) -> Result<(), StoreError> {
        let incidents: Vec<_> = change.incidents.iter().map(|incident| incident.id).collect();
        let kept = self.store.track(change).await;
        // Refused, it may be there all the same, and whoever is told looks.
        self.changed.incidents(incidents);
        kept?;
        self.listening.kept();
        Ok(())
    }

    /// Keeps all that was worked out up to `position`, with the events that tell of it.
    pub(super) async fn keep_work(
        &mut self,
        work: Work,
        position: Option<i64>,
        place: &mut Place,
        settings: &Tracking,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if work.is_empty() && position.is_none() {
            return Ok(());
        }
        let due_first = work.due_first();
        let mut records = self.records(&work).await?;
        let mut events = Vec::new();
        let mut told = work.told();
        let failing: Vec<(usize, &Identity, &Run)> = told
            .iter()
            .enumerate()
            .filter_map(|(place, (_, _, told))| Some((place, &told.monitor, told.failing_run()?)))
            .collect();
        let runs: Vec<_> = failing.iter().map(|(_, monitor, run)| (*monitor, *run)).collect();
        let answers = self.asking.ask(settings.enrich.as_ref(), &runs).await;
        let places: Vec<usize> = failing.iter().map(|(place, ..)| *place).collect();
        for (asked, failures) in answers {
            told[places[asked]].2.failures = failures;
        }
        let mut told = told.into_iter().peekable();
        for (number, touched) in work.monitors.iter().enumerate() {
            for (effect_number, (effect, _)) in touched.effects.iter().enumerate() {
                let event = told
                    .next_if(|(of, by, _)| (*of, *by) == (number, effect_number))
                    .map(|(.., told)| self.intake.make(told.made(now), now));
                let id = event.as_ref().map(|new: &NewEvent| new.event.id);
                records.note(&touched.monitor.identity, effect, id, now);
                events.extend(event);
            }
            if let (true, Some(incident)) = (touched.incident_changes(), &touched.monitor.track.incident) {
                records.update(&touched.monitor.identity, incident);
            }
        }
        for (watch, since) in &work.overdue {
            events.push(self.intake.make(told::overdue(watch, *since), now));
        }
        let made: Vec<_> = events.iter().map(|new| (new.event.clone(), new.targets.len())).collect();
        let change = TrackChange {
            position,
            alive: self.alive(place, now),
            incidents: records.into_records(),
            monitors: work.monitors.into_iter().map(Touched::into_change).collect(),
            collections: work.collections.into_values().collect(),
            forgotten: Vec::new(),
            events,
        };
        self.keep(change).await?;
        for (event, deliveries) in made {
            self.intake.kept(&event, deliveries);
        }
        place.due_first = place.due_first.into_iter().chain(due_first).min();
        Ok(())
    }

    /// The records of the incidents that change.
    pub(super) async fn records(&self, work: &Work) -> Result<Records, StoreError> {
        let changing = work.monitors.iter().filter(|touched| touched.incident_changes());
        let known = changing.filter_map(|touched| touched.incident_before.as_ref());
        let records = try_join_all(known.map(|incident| self.record(incident.id))).await?;
        Ok(Records::new(records.into_iter().flatten()))
    }

    /// The record of an incident; none where it cannot be read, for it must not hold up everything else.
    async fn record(&self, id: IncidentId) -> Result<Option<IncidentRecord>, StoreError> {
        match self.store.incident(id).await {
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::warn!(incident = %id, error = %Chain(&error), "the record of an incident cannot be read, it is begun anew");
                Ok(None)
            }
            read => read,
        }
    }
}
