//! Tells the gateway which rules the plugin has broken.

use std::sync::{Arc, Mutex, PoisonError};

use super::outbox::Outbox;
use crate::{faults::Faults, native::Host, wire::ToGateway};

/// Tells it with the pings and at the end, and not each time: a plugin can break a rule as often as it likes.
#[derive(Clone)]
pub(super) struct FaultReport {
    host: Host,
    outbox: Outbox,
    told: Arc<Mutex<Faults>>,
}

impl FaultReport {
    pub(super) fn new(host: Host, outbox: Outbox) -> Self {
        Self { host, outbox, told: Arc::default() }
    }

    /// Tells what has come since the last time, with so many `threads` that are left.
    pub(super) fn tell(&self, threads: u64) {
        let now = Faults { threads, ..self.host.faults() };
        // With the lock held, so that what is told last is the latest.
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != now {
            *told = now;
            self.outbox.send(&ToGateway::Faults(now));
        }
    }
}
