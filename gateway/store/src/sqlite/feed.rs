//! Tells the dispatcher what is durable.

use postroom_core::{id::DeliveryId, limits};
use tokio::sync::{mpsc, watch};

use crate::records::{Committed, FreshDelivery};

/// The way to the reader of the feed.
#[derive(Debug)]
pub(super) struct Feed {
    commits: mpsc::Sender<Committed>,
    highest: watch::Sender<Option<DeliveryId>>,
    /// Bodies that one commit hands on; those beyond are read from the store when their turn comes. With it a full
    /// feed holds no more than [`limits::WARM_BODY_BYTES_MAX`].
    body_bytes_max: usize,
}

impl Feed {
    pub(super) fn new(commits: mpsc::Sender<Committed>, highest: watch::Sender<Option<DeliveryId>>) -> Self {
        let body_bytes_max = limits::WARM_BODY_BYTES_MAX / commits.max_capacity().max(1);
        Self { commits, highest, body_bytes_max }
    }

    /// Tells of the deliveries of one durable commit. The feed comes before the mark: a reader who has emptied the
    /// feed and still sees a higher mark knows that something was left out.
    pub(super) fn publish(&self, mut deliveries: Vec<FreshDelivery>) {
        let (Some(first), Some(last)) = (deliveries.first(), deliveries.last()) else { return };
        let (first, last) = (first.ticket.id, last.ticket.id);
        self.cool(&mut deliveries);
        // Full: the reader is behind and will read the gap from the store. Closed: nobody wants to know.
        drop(self.commits.try_send(Committed { first, last, deliveries }));
        self.mark(Some(last));
    }

    /// Raises the mark alone. It never falls: who has seen it may have delivered up to it.
    pub(super) fn mark(&self, highest: Option<DeliveryId>) {
        self.highest.send_if_modified(|mark| {
            let raised = highest > *mark;
            *mark = highest.max(*mark);
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
