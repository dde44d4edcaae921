//! What the log says of single deliveries: enough to see what goes wrong, however much of it there is.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use postroom_core::{
    delivery::{DeliveryState, DestinationStep, Step},
    lane::Ticket,
    outcome::Outcome,
    rate::RateLimit,
    time::Timestamp,
};

use crate::clock::Steady;

/// Lines a second about failed attempts, as many about dead letters, and as many about a store that fails.
const LINES_PER_SECOND: u32 = 10;

#[derive(Debug, Default)]
pub(super) struct Log {
    failed: Lines,
    dead: Lines,
}

/// Lines of one sort that were told and those that were left out since.
#[derive(Debug)]
struct Lines {
    limit: RateLimit,
    left_out: u64,
}

impl Default for Lines {
    fn default() -> Self {
        Self { limit: RateLimit::per_second(LINES_PER_SECOND), left_out: 0 }
    }
}

impl Lines {
    /// Whether another line may be told now, and how many were left out before it.
    fn take(&mut self, now: Timestamp) -> Option<u64> {
        if self.limit.take(now).is_err() {
            self.left_out += 1;
            return None;
        }
        Some(std::mem::take(&mut self.left_out))
    }
}

/// Lines about a store that fails: thousands of lanes may be reading when it does.
#[derive(Debug, Clone)]
pub(super) struct StoreLog {
    steady: Steady,
    lines: Arc<Mutex<Lines>>,
}

impl StoreLog {
    pub(super) fn new(steady: Steady) -> Self {
        Self { steady, lines: Arc::default() }
    }

    /// Whether another line may be told now, and how many were left out before it.
    pub(super) fn take(&self) -> Option<u64> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).take(self.steady.now())
    }
}

impl Log {
    /// Tells how an attempt ended that has brought its delivery to `state`.
    pub(super) fn attempted(
        &mut self,
        ticket: &Ticket,
        state: DeliveryState,
        step: &Step,
        outcome: &Outcome,
        now: Timestamp,
    ) {
        let (delivery, event, destination) = (ticket.id, ticket.event, &ticket.lane.destination);
        let Outcome { code, message: reason, .. } = outcome;
        let attempt = step.attempts;
        let wait = step.due.map_or(Duration::ZERO, |due| now.until(due));
        match state {
            DeliveryState::Delivered | DeliveryState::Skipped | DeliveryState::Cancelled => {
                tracing::debug!(%delivery, %event, %destination, %state, attempt, "delivery finished");
            }
            DeliveryState::Dead => {
                if let Some(left_out) = self.dead.take(now) {
                    tracing::error!(%delivery, %event, %destination, attempt, code, reason, left_out, "delivery given up, now a dead letter");
                }
            }
            // The pause has a line of its own.
            _ if matches!(step.destination, DestinationStep::PauseUntil(_)) => {}
            DeliveryState::Superseded => {
                if let Some(left_out) = self.failed.take(now) {
                    tracing::warn!(%delivery, %event, %destination, attempt, code, reason, left_out, "attempt failed, a newer delivery goes instead");
                }
            }
            _ => {
                if let Some(left_out) = self.failed.take(now) {
                    let wait_s = wait.as_secs_f64();
                    tracing::warn!(%delivery, %event, %destination, attempt, code, reason, wait_s, left_out, "attempt failed, will be tried again");
                }
            }
        }
    }
}
