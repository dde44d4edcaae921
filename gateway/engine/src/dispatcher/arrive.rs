//! Deliveries come in: from the feed, from the store, from a refill.

use std::sync::Arc;

use postroom_core::{
    chain::Chain,
    id::DeliveryId,
    lane::{Added, LaneKey, Ticket},
    time::Timestamp,
};

use super::{Dispatcher, Input, READ_AGAIN};
use crate::attempt::Warm;

/// Waiting deliveries read from the store at a time.
const READ_MAX: usize = 4096;

impl Dispatcher {
    /// Takes in everything that waits in the store and was not seen yet, at the start and after a gap in the feed; gives
    /// how many deliveries that were.
    pub(super) async fn read_waiting(&mut self) -> usize {
        let newest = self.feed.newest();
        let mut read = 0;
        loop {
            let tickets = match self.store.waiting(self.feed.seen(), READ_MAX).await {
                Ok(tickets) => tickets,
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "waiting deliveries could not be read, trying again");
                    tokio::select! {
                        () = tokio::time::sleep(READ_AGAIN) => continue,
                        () = self.stop.cancelled() => return read,
                    }
                }
            };
            let complete = tickets.len() < READ_MAX;
            read += tickets.len();
            for ticket in tickets {
                self.feed.saw(Some(ticket.id));
                self.take_in(ticket, None);
            }
            if complete {
                break;
            }
        }
        // What is not waiting any more was final before we came.
        self.feed.saw(newest);
        read
    }

    pub(super) fn take_in(&mut self, mut ticket: Ticket, warm: Option<Warm>) {
        ticket.due = self.due_by_lanes(&ticket);
        let (id, lane) = (ticket.id, ticket.lane.clone());
        let added = self.lanes.add(ticket);
        if let (Added::Queued | Added::Supersedes(_), Some(warm)) = (&added, warm) {
            self.warm.keep(id, warm);
        }
        self.added(added, &lane);
    }

    /// When a ticket of the store may go, by the clock that lanes wait by. What was stored under a wrong clock waits no
    /// longer than it ever can.
    pub(super) fn due_by_lanes(&self, ticket: &Ticket) -> Timestamp {
        let wait = self.clock.now().until(ticket.due);
        let wait_max = self.destinations.get(&ticket.lane.destination).map(|it| it.retry.delay_max());
        self.steady.now().plus(wait.min(wait_max.unwrap_or_default()))
    }

    pub(super) fn added(&mut self, added: Added, lane: &LaneKey) {
        match added {
            Added::Queued | Added::Spilled => {}
            Added::NoDestination => {
                if self.unknown.insert(lane.destination.clone()) {
                    tracing::warn!(
                        destination = %lane.destination,
                        "deliveries wait for a destination that is not configured, they stay until it is"
                    );
                }
            }
            Added::Supersedes(ids) => self.record_superseded(ids, lane.clone()),
        }
    }

    fn record_superseded(&mut self, ids: Vec<DeliveryId>, lane: LaneKey) {
        let at = self.clock.now();
        let changes = ids.into_iter().map(|id| self.superseded(id, at)).collect();
        self.recording += 1;
        self.record(changes, lane.destination.clone(), Input::Superseded { lane });
    }

    pub(super) fn ask_for_refills(&mut self) {
        for refill in self.lanes.refills() {
            let store = Arc::clone(&self.store);
            self.tasks.spawn(async move {
                let tickets = loop {
                    match store.waiting_in_lane(refill.lane.clone(), refill.after, refill.limit).await {
                        Ok(tickets) => break tickets,
                        Err(error) => {
                            tracing::error!(lane = %refill.lane.key, error = %Chain(&error), "waiting deliveries could not be read, trying again");
                            tokio::time::sleep(READ_AGAIN).await;
                        }
                    }
                };
                Input::Refilled { refill, tickets }
            });
        }
    }
}
