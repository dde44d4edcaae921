//! Looks at monitors and collections to which nothing has happened: those that are due, and after other settings all of
//! them.
//!
//! Time may only be said to have passed for a monitor when everything is followed that came in until then; otherwise one
//! would be silent whose run is on its way.

use postroom_core::{
    monitor::{BackupRule, Input, Monitor},
    time::Timestamp,
};
use postroom_store::{CollectionChange, MonitorRow, StoreError};

use super::{
    PAGE_MAX, Place, Tracker, Tracking,
    work::{Judgement, Touched, Work, later},
};

/// A look at monitors and collections, a page at a time.
#[derive(Debug)]
pub(super) struct Round {
    /// The moment as of which it looks.
    now: Timestamp,
    /// The end of the log at that moment.
    log_end: i64,
    of: Of,
}

/// Whom it looks at next.
#[derive(Debug)]
enum Of {
    DueMonitors,
    DueCollections,
    /// All of them behind this one.
    Monitors(Option<String>),
    /// All of them behind this one.
    Collections(Option<String>),
}

impl Place {
    /// Begins a round if it is time for one, and says whether one may go on.
    pub(super) fn begin_round(&mut self, now: Timestamp, log_end: i64) -> bool {
        if self.round.is_none() {
            let of = if std::mem::take(&mut self.judge_all) {
                Of::Monitors(None)
            } else if self.due_first.is_some_and(|due| due <= now) {
                Of::DueMonitors
            } else {
                return false;
            };
            self.round = Some(Round { now, log_end, of });
        }
        self.round.as_ref().is_some_and(|round| round.log_end <= self.position)
    }
}

impl Tracker {
    /// Looks at the next page.
    pub(super) async fn look_round(
        &mut self,
        place: &mut Place,
        settings: &Tracking,
    ) -> Result<(), StoreError> {
        let Some(Round { now, log_end, of }) = place.round.take() else { return Ok(()) };
        let next = match of {
            Of::DueMonitors => {
                let due = self.store.monitors_due(now, PAGE_MAX).await?;
                let more = due.len() == PAGE_MAX;
                let mut work = Work::default();
                let looked =
                    due.into_iter().map(|row| self.look_at(row.monitor, false, place, settings, now));
                work.monitors.extend(looked);
                self.keep_work(work, None, place, settings, now).await?;
                Some(if more { Of::DueMonitors } else { Of::DueCollections })
            }
            Of::DueCollections => {
                let due = self.store.collections_due(now, PAGE_MAX).await?;
                let more = due.len() == PAGE_MAX;
                let mut work = Work::default();
                due.into_iter().for_each(|it| self.look_at_collection(it, &mut work, settings, now));
                self.keep_work(work, None, place, settings, now).await?;
                more.then_some(Of::DueCollections)
            }
            Of::Monitors(after) => {
                let page = self.store.monitors_after(after, PAGE_MAX).await?;
                let last = page.last().map(|last| last.monitor.identity.uid.clone());
                let last = last.filter(|_| page.len() == PAGE_MAX);
                let mut work = Work::default();
                for before in page {
                    let touched = self.look_at(before.monitor.clone(), true, place, settings, now);
                    work.monitors.extend(is_worth_keeping(&touched, &before).then_some(touched));
                }
                self.keep_work(work, None, place, settings, now).await?;
                Some(last.map_or(Of::Collections(None), |last| Of::Monitors(Some(last))))
            }
            Of::Collections(after) => {
                let page = self.store.collections(after, PAGE_MAX).await?;
                let last = page.last().map(|last| last.watch.uid.clone()).filter(|_| page.len() == PAGE_MAX);
                let mut work = Work::default();
                for collection in page {
                    let before = collection.clone();
                    self.look_at_collection(collection, &mut work, settings, now);
                    if work.collections.get(&before.watch.uid) == Some(&before) {
                        work.collections.remove(&before.watch.uid);
                    }
                }
                self.keep_work(work, None, place, settings, now).await?;
                last.map(|last| Of::Collections(Some(last)))
            }
        };
        place.round = next.map(|of| Round { now, log_end, of });
        if place.round.is_none() {
            place.due_first = self.first_due().await?;
        }
        Ok(())
    }

    /// What is due first of all.
    async fn first_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let ever = Timestamp::from_unix_ms(i64::MAX);
        let monitor = self.store.monitors_due(ever, 1).await?.first().and_then(|row| row.due_at);
        let collection = self.store.collections_due(ever, 1).await?.first().and_then(|change| change.due_at);
        Ok(monitor.into_iter().chain(collection).min())
    }

    /// Tells a monitor that time has passed.
    fn look_at(
        &self,
        monitor: Monitor,
        is_round_of_all: bool,
        place: &Place,
        settings: &Tracking,
        now: Timestamp,
    ) -> Touched {
        let mut touched = Touched::new(monitor);
        if place.knows_only_history(&touched.monitor) {
            return touched;
        }
        let policy = settings.rules.policy(&touched.monitor.identity);
        if place.is_reconsidering && is_round_of_all {
            let over = touched.monitor.reconsider_silence(&policy, now);
            touched.effects.extend(over.map(|over| (over, None)));
        }
        touched.step(Input::Tick, &Judgement { policy: &policy, watch: self.watch(), now });
        touched.due_at = later(touched.monitor.due(&policy, &self.watch(), now), now);
        touched
    }

    fn look_at_collection(
        &self,
        change: CollectionChange,
        work: &mut Work,
        settings: &Tracking,
        now: Timestamp,
    ) {
        let CollectionChange { mut watch, .. } = change;
        let Some(overdue_after) = BackupRule::overdue_after(&settings.backups, &watch) else {
            watch.overdue_since = None;
            work.collections.insert(watch.uid.clone(), CollectionChange { watch, due_at: None });
            return;
        };
        // Settings may allow more time now than before. That the gateway was away is no reason to tell it again.
        if watch.last_at.plus(overdue_after) > now {
            watch.overdue_since = None;
        }
        if watch.tick(overdue_after, &self.watch(), now) {
            work.overdue.push((watch.clone(), now));
        }
        let due_at = later(watch.due(overdue_after, &self.watch()), now);
        work.collections.insert(watch.uid.clone(), CollectionChange { watch, due_at });
    }

    /// When to look next at what has just been taken in.
    pub(super) fn set_due(&self, work: &mut Work, place: &Place, settings: &Tracking, now: Timestamp) {
        for touched in &mut work.monitors {
            let due_at = self.due(&touched.monitor, place, settings, now);
            // A look that comes too early costs less than to keep with each run that it may come later.
            let early =
                touched.due_at.filter(|before| now < *before && due_at.is_some_and(|due| *before < due));
            touched.due_at = early.or(due_at);
        }
        for change in work.collections.values_mut() {
            let rule = BackupRule::overdue_after(&settings.backups, &change.watch);
            change.due_at = rule.and_then(|after| change.watch.due(after, &self.watch()));
        }
    }

    pub(super) fn due(
        &self,
        monitor: &Monitor,
        place: &Place,
        settings: &Tracking,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if place.knows_only_history(monitor) {
            return None;
        }
        let policy = settings.rules.policy(&monitor.identity);
        monitor.due(&policy, &self.watch(), now)
    }
}

/// Whether a look has found something that the store does not know. That a monitor is due later than the store has it is
/// found out when it is due.
fn is_worth_keeping(touched: &Touched, before: &MonitorRow) -> bool {
    let earlier = match (touched.due_at, before.due_at) {
        (Some(now), Some(before)) => now < before,
        (now, before) => now.is_some() && before.is_none(),
    };
    earlier || touched.incident_changes() || touched.monitor != before.monitor
}
