//! What is read from the store at the start. Deliveries are not: they come as there is room for them.

use std::sync::Arc;

use postroom_core::{chain::Chain, id::DestinationName};
use postroom_store::{Pause, WaitingCount};

use super::{Dispatcher, input::Done};
use crate::backoff::Backoff;

impl Dispatcher {
    pub(super) fn begin(&mut self) {
        // What was committed before now is read from the store; what comes later comes by the feed.
        let newest = self.feed.newest();
        self.feed.saw(newest);
        if let Some(newest) = newest {
            self.lanes.missed(newest);
        }
        let store = Arc::clone(&self.store);
        self.tasks.spawn(async move {
            let mut backoff = Backoff::for_store();
            loop {
                match store.pauses().await {
                    Ok(pauses) => return Done::PausesRead(pauses),
                    Err(error) => {
                        let wait = backoff.next();
                        tracing::error!(error = %Chain(&error), "pauses could not be read, nothing is delivered before they are");
                        tokio::time::sleep(wait).await;
                    }
                }
            }
        });
        let store = Arc::clone(&self.store);
        self.tasks.spawn(async move {
            let counts = store.waiting_counts().await.unwrap_or_else(|error| {
                tracing::warn!(error = %Chain(&error), "waiting deliveries could not be counted");
                Vec::new()
            });
            Done::Waiting(counts)
        });
    }

    pub(super) fn pauses_read(&mut self, pauses: Vec<(DestinationName, Pause)>) {
        for (destination, pause) in &pauses {
            self.lanes.hold(destination, true);
            tracing::info!(%destination, by = pause.by, "destination is paused since an earlier run");
        }
        self.pauses.know(pauses);
        self.keep_next_pause();
    }

    pub(super) fn tell_waiting(&self, counts: &[WaitingCount]) {
        for WaitingCount { destination, waiting } in counts {
            if self.destinations.contains_key(destination) {
                tracing::info!(%destination, waiting, "deliveries of an earlier run wait");
            } else {
                tracing::warn!(
                    %destination,
                    waiting,
                    "deliveries wait for a destination that is not configured, they stay until it is"
                );
            }
        }
    }
}
