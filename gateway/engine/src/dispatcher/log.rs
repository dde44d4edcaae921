//! What the log says of single deliveries: enough to see what goes wrong, however much of it there is.

mod thinned;

use std::time::Duration;

use postroom_core::{
    delivery::{DeliveryState, DestinationStep, Step},
    lane::Ticket,
    outcome::Outcome,
    time::Timestamp,
};

pub(super) use self::thinned::Thinned;
use crate::clock::Steady;

#[derive(Debug)]
pub(super) struct Log {
    failed: Thinned,
    dead: Thinned,
}

impl Log {
    pub(super) fn new(steady: Steady) -> Self {
        Self { failed: Thinned::new("failed attempts", steady), dead: Thinned::new("dead letters", steady) }
    }

    /// Tells how an attempt ended that has brought its delivery to `state`.
    pub(super) fn attempted(
        &self,
        ticket: &Ticket,
        state: DeliveryState,
        step: &Step,
        outcome: &Outcome,
        now: Timestamp,
    ) {
        let (delivery, event, destination) = (ticket.id, ticket.event, &ticket.lane.destination);
        let Outcome { code, message: reason, .. } = outcome;
        let attempt = step.attempts;
        match state {
            DeliveryState::Delivered | DeliveryState::Skipped => {
                tracing::debug!(%delivery, %event, %destination, %state, attempt, "delivery finished");
            }
            DeliveryState::Cancelled => {
                tracing::info!(%delivery, %event, %destination, attempt, code, reason, "delivery cancelled");
            }
            DeliveryState::Dead => self.dead.tell(|left_out| {
                tracing::error!(%delivery, %event, %destination, attempt, code, reason, left_out, "delivery given up, now a dead letter");
            }),
            DeliveryState::Superseded => self.failed.tell(|left_out| {
                tracing::warn!(%delivery, %event, %destination, attempt, code, reason, left_out, "attempt failed, a newer delivery goes instead");
            }),
            // The pause has a line of its own, but not for each of those that ask for it.
            _ if matches!(step.destination, DestinationStep::PauseUntil(_)) => {
                let outcome = outcome.kind;
                tracing::debug!(%delivery, %event, %destination, %outcome, code, reason, "attempt ended, its destination has to wait");
            }
            _ => self.failed.tell(|left_out| {
                let wait_s = in_seconds(step.due.map_or(Duration::ZERO, |due| now.until(due)));
                tracing::warn!(%delivery, %event, %destination, attempt, code, reason, wait_s, left_out, "attempt failed, will be tried again");
            }),
        }
    }
}

/// A wait for people: in seconds, in tenths if need be, and no millisecond is told as zero.
pub(super) fn in_seconds(wait: Duration) -> f64 {
    f64::from(u32::try_from(wait.as_millis().div_ceil(100)).unwrap_or(u32::MAX)) / 10.0
}

#[cfg(test)]
mod tests;
