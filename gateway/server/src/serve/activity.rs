//! Whether a connection is used. Counting is all that a request pays for it: no timer is touched.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The requests of one connection.
#[derive(Default)]
pub(super) struct Activity {
    counts: Arc<Counts>,
    /// How many had begun at the last look.
    begun_before: AtomicUsize,
}

#[derive(Default)]
struct Counts {
    open: AtomicUsize,
    begun: AtomicUsize,
}

impl Activity {
    /// Counts a request as open until what it gives is dropped.
    pub(super) fn begin(&self) -> Open {
        self.counts.open.fetch_add(1, Ordering::Relaxed);
        self.counts.begun.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(&self.counts))
    }

    /// Whether no request is open and none has begun since the last look.
    pub(super) fn was_none(&self) -> bool {
        let begun = self.counts.begun.load(Ordering::Relaxed);
        let begun_before = self.begun_before.swap(begun, Ordering::Relaxed);
        begun == begun_before && self.counts.open.load(Ordering::Relaxed) == 0
    }
}

/// An open request.
pub(super) struct Open(Arc<Counts>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
