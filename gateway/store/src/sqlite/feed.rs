//! Tells the dispatcher what is durable.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use postroom_core::{id::DeliveryId, limits};
use tokio::sync::{mpsc, watch};

use crate::records::{Committed, FreshDelivery};

/// The highest delivery that is durable, for those who read what to deliver.
///
/// It is raised before the feed tells of anything. Whoever has heard of a delivery and then reads must find it: what a
/// read leaves out counts as done, and would wait until the next start.
#[derive(Debug, Clone)]
pub(super) struct Durable(Arc<AtomicI64>);

impl Durable {
    pub(super) fn new(highest: Option<DeliveryId>) -> Self {
        Self(Arc::new(AtomicI64::new(highest.map_or(0, DeliveryId::get))))
    }

    pub(super) fn highest(&self) -> Option<DeliveryId> {
        Some(self.0.load(Ordering::Acquire)).filter(|id| *id > 0).map(DeliveryId::new)
    }

    fn raise(&self, highest: Option<DeliveryId>) {
        self.0.fetch_max(highest.map_or(0, DeliveryId::get), Ordering::Release);
    }
}

/// The way to the reader of the feed.
#[derive(Debug)]
pub(super) struct Feed {
    commits: mpsc::Sender<Committed>,
    highest: watch::Sender<Option<DeliveryId>>,
    durable: Durable,
    log_end: watch::Sender<i64>,
    /// Bodies that one commit hands on; those beyond are read from the store when their turn comes. With it a full
    /// feed holds no more than [`limits::WARM_BODY_BYTES_MAX`].
    body_bytes_max: usize,
}

impl Feed {
    /// `log_end` tells the number of the newest event that is durable.
    pub(super) fn new(
        commits: mpsc::Sender<Committed>,
        highest: watch::Sender<Option<DeliveryId>>,
        log_end: watch::Sender<i64>,
    ) -> Self {
        let body_bytes_max = limits::WARM_BODY_BYTES_MAX / commits.max_capacity().max(1);
        let durable = Durable::new(*highest.borrow());
        Self { commits, highest, durable, log_end, body_bytes_max }
    }

    pub(super) fn durable(&self) -> Durable {
        self.durable.clone()
    }

    /// Tells of the events and deliveries of one durable commit. The feed comes before the mark: a reader who has emptied the
    /// feed and still sees a higher mark knows that something was left out.
    pub(super) fn publish(&self, mut deliveries: Vec<FreshDelivery>, newest_event: i64) {
        self.mark_event(newest_event);
        let (Some(first), Some(last)) = (deliveries.first(), deliveries.last()) else { return };
        let (first, last) = (first.ticket.id, last.ticket.id);
        self.cool(&mut deliveries);
        self.durable.raise(Some(last));
        // Full: the reader is behind and will read the gap from the store. Closed: nobody wants to know.
        drop(self.commits.try_send(Committed { first, last, deliveries }));
        self.mark(Some(last));
    }

    /// Raises the mark alone. It never falls: who has seen it may have delivered up to it.
    pub(super) fn mark(&self, highest: Option<DeliveryId>) {
        self.durable.raise(highest);
        self.highest.send_if_modified(|mark| {
            let raised = highest > *mark;
            *mark = highest.max(*mark);
            raised
        });
    }

    /// Raises the end of the log of events. Whoever follows it reads up to here, so this is told and known at once.
    pub(super) fn mark_event(&self, newest: i64) {
        self.log_end.send_if_modified(|end| {
            let raised = newest > *end;
            *end = newest.max(*end);
            raised
        });
    }

    /// Drops the bodies that are too many for memory.
    fn cool(&self, deliveries: &mut [FreshDelivery]) {
        let mut bytes = 0;
        let mut counted = None;
        for delivery in deliveries {
            let Some(body) = &delivery.body else { continue };
            // Deliveries of one event share its body.
            if counted != Some(delivery.ticket.event) {
                counted = Some(delivery.ticket.event);
                bytes += body.len();
            }
            if bytes > self.body_bytes_max {
                delivery.body = None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
