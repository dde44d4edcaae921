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
use postroom_store::{DeliveryChange, DeliveryDetail, Store};

use super::{
    Dispatcher,
    answer::tell,
    input::{CancelWish, Done},
    log::StoreLog,
    record::Follow,
};
use crate::{backoff::Backoff, steer::CancelAnswer};

impl Dispatcher {
    pub(super) fn cancel(&mut self, cancel: CancelWish) {
        match self.lanes.cancel(&cancel.lane, cancel.id) {
            Cancel::InFlight => {
                if let Some(flight) = self.flights.get(&cancel.id) {
                    flight.cancel();
                }
                tell(cancel.answer, Ok(Some(CancelAnswer::InFlight)));
            }
            Cancel::Taken => self.record_cancelled(cancel, true),
            Cancel::Stored => {
                self.wishes.hold(cancel.id);
                let (store, log) = (Arc::clone(&self.store), self.store_log.clone());
                self.tasks.spawn(async move {
                    let found = look_up(&*store, cancel.id, &log).await;
                    Done::LookedAt { cancel, found }
                });
            }
        }
    }

    /// A delivery that is not in memory and will not be read: nothing but this changes it now.
    pub(super) fn looked_at(&mut self, cancel: CancelWish, found: Option<DeliveryDetail>) {
        let answer = match found {
            Some(detail) if detail.delivery.state.is_final() => Some(CancelAnswer::AlreadyFinal),
            Some(_) => return self.record_cancelled(cancel, false),
            None => None,
        };
        self.lanes.forget_cancelled(&cancel.lane, cancel.id);
        tell(cancel.answer, Ok(answer));
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

/// Asks the store where a delivery stands, however long that takes: until that is known no read brings it, and to give
/// up would leave it out of its lane.
async fn look_up(store: &dyn Store, id: DeliveryId, log: &StoreLog) -> Option<DeliveryDetail> {
    let mut backoff = Backoff::for_store();
    loop {
        match store.delivery(id).await {
            Ok(found) => return found,
            Err(error) => {
                let wait = backoff.next();
                if let Some(left_out) = log.take() {
                    tracing::error!(delivery = %id, error = %Chain(&error), wait_s = wait.as_secs_f64(), left_out, "a delivery to cancel could not be read, trying again");
                }
                tokio::time::sleep(wait).await;
            }
        }
    }
}
