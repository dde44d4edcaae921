//! Whether a collection's backups still come.

use std::time::Duration;

use super::{Watch, rules::names_any};
use crate::{id::EventId, route::Pattern, time::Timestamp};

/// When the last backup of a collection came. Backups come on change, so nothing can be learned about when the next
/// one should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionWatch {
    /// The collection's id without owner prefix.
    pub uid: String,
    /// The collection's name, as sent last.
    pub name: Option<String>,
    /// When the last backup came.
    pub last_at: Timestamp,
    /// Its event.
    pub last_event: EventId,
    /// Since when the next one has been overdue; told once.
    pub overdue_since: Option<Timestamp>,
}

/// After how long without a backup some collections are overdue.
#[derive(Debug, Clone)]
pub struct BackupRule {
    /// Their names or ids.
    pub collection: Vec<Pattern>,
    /// After how long.
    pub overdue_after: Duration,
}

/// A gateway that was away gives a backup so long to come before it calls it overdue.
const BACK_FOR: Duration = Duration::from_secs(60 * 60);

impl BackupRule {
    /// After how long without a backup a collection is overdue: what the last of `rules` says that matches.
    #[must_use]
    pub fn overdue_after(rules: &[Self], collection: &CollectionWatch) -> Option<Duration> {
        let CollectionWatch { name, uid, .. } = collection;
        let mut from_last = rules.iter().rev();
        let rule = from_last.find(|rule| names_any(&rule.collection, name.as_deref(), Some(uid)))?;
        Some(rule.overdue_after)
    }
}

impl CollectionWatch {
    /// A collection whose first backup came.
    #[must_use]
    pub fn new(uid: String, name: Option<String>, event: EventId, at: Timestamp) -> Self {
        Self { uid, name, last_at: at, last_event: event, overdue_since: None }
    }

    /// A backup came.
    pub fn backup(&mut self, name: Option<String>, event: EventId, at: Timestamp) {
        self.name = name.or_else(|| self.name.take());
        (self.last_at, self.last_event, self.overdue_since) = (at, event, None);
    }

    /// Time went by; gives whether the backup has become overdue, once until the next one comes.
    ///
    /// A backup that the gateway missed while it was away is missing all the same, so that time counts too.
    #[must_use]
    pub fn tick(&mut self, overdue_after: Duration, watch: &Watch, now: Timestamp) -> bool {
        let is_overdue = self.due(overdue_after, watch).is_some_and(|due| due <= now);
        if is_overdue {
            self.overdue_since = Some(now);
        }
        is_overdue
    }

    /// When [`CollectionWatch::tick`] will say so, if nothing comes.
    #[must_use]
    pub fn due(&self, overdue_after: Duration, watch: &Watch) -> Option<Timestamp> {
        let overdue = self.last_at.plus(overdue_after);
        // An absence that was over before the last backup came has hidden none since.
        let since = watch.absences().iter().filter(|absence| absence.until > self.last_at);
        let back = since.filter(|absence| absence.from <= overdue);
        let due = back.map(|absence| absence.until.plus(BACK_FOR)).fold(overdue, Timestamp::max);
        self.overdue_since.is_none().then_some(due)
    }
}
