//! How fast a replay goes: steps of so many deliveries, so far apart.

use std::time::Duration;

/// Most deliveries in one step. A step is one transaction, and new events wait for it.
const STEP_MAX: u32 = 256;
/// The shortest time between two steps, whatever rate was asked for.
const WAIT_MIN: Duration = Duration::from_millis(10);
/// Steps a second of a slow replay: enough that its deliveries come evenly.
const STEPS_PER_SECOND: u32 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// Most deliveries in a step.
    pub(super) step: u32,
    /// The time that a whole step is worth.
    interval: Duration,
}

impl Pace {
    /// The pace for so many deliveries a second, at least one.
    pub(super) fn of(per_second: u32) -> Self {
        let per_second = per_second.max(1);
        let step = (per_second / STEPS_PER_SECOND).clamp(1, STEP_MAX);
        Self { step, interval: Duration::from_secs(1) * step / per_second }
    }

    /// How long to wait after a step that has made so many. Where few old deliveries match, a step finds less than it
    /// may make, and the search for the others need not wait for it.
    pub(super) fn wait(&self, made: u64) -> Duration {
        let made = u32::try_from(made).unwrap_or(u32::MAX).min(self.step);
        (self.interval * made / self.step).max(WAIT_MIN)
    }
}

#[cfg(test)]
mod tests;
