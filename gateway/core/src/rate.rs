//! A limit on requests in a time, as a value: time goes in, a permit or a wait comes out.

use std::time::Duration;

use crate::time::Timestamp;

/// Lets through so many requests a second or a minute, and as many at once when it was quiet for as long.
///
/// Kept as one number, the moment at which the next request would be exactly on time (the generic cell rate
/// algorithm), so it costs a few bytes however many requests there are.
#[derive(Debug, Clone)]
pub struct RateLimit {
    window_us: i64,
    interval_us: i64,
    next_us: i64,
}

const SECOND_US: i64 = 1_000_000;

impl RateLimit {
    /// Takes the number of requests a second, at least one.
    #[must_use]
    pub fn per_second(requests: u32) -> Self {
        Self::of(requests, SECOND_US)
    }

    /// Takes the number of requests a minute, at least one.
    #[must_use]
    pub fn per_minute(requests: u32) -> Self {
        Self::of(requests, 60 * SECOND_US)
    }

    fn of(requests: u32, window_us: i64) -> Self {
        Self { window_us, interval_us: (window_us / i64::from(requests.max(1))).max(1), next_us: i64::MIN }
    }

    /// Takes one permit at `now`.
    ///
    /// # Errors
    /// How long to wait when there is none.
    pub fn take(&mut self, now: Timestamp) -> Result<(), Duration> {
        let now_us = now.as_unix_ms().saturating_mul(1000);
        // A clock that jumped back must not lock a source out for longer than the burst it allows.
        let due_us = self.next_us.clamp(now_us, now_us.saturating_add(self.window_us));
        let ahead_us = due_us - now_us;
        let burst_us = self.window_us - self.interval_us;
        if ahead_us > burst_us {
            return Err(Duration::from_micros((ahead_us - burst_us).unsigned_abs()));
        }
        self.next_us = due_us.saturating_add(self.interval_us);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
