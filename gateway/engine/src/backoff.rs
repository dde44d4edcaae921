//! Waits between tries of something that must succeed in the end.

use std::time::Duration;

/// Waits that double from `first` up to `max`.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    /// For the store: it fails for a moment, or until somebody frees the disk.
    pub(crate) const fn for_store() -> Self {
        Self::new(Duration::from_millis(250), Duration::from_secs(10))
    }

    pub(crate) const fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, next: first }
    }

    /// Gives the next wait.
    pub(crate) fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.max);
        wait
    }

    /// Begins anew: the last try went well.
    pub(crate) const fn reset(&mut self) {
        self.next = self.first;
    }
}
