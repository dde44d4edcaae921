//! Places for connections, and a word in the log when all are taken: those who wait in the system's queue get no answer
//! that anyone could look at.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::CONNECTIONS_MAX;

/// After a line, so long nothing more is said of it: while it is crowded, each connection that ends makes place for one.
const SAID_AGAIN_AFTER: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Places {
    max: usize,
    free: Arc<Semaphore>,
    said_at: Option<Instant>,
}

impl Places {
    pub(super) fn new(max: usize) -> Self {
        Self { max, free: Arc::new(Semaphore::new(max)), said_at: None }
    }

    /// Takes a place, which is free again when it is dropped; waits for it if need be.
    pub(super) async fn take(&mut self) -> OwnedSemaphorePermit {
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            return place;
        }
        self.say_so(Instant::now());
        Arc::clone(&self.free).acquire_owned().await.expect("the semaphore is never closed")
    }

    fn say_so(&mut self, now: Instant) {
        if self.said_at.is_some_and(|at| now < at + SAID_AGAIN_AFTER) {
            return;
        }
        self.said_at = Some(now);
        let remedy = if self.max < CONNECTIONS_MAX {
            "raise the limit on open files: LimitNOFILE of the service, or ulimit -n"
        } else {
            "put a proxy in front that keeps fewer connections open"
        };
        tracing::warn!(
            connections_max = self.max,
            remedy,
            "as many connections are open as may be, new clients wait until one ends"
        );
    }
}

#[cfg(test)]
mod tests;
