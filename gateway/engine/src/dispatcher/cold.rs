//! Deliveries that start while their events are not at hand: a backlog, retries.
//!
//! To read one event costs more than all the rest of its delivery. So what starts in a turn is read together, and with
//! it what is next in line: that is at hand when its turn comes.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use postroom_core::{
    chain::Chain,
    id::{DeliveryId, EventId},
    lane::Ticket,
    limits::{INLINE_BODY_BYTES_MAX, READ_AHEAD_MAX},
};
use postroom_store::{LoadedEvent, Store, StoreError};
use tokio_util::sync::CancellationToken;

use super::{
    Dispatcher,
    input::Done,
    log::{Thinned, in_seconds},
};
use crate::{attempt::Warm, backoff::Backoff};

/// Deliveries whose events were read together.
#[derive(Debug)]
pub(super) struct Loaded {
    started: Vec<Ticket>,
    /// Those that were next in line.
    ahead: Vec<Ticket>,
    /// What could be read.
    found: Vec<LoadedEvent>,
}

impl Dispatcher {
    /// Reads the events of deliveries that have started; the attempts begin when they are there.
    pub(super) fn load(&mut self, started: Vec<Ticket>) {
        if started.is_empty() {
            return;
        }
        // One at a time, or slow reads would fill the memory with what is not wanted yet.
        let ahead = if self.reading_ahead { Vec::new() } else { self.next_up(&started) };
        self.reading_ahead |= !ahead.is_empty();
        let events = started.iter().chain(&ahead).map(|ticket| ticket.event).collect();
        let bytes_max = (started.len() + ahead.len()) * INLINE_BODY_BYTES_MAX;
        let (store, log, stop) = (Arc::clone(&self.store), self.store_log.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            let found = read_together(&*store, events, bytes_max, &log, &stop).await;
            Done::Loaded(Loaded { started, ahead, found })
        });
    }

    /// What goes next at the destinations of these, has room at hand and is not there yet.
    fn next_up(&self, started: &[Ticket]) -> Vec<Ticket> {
        let mut ahead = BTreeMap::<DeliveryId, Ticket>::new();
        let mut left = READ_AHEAD_MAX;
        for Ticket { lane, .. } in started {
            if left == 0 {
                break;
            }
            if self.warm.has_room(&lane.destination) {
                let next = self.lanes.next_up(lane, left);
                // What is at hand already counts too: a turn must not look at the same ones again and again.
                left -= next.len();
                let cold = next.into_iter().filter(|ticket| !self.warm.has(&lane.destination, ticket.id));
                ahead.extend(cold.map(|ticket| (ticket.id, ticket)));
            }
        }
        ahead.into_values().collect()
    }

    /// Begins the attempts whose events were read. One that was left out reads its own, and so learns why.
    pub(super) fn loaded(&mut self, loaded: Loaded) {
        let Loaded { started, ahead, found } = loaded;
        let found: HashMap<EventId, Warm> =
            found.into_iter().map(|LoadedEvent { event, body }| (event.id, (event, body))).collect();
        self.reading_ahead &= ahead.is_empty();
        for ticket in started {
            let warm = found.get(&ticket.event).cloned();
            self.attempt(ticket, warm);
        }
        let now = self.steady.now();
        for Ticket { id, event, lane, .. } in ahead {
            if let Some(warm) = found.get(&event)
                && self.lanes.is_waiting(&lane, id)
            {
                self.warm.keep(&lane.destination, id, warm.clone(), now);
            }
        }
    }
}

/// Reads events, however long that takes: what waits for them keeps its places, so that no more starts meanwhile. Gives
/// none when one of them is damaged, or on `stop`: each is read alone then and learns why, once.
async fn read_together(
    store: &dyn Store,
    events: Vec<EventId>,
    bytes_max: usize,
    log: &Thinned,
    stop: &CancellationToken,
) -> Vec<LoadedEvent> {
    let mut backoff = Backoff::for_store();
    loop {
        match store.load(events.clone(), bytes_max).await {
            Ok(found) => return found,
            Err(StoreError::Corrupt { .. }) => return Vec::new(),
            Err(error) => {
                let wait = backoff.next();
                log.tell(|left_out| {
                    let (events, wait_s) = (events.len(), in_seconds(wait));
                    tracing::error!(error = %Chain(&error), events, wait_s, left_out, "events could not be read, trying again");
                });
                if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                    return Vec::new();
                }
            }
        }
    }
}
