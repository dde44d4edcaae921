//! What all bodies in memory may take together. Without it, whoever has one token could fill the memory over many
//! connections, each within its own limit.
//!
//! Nothing here waits: bodies that hold a part and wait for the rest of each other's could wait for ever.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The bytes that are left. A clone is a handle to the same budget.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<AtomicUsize>);

impl Budget {
    /// A budget of `bytes_max` bytes.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes_max)))
    }

    /// A share for one body, empty at first.
    pub(crate) fn share(&self) -> Share {
        Share { budget: self.clone(), bytes: 0 }
    }
}

/// What one body has taken. Dropping it gives all of it back.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    bytes: usize,
}

/// The budget has not that much left; nothing was taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

impl Share {
    /// Takes `bytes` more.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Exhausted> {
        // Relaxed: the number guards no other memory.
        self.budget
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes))
            .map_err(|_| Exhausted)?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
