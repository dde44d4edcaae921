//! When a failed delivery is tried again.

use std::time::Duration;

use crate::{id::DeliveryId, limits};

/// The waits between attempts. After the last one a delivery becomes a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    delays: Vec<Duration>,
}

const SECOND: u64 = 1;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

impl Default for RetryPolicy {
    /// Ten waits over about 28 hours: long enough for a weekend's night shift to mend a target.
    fn default() -> Self {
        let seconds = [
            5 * SECOND,
            30 * SECOND,
            2 * MINUTE,
            10 * MINUTE,
            30 * MINUTE,
            HOUR,
            2 * HOUR,
            4 * HOUR,
            8 * HOUR,
            12 * HOUR,
        ];
        Self { delays: seconds.map(Duration::from_secs).to_vec() }
    }
}

impl RetryPolicy {
    /// A policy with these waits, in order. None at all means: one attempt, then dead letter.
    #[must_use]
    pub const fn new(delays: Vec<Duration>) -> Self {
        Self { delays }
    }

    /// The longest wait that this policy or a target's `Retry-After` can ask for.
    #[must_use]
    pub fn delay_max(&self) -> Duration {
        let longest = self.delays.iter().max().copied().unwrap_or_default();
        (longest * 6 / 5).max(limits::RETRY_AFTER_MAX)
    }

    /// How long to wait after attempt number `attempt` (from 1) failed; `None` when that was the last.
    ///
    /// The wait is spread by ±20 % so that deliveries which failed together do not come back together. The spread
    /// follows from the delivery and the attempt alone, so a restart does not change it. A target's own
    /// `Retry-After` counts when it is longer, up to [`limits::RETRY_AFTER_MAX`].
    #[must_use]
    pub fn delay(&self, id: DeliveryId, attempt: u32, retry_after: Option<Duration>) -> Option<Duration> {
        let index = usize::try_from(attempt.max(1) - 1).ok()?;
        let delay = *self.delays.get(index)?;
        let permille = 800 + spread(id, attempt) % 401;
        let spread = Duration::from_millis(
            u64::try_from(delay.as_millis() * u128::from(permille) / 1000).unwrap_or(u64::MAX),
        );
        Some(spread.max(retry_after.unwrap_or_default().min(limits::RETRY_AFTER_MAX)))
    }
}

/// An even spread of (delivery, attempt) over all numbers: the finaliser of SplitMix64.
fn spread(id: DeliveryId, attempt: u32) -> u64 {
    let mut x = id.get().unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(u64::from(attempt));
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests;
