//! A delivery on its way through a process.

use std::sync::{Arc, atomic::Ordering};

use postroom_core::outcome::{Outcome, OutcomeKind};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::{Instant, sleep_until},
};

use super::{
    Process,
    pending::{Holding, Reply},
};
use crate::{
    body::BodyFault,
    delivery::{Delivered, PluginDelivery},
    native::Status,
    outcome::Report,
    wire::Frame,
};

impl Process {
    /// Offers a delivery and waits for its end until `until`; `None` when the process has ended, or was told to stop, before
    /// the plugin had it.
    ///
    /// Waiting for a free place is not an attempt: it takes at most until `accept_until`.
    ///
    /// After `until`, or when it is cancelled, the plugin is told to stop, and the delivery comes back when the plugin has
    /// let go of it. So nobody has two deliveries of a lane inside the plugin, where a slow "failed" could overtake the
    /// "recovered" after it. A plugin that holds on for [`Limits::cancel`] is ended: the order is worth a restart.
    pub(crate) async fn deliver(
        &self,
        delivery: &PluginDelivery,
        accept_until: Instant,
        until: Instant,
    ) -> Option<Delivered> {
        self.deliver_as(delivery, accept_until, until, Frame::deliver).await
    }

    /// The same with a frame that may say of the event what no event of this version is.
    pub(crate) async fn deliver_as(
        &self,
        delivery: &PluginDelivery,
        accept_until: Instant,
        until: Instant,
        frame: impl FnOnce(u64, &PluginDelivery) -> Frame,
    ) -> Option<Delivered> {
        if let Err(fault) = delivery.body.check() {
            return Some(Delivered::Outcome(not_sent(&fault)));
        }
        let (slot, room) = match self.place(delivery, accept_until).await {
            Ok(place) => place,
            Err(end) => return end,
        };
        let token = self.next_token.fetch_add(1, Ordering::Relaxed);
        let frame = frame(token, delivery);
        // Dropping this early, as the caller may, cancels the delivery.
        let mut in_flight = self.pending.add(token, Holding::of(delivery, until), slot, &self.outgoing)?;
        // From here on the attempt counts: whatever happens, the plugin may have seen the event.
        room.send(frame);
        tokio::select! {
            biased;
            // Not a word about the event: the offer and the order to stop crossed.
            reply = in_flight.reply() => return match reply {
                Reply::Refused(postroom_abi::POSTROOM_E_STALE) if self.is_stopping() => None,
                reply => Some(self.delivered(delivery, reply)),
            },
            () = delivery.cancel.cancelled() => {}
            () = self.pending.out_of_time(token) => {}
        }
        in_flight.cancel();
        let reply = in_flight.reply().await;
        Some(if delivery.cancel.is_cancelled() {
            self.let_go(delivery, reply)
        } else {
            // How it ended no longer matters, only that it did. By the contract nobody wants the outcome after a cancel,
            // and the plugin is told that it is stale. The one that was on its way when the cancel was sent is treated the
            // same: the time was up for both, and which came first is a matter of luck. The event then comes again, which
            // plugins have to expect at any time.
            Delivered::Outcome(timed_out(delivery))
        })
    }

    /// Waits for a free place in the plugin and room for the frame; otherwise says how the delivery comes back.
    async fn place(
        &self,
        delivery: &PluginDelivery,
        accept_until: Instant,
    ) -> Result<(OwnedSemaphorePermit, mpsc::Permit<'_, Frame>), Option<Delivered>> {
        let place = async {
            // Either is closed only when the process has ended.
            let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| None)?;
            Ok((slot, self.outgoing.reserve().await.map_err(|_| None)?))
        };
        tokio::select! {
            biased;
            () = delivery.cancel.cancelled() => Err(Some(Delivered::NotAccepted)),
            place = place => place,
            () = sleep_until(accept_until) => Err(Some(Delivered::NotAccepted)),
        }
    }

    /// What became of a delivery that ended by itself.
    fn delivered(&self, delivery: &PluginDelivery, reply: Reply) -> Delivered {
        match reply {
            Reply::Ended(report) => Delivered::Outcome(self.outcome(delivery, &report)),
            Reply::Refused(status) => refused(status),
            Reply::Lost(exit) => Delivered::Outcome(Outcome::retry(
                "plugin_crashed",
                format!("the plugin process ended during the delivery: {exit}"),
            )),
            // Only what was given up is released.
            Reply::Released(_) => Delivered::Outcome(timed_out(delivery)),
        }
    }

    /// What became of a delivery that was cancelled. What the remote side has is not taken back by a cancel.
    fn let_go(&self, delivery: &PluginDelivery, reply: Reply) -> Delivered {
        match reply {
            // It was over before the plugin heard of the cancel.
            Reply::Ended(report) => Delivered::Outcome(self.outcome(delivery, &report)),
            Reply::Released(report) if report.kind == postroom_abi::POSTROOM_OUT_DELIVERED => {
                Delivered::Outcome(self.outcome(delivery, &report))
            }
            Reply::Released(_) | Reply::Lost(_) => Delivered::Cancelled,
            // The plugin never had it, and with which status it said so no longer matters.
            Reply::Refused(_) => Delivered::NotAccepted,
        }
    }

    fn outcome(&self, delivery: &PluginDelivery, report: &Report) -> Outcome {
        let (outcome, fault) = report.accept(&self.mask);
        if let Some(fault) = fault {
            let destination = self.destination.as_str();
            tracing::warn!(destination, event = %delivery.event.id, "record of the plugin left out: {fault}");
        }
        outcome
    }
}

/// What it means that `deliver` did not take an event. Only back-pressure, and an instance that is being stopped, say
/// nothing about the event.
fn refused(status: i32) -> Delivered {
    let kind = match status {
        postroom_abi::POSTROOM_E_BUSY | postroom_abi::POSTROOM_E_STALE => return Delivered::NotAccepted,
        postroom_abi::POSTROOM_E_CONFIG => OutcomeKind::Misconfigured,
        _ => OutcomeKind::Retry,
    };
    let message = format!("the plugin did not take the event: {}", Status(status));
    Delivered::Outcome(Outcome { kind, ..Outcome::retry("plugin_refused", message) })
}

fn timed_out(delivery: &PluginDelivery) -> Outcome {
    let limit = delivery.time_limit;
    Outcome::retry("timeout", format!("the plugin did not end the delivery within {limit:?}"))
}

/// A body that is too large is so for ever; another fault of it may pass, as when a disk comes back.
fn not_sent(fault: &BodyFault) -> Outcome {
    match fault {
        BodyFault::TooLarge { .. } => {
            Outcome { kind: OutcomeKind::Permanent, ..Outcome::retry("event_too_large", fault.to_string()) }
        }
        _ => Outcome::retry("body_unreadable", fault.to_string()),
    }
}
