//! When a plugin that failed is started again.

use std::time::Duration;

/// The waits between starts: doubling from `first` up to `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait.
    pub max: Duration,
    /// A plugin that ran for this long, and ended a delivery, before it failed begins with `first` again.
    pub healthy_after: Duration,
    /// The wait before a config that was refused is tried again. The reason may lie outside the config, such as a
    /// folder that was missing.
    pub refused: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            max: Duration::from_secs(5 * 60),
            healthy_after: Duration::from_secs(60),
            refused: postroom_core::limits::PROBE_INTERVAL,
        }
    }
}

impl Backoff {
    /// The wait after this many failures in a row.
    pub(super) fn wait(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.first.saturating_mul(1 << doublings).min(self.max)
    }
}

#[cfg(test)]
mod tests;
