//! Counts the calls of a plugin that its contract forbids and that the host only refuses.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::faults::Faults;

/// How long `deliver` may take in a plugin that does not block.
const DELIVER_BUDGET: Duration = Duration::from_millis(50);

/// The counts of one instance. From any thread, and after `destroy` too.
#[derive(Debug, Default)]
pub(in crate::native) struct FaultCounter {
    stale: AtomicU64,
    late: AtomicU64,
    slow: AtomicU64,
}

impl FaultCounter {
    /// It ended a delivery that it does not hold.
    pub(in crate::native) fn stale(&self) {
        self.stale.fetch_add(1, Ordering::Relaxed);
    }

    /// It called after `destroy`.
    pub(super) fn late(&self) {
        self.late.fetch_add(1, Ordering::Relaxed);
    }

    /// `deliver` came back.
    pub(in crate::native) fn delivered(&self, took: Duration) {
        if took > DELIVER_BUDGET {
            self.slow.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn counts(&self) -> Faults {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Faults { stale: count(&self.stale), late: count(&self.late), slow: count(&self.slow), threads: 0 }
    }
}
