//! How much a plugin may log: a flood must not fill the operator's disk, nor drown everyone else's lines.

use std::time::Duration;

use tokio::time::Instant;

/// Records that may come at once.
const BURST: u32 = 500;
/// How often one more record is allowed after that: 50 a second.
const REFILL: Duration = Duration::from_millis(20);

/// A bucket of records that refills steadily, and a count of those that found it empty.
#[derive(Debug)]
pub(crate) struct Budget {
    left: u32,
    refilled: Instant,
    lost: u64,
}

impl Budget {
    pub(crate) fn new(now: Instant) -> Self {
        Self { left: BURST, refilled: now, lost: 0 }
    }

    /// Whether one more record may be written now, given that there is `room` for it; counts it as lost if not.
    pub(crate) fn take(&mut self, now: Instant, room: bool) -> bool {
        let earned = now.saturating_duration_since(self.refilled).as_nanos() / REFILL.as_nanos();
        let earned = u32::try_from(earned).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(earned).min(BURST);
        self.refilled = if self.left == BURST { now } else { self.refilled + REFILL * earned };
        if self.left == 0 || !room {
            self.add_lost(1);
            return false;
        }
        self.left -= 1;
        true
    }

    /// Counts records that were lost elsewhere; they are told with the next record that may be written.
    pub(crate) fn add_lost(&mut self, records: u64) {
        self.lost = self.lost.saturating_add(records);
    }

    /// The records lost since this was last asked; `None` for none.
    pub(crate) fn lost(&mut self) -> Option<u64> {
        Some(std::mem::take(&mut self.lost)).filter(|lost| *lost > 0)
    }
}

#[cfg(test)]
mod tests;
