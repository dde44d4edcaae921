//! What became of deliveries, gathered in a turn and written at its end.
//!
//! A lane waits until its outcome is durable: to go on before could, after a crash, deliver this event again behind a
//! newer one. So whatever follows from a record is done when the store has it, and not before.

use std::sync::Arc;

use postroom_core::{
    chain::Chain,
    delivery::DeliveryState,
    id::{DeliveryId, DestinationName},
    lane::{LaneKey, Next},
    time::Timestamp,
};
use postroom_store::{DeliveryChange, Store, StoreError};

use super::{
    Dispatcher,
    answer::tell,
    input::{CancelWish, Done},
    log::{Thinned, in_seconds},
};
use crate::{Metrics, backoff::Backoff, steer::CancelAnswer};

/// What is done when a record is on disk.
#[derive(Debug)]
pub(super) enum Follow {
    /// The lane of an attempt goes on.
    Settle { lane: LaneKey, id: DeliveryId, next: Next },
    /// A lane whose waiting deliveries were superseded goes on.
    Release(LaneKey),
    /// Someone is told that a delivery is cancelled.
    Cancelled { cancel: CancelWish, taken: bool },
}

/// Changes to write together, and what follows from them.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// Each with the destination it counts for.
    changes: Vec<(DestinationName, DeliveryChange)>,
    follows: Vec<Follow>,
}

impl Records {
    pub(super) fn then(&mut self, follow: Follow) {
        self.follows.push(follow);
    }
}

impl Dispatcher {
    /// Adds what became of a delivery to what this turn writes.
    pub(super) fn add_record(&mut self, destination: &DestinationName, change: DeliveryChange) {
        self.wishes.hold(change.id);
        self.records.changes.push((destination.clone(), change));
    }

    /// Adds a delivery that a newer one of its lane replaces, without an attempt of its own.
    pub(super) fn add_superseded(&mut self, destination: &DestinationName, id: DeliveryId, at: Timestamp) {
        tracing::debug!(delivery = %id, %destination, "delivery superseded by a newer one of its lane");
        self.warm.take(destination, id);
        let state = DeliveryState::Superseded;
        let change = DeliveryChange { id, state, attempts: None, due: None, at, attempt: None };
        self.add_record(destination, change);
    }

    /// Writes what this turn has gathered.
    pub(super) fn write_records(&mut self) {
        if self.records.follows.is_empty() {
            return;
        }
        let records = std::mem::take(&mut self.records);
        let (store, metrics) = (Arc::clone(&self.store), self.metrics.clone());
        let (log, changed) = (self.store_log.clone(), self.changed.clone());
        self.writing += 1;
        self.tasks.spawn(async move {
            let Records { changes, follows } = records;
            let ids: Vec<_> = changes.iter().map(|(_, change)| change.id).collect();
            write(&*store, &metrics, &log, changes).await;
            changed.deliveries(ids.iter().copied());
            Done::Recorded { ids, follows }
        });
    }

    /// Lets the lane of an attempt go on, and has what it turns out to supersede recorded.
    pub(super) fn settle(&mut self, lane: LaneKey, id: DeliveryId, next: Next) {
        let superseded = self.lanes.settle(&lane, id, next);
        self.record_superseded(lane, superseded);
    }

    pub(super) fn release(&mut self, lane: LaneKey) {
        let superseded = self.lanes.release(&lane);
        self.record_superseded(lane, superseded);
    }

    /// Records deliveries that a newer one of their lane replaces. The lane goes on when they are on disk.
    pub(super) fn record_superseded(&mut self, lane: LaneKey, superseded: Vec<DeliveryId>) {
        if superseded.is_empty() {
            return;
        }
        let at = self.clock.now();
        for id in superseded {
            self.add_superseded(&lane.destination, id, at);
        }
        self.records.then(Follow::Release(lane));
    }

    pub(super) fn recorded(&mut self, ids: &[DeliveryId], follows: Vec<Follow>) {
        self.writing -= 1;
        let wishes = self.wishes.free(ids);
        for follow in follows {
            match follow {
                Follow::Settle { lane, id, next } => self.settle(lane, id, next),
                Follow::Release(lane) => self.release(lane),
                Follow::Cancelled { cancel, taken } => {
                    let CancelWish { lane, id, by, answer } = cancel;
                    tracing::info!(delivery = %id, destination = %lane.destination, by, "delivery cancelled");
                    tell(answer, Ok(Some(CancelAnswer::Cancelled)));
                    if taken {
                        self.release(lane);
                    } else {
                        self.lanes.forget_cancelled(&lane, id);
                    }
                }
            }
        }
        self.take_up(wishes);
    }
}

/// Stores the changes, however long that takes.
async fn write(
    store: &dyn Store,
    metrics: &Metrics,
    log: &Thinned,
    mut changes: Vec<(DestinationName, DeliveryChange)>,
) {
    let mut backoff = Backoff::for_store();
    while let Err(error) = store.record(changes.iter().map(|(_, change)| change.clone()).collect()).await {
        if let StoreError::UnknownDelivery { delivery } = error {
            // The others must not be lost with it.
            tracing::error!(error = %Chain(&error), "an outcome has nothing to belong to");
            changes.retain(|(_, change)| change.id != delivery);
            continue;
        }
        metrics.record_failed();
        let (wait, outcomes) = (backoff.next(), changes.len());
        log.tell(|left_out| {
            let wait_s = in_seconds(wait);
            tracing::error!(error = %Chain(&error), outcomes, wait_s, left_out, "outcomes could not be stored, trying again");
        });
        tokio::time::sleep(wait).await;
    }
    for (destination, change) in changes.iter().filter(|(_, change)| change.state.is_final()) {
        metrics.finished(destination, change.state);
    }
}
