//! What has changed and is durable, by id, for whoever shows it as it happens.
//!
//! Events and new deliveries need no note: the store tells their numbers. These are changes of what was there before.

use std::{
    collections::BTreeSet,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use postroom_core::id::{DeliveryId, IncidentId};
use tokio::sync::Notify;

/// Ids of each sort that are kept for who does not take them.
const NOTED_MAX: usize = 16 * 1024;

/// Notes what changes, as long as somebody listens. A clone notes in the same place.
#[derive(Debug, Clone, Default)]
pub struct Changed(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    heard: AtomicBool,
    noted: Mutex<Noted>,
    more: Notify,
}

/// What has changed since the last look. How it stands is in the store.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// Deliveries.
    pub deliveries: BTreeSet<DeliveryId>,
    /// Incidents.
    pub incidents: BTreeSet<IncidentId>,
    /// There were more deliveries than are kept.
    pub lost_deliveries: bool,
    /// There were more incidents than are kept.
    pub lost_incidents: bool,
}

impl Changed {
    /// From here on everything is noted.
    pub fn listen(&self) {
        self.0.heard.store(true, Ordering::SeqCst);
    }

    /// From here on nothing is noted, and what was is dropped.
    pub fn ignore(&self) {
        self.0.heard.store(false, Ordering::SeqCst);
        drop(self.take());
    }

    /// Takes what has been noted.
    #[must_use]
    pub fn take(&self) -> Noted {
        mem::take(&mut *self.noted())
    }

    /// Waits until something was noted after the last wait.
    pub async fn more(&self) {
        self.0.more.notified().await;
    }

    pub(crate) fn deliveries(&self, ids: impl IntoIterator<Item = DeliveryId>) {
        self.note(|noted| {
            noted.deliveries.extend(ids);
            if noted.deliveries.len() > NOTED_MAX {
                (noted.deliveries, noted.lost_deliveries) = (BTreeSet::new(), true);
            }
        });
    }

    pub(crate) fn incidents(&self, ids: impl IntoIterator<Item = IncidentId>) {
        self.note(|noted| {
            noted.incidents.extend(ids);
            if noted.incidents.len() > NOTED_MAX {
                (noted.incidents, noted.lost_incidents) = (BTreeSet::new(), true);
            }
        });
    }

    fn note(&self, note: impl FnOnce(&mut Noted)) {
        if !self.0.heard.load(Ordering::SeqCst) {
            return;
        }
        note(&mut self.noted());
        self.0.more.notify_one();
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
