//! Deliveries come in: from the feed when they are committed, from the store as there is room for them.

use std::sync::Arc;

use postroom_core::{
    chain::Chain,
    lane::{Added, Read, Ticket},
    time::Timestamp,
};
use postroom_store::{FreshDelivery, Store, StoreError};

use super::{Dispatcher, input::Done, log::in_seconds};
use crate::{backoff::Backoff, feed::Arrival};

impl Dispatcher {
    pub(super) fn arrived(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Fresh(deliveries) => {
                for fresh in deliveries {
                    self.take_in_fresh(fresh);
                }
            }
            Arrival::Gap => {
                // Under load the feed overflows now and then: nothing to tell people about.
                tracing::debug!("the feed has a gap, what it left out is read from the store");
                let newest = self.feed.newest();
                self.feed.saw(newest);
                if let Some(newest) = newest {
                    self.lanes.missed(newest);
                }
            }
        }
    }

    fn take_in_fresh(&mut self, fresh: FreshDelivery) {
        let FreshDelivery { mut ticket, event, body } = fresh;
        let now = self.steady.now();
        ticket.due = self.due_by_lanes(&ticket, now);
        let (id, lane) = (ticket.id, ticket.lane.clone());
        let added = self.lanes.add(ticket, now);
        // One that stays in the store is read when its turn comes, and finds its event here.
        if added != Added::NoDestination {
            self.warm.keep(&lane.destination, id, (event, body), now);
        }
        if let Added::Supersedes(ids) = added {
            self.record_superseded(lane, ids);
        }
    }

    pub(super) fn read_more(&mut self) {
        if self.stopping {
            return;
        }
        for read in self.lanes.reads() {
            let (store, log) = (Arc::clone(&self.store), self.store_log.clone());
            self.tasks.spawn(async move {
                let mut backoff = Backoff::for_store();
                let tickets = loop {
                    match waiting(&*store, &read).await {
                        Ok(tickets) => break tickets,
                        Err(error) => {
                            let wait = backoff.next();
                            log.tell(|left_out| {
                                let wait_s = in_seconds(wait);
                                tracing::error!(error = %Chain(&error), wait_s, left_out, "waiting deliveries could not be read, trying again");
                            });
                            tokio::time::sleep(wait).await;
                        }
                    }
                };
                Done::Read { read, tickets }
            });
        }
    }

    pub(super) fn answered(&mut self, read: &Read, mut tickets: Vec<Ticket>) {
        let now = self.steady.now();
        for ticket in &mut tickets {
            ticket.due = self.due_by_lanes(ticket, now);
        }
        for (lane, superseded) in self.lanes.answer(read, tickets, now) {
            self.record_superseded(lane, superseded);
        }
    }

    /// When a ticket of the store may go, by the clock that lanes wait by. What was stored under a wrong clock waits no
    /// longer than it ever can.
    fn due_by_lanes(&self, ticket: &Ticket, now: Timestamp) -> Timestamp {
        if ticket.due == Timestamp::EPOCH {
            return now;
        }
        let wait = self.clock.now().until(ticket.due);
        let wait_max = self.destinations.get(&ticket.lane.destination).map(|it| it.retry.delay_max());
        now.plus(wait.min(wait_max.unwrap_or_default()))
    }
}

async fn waiting(store: &dyn Store, read: &Read) -> Result<Vec<Ticket>, StoreError> {
    match read {
        Read::Lane { lane, after, limit } => store.waiting_in_lane(lane.clone(), *after, *limit).await,
        Read::Destination { destination, after, limit } => {
            store.waiting(destination.clone(), *after, *limit).await
        }
    }
}
