//! Attempts end: decide what becomes of the delivery and of its destination.

use std::time::Duration;

use postroom_core::{
    chain::Chain,
    delivery::{self, DeliveryState, DestinationStep, Step},
    lane::{GateState, Next, Ticket},
    outcome::{Outcome, OutcomeKind},
    time::Timestamp,
};
use postroom_host::Delivered;
use postroom_store::{AttemptRecord, DeliveryChange};

use super::{
    Dispatcher,
    flight::{Attempted, Flight},
    record::Follow,
};
use crate::attempt::End;

/// When a delivery that was not accepted is offered again.
const OFFER_AGAIN: Duration = Duration::from_secs(1);

impl Dispatcher {
    pub(super) fn attempted(&mut self, attempted: Attempted) {
        let Attempted { ticket, started_at, finished_at, seconds, end } = attempted;
        let cancelled_by = self.flights.remove(&ticket.id).and_then(Flight::cancelled_by);
        let now = self.steady.now();
        // Lanes are opened for exactly these destinations.
        let Some(destination) = self.destinations.get(&ticket.lane.destination) else { return };
        let cancelled = cancelled_by.is_some();
        let (outcome, remote) = match (end, cancelled_by) {
            // The event could not be had, or the plugin broke down: the remote side has no part in it. Against a plugin that
            // breaks down again and again its restarts have waits of their own.
            (End::Lost(outcome) | End::Delivered(Delivered::Interrupted(outcome)), _) => (outcome, false),
            (End::Delivered(Delivered::Outcome(outcome)), _) => (outcome, true),
            (End::Delivered(Delivered::Cancelled), Some(by)) => {
                let outcome = let_go(&by);
                self.metrics.attempted(&destination.name, outcome.kind, seconds);
                let attempt = AttemptRecord { started_at, finished_at, outcome };
                return self.finish_cancelled(ticket, &by, Some(attempt), finished_at);
            }
            (_, Some(by)) => return self.finish_cancelled(ticket, &by, None, finished_at),
            (end, None) => return self.offer_again(ticket, end, now),
        };
        self.metrics.attempted(&destination.name, outcome.kind, seconds);
        let step = delivery::step(ticket.id, ticket.attempts, &outcome, &destination.retry, now);

        // Nobody wants it any more: it does not go on, and so it holds nothing up.
        let next_due = step.due.filter(|_| !cancelled);
        let superseded = if next_due.is_some() { self.lanes.hold_up(&ticket.lane) } else { Vec::new() };
        let state = if step.due.is_some() && cancelled {
            DeliveryState::Cancelled
        } else if superseded.contains(&ticket.id) {
            DeliveryState::Superseded
        } else {
            step.state
        };
        // Before what follows from it: a cause is told before its effect.
        self.log.attempted(&ticket, state, &step, &outcome, now);
        if remote {
            self.steer_destination(&ticket, &step, &outcome, now);
        }
        let next = next_due.map_or(Next::Finished, |due| Next::Again {
            // In a pause it is the destination that waits: whatever ends the pause may go on with this one at once.
            due: if step.destination == DestinationStep::Carry { due } else { now },
            attempts: step.attempts,
            asked: step.asked,
        });
        for id in superseded.into_iter().filter(|id| *id != ticket.id) {
            self.add_superseded(&ticket.lane.destination, id, finished_at);
        }
        let change = DeliveryChange {
            id: ticket.id,
            state,
            attempts: Some(step.attempts),
            due: next_due.filter(|_| !state.is_final()).map(|due| self.by_the_wall(due)),
            at: finished_at,
            attempt: Some(AttemptRecord { started_at, finished_at, outcome }),
        };
        self.record_end(ticket, change, next);
    }

    /// Nobody tried: neither the delivery nor its destination is to blame.
    fn offer_again(&mut self, ticket: Ticket, end: End, now: Timestamp) {
        if let End::Unread(error) = end {
            self.store_log.tell(|left_out| {
                tracing::error!(delivery = %ticket.id, event = %ticket.event, error = %Chain(&error), left_out, "event could not be read, will be tried again");
            });
        }
        let due = now.plus(OFFER_AGAIN);
        let next = Next::Again { due, attempts: ticket.attempts, asked: false };
        self.settle(ticket.lane, ticket.id, next);
    }

    /// A delivery that nobody wants any more has come back; with `attempt` if the plugin had it.
    fn finish_cancelled(&mut self, ticket: Ticket, by: &str, attempt: Option<AttemptRecord>, at: Timestamp) {
        let attempts = ticket.attempts.saturating_add(u32::from(attempt.is_some()));
        tracing::info!(delivery = %ticket.id, destination = %ticket.lane.destination, by, attempt = attempts, "delivery cancelled");
        let change = DeliveryChange {
            id: ticket.id,
            state: DeliveryState::Cancelled,
            attempts: Some(attempts),
            due: None,
            at,
            attempt,
        };
        self.record_end(ticket, change, Next::Finished);
    }

    /// Records how an attempt ended. Its place at the destination is free from here on, and its lane goes on when that
    /// is on disk.
    fn record_end(&mut self, ticket: Ticket, change: DeliveryChange, next: Next) {
        let Ticket { id, lane, .. } = ticket;
        let bytes = change.attempt.as_ref().map_or(0, |attempt| attempt.outcome.bytes());
        self.lanes.ended(&lane, id, bytes);
        self.add_record(&lane.destination, change);
        self.records.then(Follow::Settle { lane, id, next });
    }

    /// Draws from the outcome what it says of the whole destination.
    fn steer_destination(&mut self, ticket: &Ticket, step: &Step, outcome: &Outcome, now: Timestamp) {
        let name = &ticket.lane.destination;
        let wall = self.clock.now();
        let Some(load) = self.lanes.load(name) else { return };
        if let DestinationStep::PauseUntil(until) = step.destination {
            let paused = match outcome.kind {
                OutcomeKind::Misconfigured => self.lanes.pause_until_mended(name, until),
                _ => self.lanes.pause(name, until),
            };
            if paused {
                self.troubles.begin(name, wall, &outcome.message);
                let Outcome { code, message: reason, kind, .. } = outcome;
                let (delivery, pause_s) = (ticket.id, now.until(until).as_secs());
                tracing::warn!(%delivery, destination = %name, outcome = %kind, code, reason, pause_s, "destination paused");
            }
            return;
        }
        // What ends in a pause was on its way before, and the reason of a pause stays until the pause is over.
        if load.gate == GateState::Paused && load.paused_until.is_some() {
            return;
        }
        match outcome.kind {
            OutcomeKind::Delivered | OutcomeKind::Permanent => {
                let recovered = self.lanes.reached(name, now);
                self.troubles.end(name, wall, recovered);
            }
            OutcomeKind::Retry => {
                self.troubles.begin(name, wall, &outcome.message);
                let probe = self.lanes.failed(&ticket.lane, ticket.id, now);
                if let Some(probe) = probe.filter(|_| load.gate != GateState::Breaker) {
                    let (reason, probe_s) = (&outcome.message, now.until(probe).as_secs());
                    self.metrics.breaker_opened(name);
                    tracing::warn!(destination = %name, reason, probe_s, "destination keeps failing, from now on one delivery at a time tries it");
                }
            }
            // The plugin left it out, so whether the remote side is well is not known; the others ask for a pause.
            OutcomeKind::Skipped | OutcomeKind::RateLimited | OutcomeKind::Misconfigured => {}
        }
    }
}

/// The outcome of an attempt that somebody cancelled while the plugin had it.
fn let_go(by: &str) -> Outcome {
    Outcome::retry("cancelled", format!("cancelled by {by} while the plugin had it: it may have arrived"))
}
