//! Attempts end: decide, record, and only then let the lane go on.

use std::{sync::Arc, time::Duration};

use postroom_core::{
    chain::Chain,
    delivery::{self, DeliveryState, DestinationStep, Step},
    id::{DeliveryId, DestinationName},
    lane::{Next, Ticket},
    outcome::{Outcome, OutcomeKind},
    time::Timestamp,
};
use postroom_host::Delivered;
use postroom_store::{AttemptRecord, DeliveryChange, StoreError};

use super::{Dispatcher, Input};

/// When a delivery that was not accepted is offered again.
const OFFER_AGAIN: Duration = Duration::from_secs(1);
/// The first wait before an outcome that could not be stored is stored again; doubles up to [`RECORD_AGAIN_MAX`].
const RECORD_AGAIN: Duration = Duration::from_millis(250);
const RECORD_AGAIN_MAX: Duration = Duration::from_secs(10);

impl Dispatcher {
    pub(super) fn ended(
        &mut self,
        ticket: Ticket,
        started_at: Timestamp,
        seconds: f64,
        delivered: Delivered,
    ) {
        let (now, steady_now) = (self.clock.now(), self.steady.now());
        let Delivered::Outcome(outcome) = delivered else {
            let due = steady_now.plus(OFFER_AGAIN);
            self.lanes.settle(&ticket.lane, ticket.id, Next::Again { due, attempts: ticket.attempts });
            return;
        };
        // Lanes are opened for exactly these destinations.
        let Some(destination) = self.destinations.get(&ticket.lane.destination) else { return };
        self.metrics.attempted(&destination.name, outcome.kind, seconds);
        let step = delivery::step(ticket.id, ticket.attempts, &outcome, &destination.retry, steady_now);
        self.steer_destination(&ticket, &step, &outcome);

        let superseded = if step.due.is_some() { self.lanes.hold_up(&ticket.lane) } else { Vec::new() };
        let state = if superseded.contains(&ticket.id) { DeliveryState::Superseded } else { step.state };
        log(&ticket, state, &step, &outcome, steady_now);
        let next = match step.due {
            Some(due) => Next::Again { due, attempts: step.attempts },
            None => Next::Finished,
        };
        let mut changes = vec![DeliveryChange {
            id: ticket.id,
            state,
            attempts: Some(step.attempts),
            due: step.due.filter(|_| !state.is_final()).map(|due| self.by_the_wall(due)),
            at: now,
            attempt: Some(AttemptRecord { started_at, finished_at: now, outcome }),
        }];
        let others = superseded.into_iter().filter(|id| *id != ticket.id);
        changes.extend(others.map(|id| self.superseded(id, now)));
        let destination = ticket.lane.destination.clone();
        let done = Input::Recorded { lane: ticket.lane, id: ticket.id, next };
        self.record(changes, destination, done);
    }

    fn steer_destination(&mut self, ticket: &Ticket, step: &Step, outcome: &Outcome) {
        let (name, now) = (&ticket.lane.destination, self.clock.now());
        let paused = self.lanes.load(name).is_some_and(|load| load.paused_until.is_some());
        match (step.destination, outcome.kind) {
            (DestinationStep::PauseUntil(until), _) => {
                if self.lanes.pause(name, until) {
                    self.troubles.begin(name, now, &outcome.message);
                }
            }
            // Only what got through shows that the remote side and the settings are well; and in a pause it was on
            // its way before.
            (DestinationStep::Carry, OutcomeKind::Delivered) if !paused => {
                let was_probe = self.lanes.reached(name);
                self.troubles.end(name, now, was_probe);
            }
            // The reason of a pause stays until the pause is over.
            (DestinationStep::Carry, OutcomeKind::Retry) if !paused => {
                self.troubles.begin(name, now, &outcome.message);
            }
            (DestinationStep::Carry, _) => {}
        }
    }

    /// A delivery that a newer one of its lane replaces, without an attempt of its own.
    pub(super) fn superseded(&mut self, id: DeliveryId, at: Timestamp) -> DeliveryChange {
        self.warm.take(id);
        DeliveryChange { id, state: DeliveryState::Superseded, attempts: None, due: None, at, attempt: None }
    }

    /// Stores `changes`, however long that takes, and then says `done`. The lane waits meanwhile: to go on before the
    /// outcome is durable could, after a crash, deliver this event again behind a newer one.
    pub(super) fn record(
        &mut self,
        mut changes: Vec<DeliveryChange>,
        destination: DestinationName,
        done: Input,
    ) {
        let (store, metrics) = (Arc::clone(&self.store), self.metrics.clone());
        self.tasks.spawn(async move {
            let mut wait = RECORD_AGAIN;
            while let Err(error) = store.record(changes.clone()).await {
                if let StoreError::UnknownDelivery { delivery } = error {
                    // The others must not be lost with it.
                    tracing::error!(error = %Chain(&error), "an outcome has nothing to belong to");
                    changes.retain(|change| change.id != delivery);
                    continue;
                }
                metrics.record_failed();
                let wait_ms = wait.as_millis();
                tracing::error!(error = %Chain(&error), wait_ms, "an outcome could not be stored, trying again");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(RECORD_AGAIN_MAX);
            }
            for change in changes.iter().filter(|change| change.state.is_final()) {
                metrics.finished(&destination, change.state);
            }
            done
        });
    }
}

fn log(ticket: &Ticket, state: DeliveryState, step: &Step, outcome: &Outcome, now: Timestamp) {
    let wait = step.due.map_or(Duration::ZERO, |due| now.until(due));
    let (delivery, event, destination) = (ticket.id, ticket.event, &ticket.lane.destination);
    let Outcome { code, message: reason, .. } = outcome;
    match state {
        DeliveryState::Delivered | DeliveryState::Skipped => {
            tracing::debug!(%delivery, %event, %destination, %state, attempt = step.attempts, "delivery finished");
        }
        DeliveryState::Dead => {
            tracing::error!(%delivery, %event, %destination, attempt = step.attempts, code, reason, "delivery given up, now a dead letter");
        }
        DeliveryState::Superseded => {
            tracing::warn!(%delivery, %event, %destination, attempt = step.attempts, code, reason, "attempt failed, a newer delivery goes instead");
        }
        _ if matches!(step.destination, DestinationStep::PauseUntil(_)) => {
            let pause_s = wait.as_secs();
            tracing::warn!(%delivery, %event, %destination, outcome = %outcome.kind, code, reason, pause_s, "destination paused");
        }
        _ => {
            let wait_s = wait.as_secs_f64();
            tracing::warn!(%delivery, %event, %destination, attempt = step.attempts, code, reason, wait_s, "attempt failed, will be tried again");
        }
    }
}
