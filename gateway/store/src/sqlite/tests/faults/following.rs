//! A plain follower of the log, and whether what it keeps agrees.

use std::collections::BTreeMap;

use postroom_core::{
    id::{EventId, IncidentId},
    monitor::{Monitor, Run},
};

use super::life;
use crate::{
    IncidentRecord, LogPart, RunRange, SqliteStore, Store, StoreError, TrackChange,
    testing::{
        monitors::{incident, monitor, run_at, tracked, with_runs},
        new_event, with_body,
    },
};

/// Events that are followed at once.
const EVENTS_MAX: usize = 5;

/// Follows the log by some events, and gives how far it came. Event number `made` is made about it.
pub(super) async fn follow(store: &SqliteStore, made: u32) -> Result<i64, StoreError> {
    let position = store.tracker().await?.position;
    let part = store.log_after(position, EVENTS_MAX).await?;
    let mut change = TrackChange { position: Some(part.last), ..tracked(part.last) };
    for (uid, runs) in runs_of(&part) {
        let known = store.monitors_by_uid(vec![uid.clone()]).await?;
        let known = known.into_iter().next().map(|row| row.monitor);
        let mut monitor: Monitor = known.unwrap_or_else(|| monitor(&uid));
        monitor.counts.failed += runs.len() as u64;
        monitor.last_run = runs.last().cloned();
        let runs_so_far = u32::try_from(monitor.counts.failed).unwrap();
        change.incidents.push(IncidentRecord { runs: runs_so_far, ..incident_of(&uid) });
        change.monitors.push(with_runs(monitor, runs));
    }
    let new = new_event(made, "lane 0", &[life::MADE_FOR]);
    change.events.push(with_body(new, life::body_of(life::MADE_BODY)));
    let position = part.last;
    store.track(change).await?;
    Ok(position)
}

fn runs_of(part: &LogPart) -> BTreeMap<String, Vec<Run>> {
    let mut runs: BTreeMap<String, Vec<Run>> = BTreeMap::new();
    for logged in &part.events {
        let event = &logged.event;
        let run = run_at(1, event.received_at.as_unix_ms(), event.verdict.unwrap());
        let uid = event.subject.clone().unwrap();
        runs.entry(uid).or_default().push(Run { event: event.id, ..run });
    }
    runs
}

fn incident_of(uid: &str) -> IncidentRecord {
    let number = uid.bytes().last().unwrap();
    IncidentRecord { id: IncidentId::from_bytes([number; 16]), ..incident(1, uid, None) }
}

/// How far the log was followed, and what does not agree with that: every event up to there counts exactly once, and
/// none behind it.
pub(super) async fn agree(store: &SqliteStore) -> (i64, Option<String>) {
    let position = store.tracker().await.unwrap().position;
    let mut logged: BTreeMap<EventId, i64> = BTreeMap::new();
    let mut after = 0;
    loop {
        let part = store.log_after(after, EVENTS_MAX).await.unwrap();
        logged.extend(part.events.iter().map(|logged| (logged.event.id, logged.seq)));
        if part.last == after {
            break;
        }
        after = part.last;
    }
    let mut followed: BTreeMap<EventId, usize> = BTreeMap::new();
    for lane in 0..life::LANES {
        let uid = format!("lane {lane}");
        let runs = store.runs(uid.clone(), RunRange::ALL).await.unwrap();
        let row = store.monitor(uid.clone()).await.unwrap();
        let counted = row.map_or(0, |row| row.monitor.counts.failed);
        let incident = store.incident(incident_of(&uid).id).await.unwrap();
        let told = incident.map_or(0, |incident| u64::from(incident.runs));
        if [counted, told] != [runs.len() as u64; 2] {
            let fault = format!("{uid} has {} runs, counted {counted}, told {told}", runs.len());
            return (position, Some(fault));
        }
        for run in runs {
            *followed.entry(run.event).or_default() += 1;
        }
    }
    let twice = followed.iter().find(|(_, times)| **times > 1).map(|(id, _)| format!("{id} counts twice"));
    let wrong = logged.iter().find(|(id, seq)| (**seq <= position) != followed.contains_key(id));
    (position, twice.or_else(|| wrong.map(|(id, seq)| format!("{id} is number {seq}"))))
}
