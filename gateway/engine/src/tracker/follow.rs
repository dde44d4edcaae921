//! Takes in a part of the log.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    io::{self, Read},
    os::unix::fs::FileExt as _,
    sync::Arc,
};

use postroom_core::{
    chain::Chain,
    event::{Event, Kind, Verdict},
    id::EventId,
    monitor::{CollectionWatch, Identity, Numbers, Policy, Run, Watch},
    time::Timestamp,
};
use postroom_store::{Body, BodyFile, CollectionChange, LogPart, LoggedEvent, StoreError};

use super::{
    OLD, PART_MAX, Place, Tracker, Tracking,
    work::{Work, identity},
};

impl Tracker {
    /// Takes in the next part of the log.
    pub(super) async fn part(
        &mut self,
        place: &mut Place,
        settings: &Tracking,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let LogPart { events, last, missing } = self.store.log_after(place.position, PART_MAX).await?;
        self.metrics.tracked_part();
        if missing > 0 {
            tracing::debug!(missing, "numbers without an event in the log: removed before, or never kept");
        }
        if events.is_empty() {
            // Not worth a write of its own: to pass over them again costs less.
            place.position = last;
            return Ok(());
        }
        let is_old = |logged: &LoggedEvent| {
            Some(logged.seq) <= self.came_before && logged.event.received_at.plus(OLD) < now
        };
        let mut work = self.known(&events).await?;
        let kept = if place.is_resumed { kept_before(&work, &events) } else { HashMap::new() };
        for logged in events {
            let is_old = is_old(&logged);
            let LoggedEvent { seq, event, body } = logged;
            match event.kind {
                Kind::MonitorRun => {
                    let Some(identity) = identity(&event) else { continue };
                    if kept.get(&identity.uid).is_some_and(|last| seq <= *last) {
                        continue;
                    }
                    let numbers = match body {
                        Some(body) => Numbers::read(&body),
                        None => self.numbers(event.id).await?,
                    };
                    let judge = |identity: &Identity| self.judge(identity, settings, is_old);
                    work.run(identity, run(&event, numbers), judge);
                }
                Kind::CollectionBackup => backup(&mut work, &event),
                Kind::Activity | Kind::Unrecognized | Kind::Made(_) | Kind::Emitted(_) => {}
            }
        }
        self.set_due(&mut work, place, settings, now);
        let (groups, rest) = work.split(self.changed_max);
        for group in groups {
            self.keep_work(group, None, place, settings, now).await?;
        }
        self.keep_work(rest, Some(last), place, settings, now).await?;
        (place.position, place.is_resumed) = (last, false);
        Ok(())
    }

    /// What is known of the monitors and collections in a part.
    async fn known(&self, events: &[LoggedEvent]) -> Result<Work, StoreError> {
        let subjects = |kind: Kind| -> Vec<String> {
            let of_kind = events.iter().filter(|logged| logged.event.kind == kind);
            let subjects: BTreeSet<_> = of_kind.filter_map(|logged| logged.event.subject.clone()).collect();
            subjects.into_iter().collect()
        };
        let mut work = Work::default();
        let monitors = subjects(Kind::MonitorRun);
        if !monitors.is_empty() {
            work.add(self.store.monitors_by_uid(monitors).await?);
        }
        let collections = subjects(Kind::CollectionBackup);
        if !collections.is_empty() {
            let known = self.store.collections_by_uid(collections).await?;
            let known =
                known.into_iter().map(|watch| (watch.uid.clone(), CollectionChange { watch, due_at: None }));
            work.collections.extend(known);
        }
        Ok(work)
    }

    /// By what a run is judged. An old one teaches what it can, and nobody is told.
    fn judge(&self, identity: &Identity, settings: &Tracking, is_old: bool) -> (Policy, Watch) {
        let policy = settings.rules.policy(identity);
        if is_old {
            let untold = Policy { maintenance: Some(Arc::clone(&self.untold)), ..policy };
            // Nobody knows any more when the gateway was away. A gap that was learned too long makes silence late, not wrong.
            return (untold, Watch::always());
        }
        (policy, self.watch())
    }

    /// The numbers of a run whose body is kept apart.
    async fn numbers(&self, event: EventId) -> Result<Numbers, StoreError> {
        let file = match self.store.body(event).await {
            // It was removed meanwhile; the verdict is in the event.
            Ok(None) => return Ok(Numbers::default()),
            Ok(Some(Body::Inline(body))) => return Ok(Numbers::read(&body)),
            Ok(Some(Body::File(file))) => file,
            // One body must not hold up all runs behind it. Where more than that fails, the part is not kept either.
            Err(error @ (StoreError::Corrupt { .. } | StoreError::Unavailable { .. })) => {
                tracing::warn!(%event, error = %Chain(&error), "the body of a run cannot be read, it counts without its numbers");
                return Ok(Numbers::default());
            }
            Err(error) => return Err(error),
        };
        let reading = tokio::task::spawn_blocking(move || Numbers::read_from(InOrder { file, read: 0 }));
        // The task ends early only when the runtime does.
        let read = reading.await.unwrap_or_else(|error| Err(error.into()));
        Ok(read.unwrap_or_else(|error| {
            tracing::warn!(%event, %error, "the body of a run cannot be read, it counts without its numbers");
            Numbers::default()
        }))
    }
}

/// Up to where the runs of each monitor were kept by a change that did not reach the end of the part. Runs are kept in order,
/// and the last one is known.
fn kept_before(work: &Work, events: &[LoggedEvent]) -> HashMap<String, i64> {
    let last_runs = work.monitors.iter().filter_map(|touched| touched.monitor.last_run.as_ref());
    let last_runs: HashSet<EventId> = last_runs.map(|run| run.event).collect();
    let kept = events.iter().filter(|logged| last_runs.contains(&logged.event.id));
    kept.filter_map(|logged| Some((logged.event.subject.clone()?, logged.seq))).collect()
}

fn run(event: &Event, numbers: Numbers) -> Run {
    let verdict = event.verdict.unwrap_or(Verdict::Unknown);
    Run { event: event.id, at: event.received_at, verdict, numbers }
}

fn backup(work: &mut Work, event: &Event) {
    let Some(uid) = event.subject.clone() else { return };
    let name = event.facts.collection_name.clone();
    work.collections
        .entry(uid.clone())
        .and_modify(|change| change.watch.backup(name.clone(), event.id, event.received_at))
        .or_insert_with(|| CollectionChange {
            watch: CollectionWatch::new(uid, name, event.id, event.received_at),
            due_at: None,
        });
}

/// Reads a file from its beginning to its end, whoever else reads it.
struct InOrder {
    file: BodyFile,
    read: u64,
}

impl Read for InOrder {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.file.read_at(piece, self.read)?;
        self.read += bytes as u64;
        Ok(bytes)
    }
}
