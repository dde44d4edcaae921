//! A person cancels a delivery, or wants it tried at once.
//!
//! Wherever the delivery is, exactly one thing becomes of it. In memory and waiting: it is taken out of its lane. With
//! its plugin: the plugin is asked to let go, and how the attempt ends decides. On disk only: the lanes are told first,
//! so that no read brings it in any more, and only then the store is asked where it stands. While any of that is written
//! or looked up, further wishes about it wait.

use std::sync::Arc;

use postroom_core::{
    chain::Chain,
    delivery::DeliveryState,
    id::DeliveryId,
    lane::{Cancel, LaneKey},
};
use postroom_store::{DeliveryChange, Store, StoreError};

use super::{
    Dispatcher,
    answer::tell,
    input::{CancelWish, Done},
    log::{Thinned, in_seconds},
    record::Follow,
};
use crate::{backoff::Backoff, steer::CancelAnswer};

impl Dispatcher {
    pub(super) fn cancel(&mut self, cancel: CancelWish) {
        match self.lanes.cancel(&cancel.lane, cancel.id) {
            Cancel::InFlight => {
                if let Some(flight) = self.flights.get_mut(&cancel.id) {
                    flight.cancel(cancel.by);
                }
                tell(cancel.answer, Ok(Some(CancelAnswer::InFlight)));
            }
            Cancel::Taken => self.record_cancelled(cancel, true),
            Cancel::Stored => {
                self.wishes.hold(cancel.id);
                let (store, log) = (Arc::clone(&self.store), self.store_log.clone());
                self.tasks.spawn(async move {
                    let found = look_up(&*store, &cancel.lane, cancel.id, &log).await;
                    Done::LookedAt { cancel, found }
                });
            }
        }
    }

    /// A delivery that is not in memory and will not be read: nothing but this changes it now.
    pub(super) fn looked_at(&mut self, cancel: CancelWish, found: Result<Standing, StoreError>) {
        let answer = match found {
            Ok(Standing::Waits) => return self.record_cancelled(cancel, false),
            Ok(Standing::Final) => Ok(Some(CancelAnswer::AlreadyFinal)),
            Ok(Standing::Unknown) => Ok(None),
            // No list has it: its lane goes on without it, as it would have.
            Err(error) => Err(error.into()),
        };
        self.lanes.forget_cancelled(&cancel.lane, cancel.id);
        tell(cancel.answer, answer);
        let wishes = self.wishes.free(&[cancel.id]);
        self.take_up(wishes);
    }

    fn record_cancelled(&mut self, cancel: CancelWish, taken: bool) {
        self.warm.take(&cancel.lane.destination, cancel.id);
        let change = DeliveryChange {
            id: cancel.id,
            state: DeliveryState::Cancelled,
            attempts: None,
            due: None,
            at: self.clock.now(),
            attempt: None,
        };
        self.add_record(&cancel.lane.destination, change);
        self.records.then(Follow::Cancelled { cancel, taken });
    }

    /// Has the lane of a waiting delivery go on at once, and says whether it will. One behind others of its lane waits for
    /// them all the same: the first of them becomes due now.
    pub(super) fn hurry(&mut self, lane: &LaneKey, id: DeliveryId) -> bool {
        let hurried = self.lanes.hurry(lane, id, self.steady.now());
        tracing::debug!(delivery = %id, destination = %lane.destination, hurried, "a person wants a delivery tried at once");
        hurried
    }
}

/// Where a delivery stands in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Waits,
    Final,
    /// There is no such delivery.
    Unknown,
}

/// Asks the store where a delivery stands, however long that takes: until that is known no read brings it, and to give
/// up would leave it out of its lane.
///
/// # Errors
/// Only when its row is so damaged that no list has it: it would be so the next time too.
async fn look_up(
    store: &dyn Store,
    lane: &LaneKey,
    id: DeliveryId,
    log: &Thinned,
) -> Result<Standing, StoreError> {
    let mut backoff = Backoff::for_store();
    loop {
        match standing(store, lane, id).await {
            Err(error) if !matches!(error, StoreError::Corrupt { .. }) => {
                let wait = backoff.next();
                log.tell(|left_out| {
                    let wait_s = in_seconds(wait);
                    tracing::error!(delivery = %id, error = %Chain(&error), wait_s, left_out, "a delivery to cancel could not be read, trying again");
                });
                tokio::time::sleep(wait).await;
            }
            found => return found,
        }
    }
}

async fn standing(store: &dyn Store, lane: &LaneKey, id: DeliveryId) -> Result<Standing, StoreError> {
    match store.delivery(id).await {
        Ok(Some(detail)) if detail.delivery.state.is_final() => Ok(Standing::Final),
        Ok(Some(_)) => Ok(Standing::Waits),
        Ok(None) => Ok(Standing::Unknown),
        // A list reads less of a delivery, none of its attempts above all: what it finds waits and would go.
        Err(damaged @ StoreError::Corrupt { .. }) => {
            let before = DeliveryId::new(id.get().saturating_sub(1));
            let next = store.waiting_in_lane(lane.clone(), Some(before), 1).await?;
            if next.iter().any(|ticket| ticket.id == id) { Ok(Standing::Waits) } else { Err(damaged) }
        }
        Err(error) => Err(error),
    }
}
