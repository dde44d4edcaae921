//! What is kept of incidents, brought up to date with what became of them.

use std::collections::BTreeMap;

use postroom_core::{
    id::{EventId, IncidentId},
    monitor::{Effect, Identity, OpenIncident, ResolvedBy},
    time::Timestamp,
};
use postroom_store::{IncidentRecord, IncidentState, TIMELINE_ENTRIES_MAX, TimelineEntry};

/// The records that a change touches.
#[derive(Debug, Default)]
pub(super) struct Records(BTreeMap<IncidentId, IncidentRecord>);

impl Records {
    pub(super) fn new(known: impl IntoIterator<Item = IncidentRecord>) -> Self {
        Self(known.into_iter().map(|record| (record.id, record)).collect())
    }

    /// Notes what came of a step, and the event that tells of it if one does.
    pub(super) fn note(
        &mut self,
        monitor: &Identity,
        effect: &Effect,
        told: Option<EventId>,
        now: Timestamp,
    ) {
        match effect {
            Effect::Opened(incident) => {
                let is_new = !self.0.contains_key(&incident.id);
                let record = self.update(monitor, incident);
                if is_new {
                    let note = (!incident.announced)
                        .then_some("nobody is told: the monitor is muted, or this is long ago");
                    let event = told.unwrap_or(incident.first_failing.event);
                    add(record, incident.opened_at, "opened", Some(event), note.map(str::to_owned));
                } else {
                    let note = "nobody was told when it opened".to_owned();
                    add(record, now, "announced", told, Some(note));
                }
            }
            Effect::Reminder(incident) => {
                add(self.update(monitor, incident), now, "reminder", told, None);
            }
            Effect::Resolved { incident, at, by } => {
                let record = self.update(monitor, incident);
                record.state = IncidentState::Resolved;
                record.resolved_at = Some(*at);
                let (event, note) = match by {
                    ResolvedBy::Run(run) => {
                        record.resolved_by = Some(*run);
                        (Some(told.unwrap_or(run.event)), None)
                    }
                    ResolvedBy::Forgotten { by } => (told, Some(format!("forgotten by {by}"))),
                };
                add(record, *at, "resolved", event, note);
            }
            Effect::Silent { .. } | Effect::Resumed { .. } => {}
        }
    }

    /// Brings the record of an open incident up to date.
    pub(super) fn update(&mut self, monitor: &Identity, incident: &OpenIncident) -> &mut IncidentRecord {
        let OpenIncident {
            id,
            opened_at,
            severity,
            runs,
            failed_runs,
            first_failing,
            last_failing,
            reminders,
            announced,
            ..
        } = incident;
        let record = self.0.entry(*id).or_insert_with(|| IncidentRecord {
            id: *id,
            monitor: monitor.uid.clone(),
            monitor_name: None,
            state: IncidentState::Open,
            severity: *severity,
            opened_at: *opened_at,
            resolved_at: None,
            first_failing: *first_failing,
            last_failing: *last_failing,
            resolved_by: None,
            runs: 0,
            failed_runs: 0,
            reminders: 0,
            announced: false,
            timeline: Vec::new(),
        });
        if *severity > record.severity {
            record.severity = *severity;
            add(record, last_failing.at, "severity", Some(last_failing.event), Some(severity.to_string()));
        }
        record.monitor_name.clone_from(&monitor.name);
        record.last_failing = *last_failing;
        record.runs = *runs;
        record.failed_runs = *failed_runs;
        record.reminders = *reminders;
        record.announced = *announced;
        record
    }

    pub(super) fn into_records(self) -> Vec<IncidentRecord> {
        self.0.into_values().collect()
    }
}

fn add(record: &mut IncidentRecord, at: Timestamp, what: &str, event: Option<EventId>, note: Option<String>) {
    record.timeline.push(TimelineEntry { at, what: what.to_owned(), event, note });
    if record.timeline.len() > TIMELINE_ENTRIES_MAX {
        // The first one says how it began.
        record.timeline.remove(1);
    }
}
