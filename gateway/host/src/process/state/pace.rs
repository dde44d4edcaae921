//! How fast a plugin writes its state: the store's log is the one that everything that comes in waits for.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::plugin_state::StateOperation;

const BYTES_PER_SECOND: u64 = 4 * 1024 * 1024;
/// What is written at once after a quiet time. All that may wait at once is written well within the time that it is given.
const BURST_BYTES: u64 = 8 * 1024 * 1024;
/// What a write costs beside its key and value: a row, and its part of a commit.
const WRITE_BYTES: u64 = 512;

/// Spreads the writes of one process.
#[derive(Debug)]
pub(super) struct Pace {
    /// When all that was taken would be written at the steady rate.
    caught_up: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { caught_up: Mutex::new(Instant::now()) }
    }

    /// Takes the room of an operation that costs this; gives when it may begin, if that is not now.
    pub(super) fn take(&self, cost: Duration) -> Option<Instant> {
        if cost.is_zero() {
            return None;
        }
        let now = Instant::now();
        let mut caught_up = self.caught_up.lock().unwrap_or_else(PoisonError::into_inner);
        *caught_up = now.max(*caught_up) + cost;
        caught_up.checked_sub(time_for(BURST_BYTES)).filter(|begin| *begin > now)
    }

    /// Gives the room of an operation back that wrote nothing.
    pub(super) fn give_back(&self, cost: Duration) {
        let mut caught_up = self.caught_up.lock().unwrap_or_else(PoisonError::into_inner);
        *caught_up = caught_up.checked_sub(cost).unwrap_or(*caught_up);
    }
}

/// How long writing it takes at the steady rate.
pub(super) fn cost(operation: &StateOperation) -> Duration {
    match operation {
        StateOperation::Get { .. } | StateOperation::List { .. } => Duration::ZERO,
        StateOperation::Put { .. } | StateOperation::Delete { .. } => {
            time_for(operation.bytes() as u64 + WRITE_BYTES)
        }
    }
}

fn time_for(bytes: u64) -> Duration {
    Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / BYTES_PER_SECOND)
}
