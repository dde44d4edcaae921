//! Deliveries leave: one task for each attempt.

use std::{collections::HashMap, sync::Arc};

use postroom_core::{id::DeliveryId, lane::Ticket, time::Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Dispatcher, input::Done};
use crate::attempt::{self, End, Warm};

/// Attempts under way.
pub(super) type Flights = HashMap<DeliveryId, Flight>;

/// An attempt under way.
#[derive(Debug, Default)]
pub(super) struct Flight {
    /// Tells its plugin that nobody wants it any more.
    cancel: CancellationToken,
    cancelled_by: Option<String>,
}

impl Flight {
    /// Asks the plugin to let go, because of somebody of that name. The first one to ask has done it.
    pub(super) fn cancel(&mut self, by: String) {
        self.cancelled_by.get_or_insert(by);
        self.cancel.cancel();
    }

    /// Who has asked the plugin to let go.
    pub(super) fn cancelled_by(self) -> Option<String> {
        self.cancelled_by
    }
}

/// An attempt that has ended.
#[derive(Debug)]
pub(super) struct Attempted {
    pub(super) ticket: Ticket,
    pub(super) started_at: Timestamp,
    pub(super) finished_at: Timestamp,
    /// How long it took, by a clock that never jumps.
    pub(super) seconds: f64,
    pub(super) end: End,
}

impl Dispatcher {
    pub(super) fn start_ready(&mut self) {
        // A destination that a person has paused must not start for the moment it takes to read that.
        if self.stopping || !self.pauses.are_known() {
            return;
        }
        let now = self.steady.now();
        let mut cold = Vec::new();
        while let Some(ticket) = self.lanes.start(now) {
            self.flights.insert(ticket.id, Flight::default());
            match self.warm.take(&ticket.lane.destination, ticket.id) {
                Some(warm) => self.attempt(ticket, Some(warm)),
                None => cold.push(ticket),
            }
        }
        self.load(cold);
    }

    /// Begins the attempt of a delivery that has started. Without `warm` it reads its event itself.
    pub(super) fn attempt(&mut self, ticket: Ticket, warm: Option<Warm>) {
        // Lanes are opened for exactly these destinations, and what starts has a flight.
        let Some(destination) = self.destinations.get(&ticket.lane.destination).map(Arc::clone) else {
            return;
        };
        let Some(cancel) = self.flights.get(&ticket.id).map(|flight| flight.cancel.clone()) else { return };
        let (store, clock) = (Arc::clone(&self.store), self.clock.clone());
        self.tasks.spawn(async move {
            let (begun, started_at) = (Instant::now(), clock.now());
            let end = attempt::run(store, &clock, &destination, &ticket, warm, cancel).await;
            let seconds = begun.elapsed().as_secs_f64();
            Done::Attempted(Attempted { ticket, started_at, finished_at: clock.now(), seconds, end })
        });
    }
}
