//! Moments and whole seconds.

use std::time::Duration;

use crate::time::Timestamp;

/// Whole seconds from one moment to another; 0 when that has passed already.
pub(super) fn seconds(from: Timestamp, to: Timestamp) -> u32 {
    u32::try_from(from.until(to).as_secs()).unwrap_or(u32::MAX)
}

pub(super) fn seconds_of(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

pub(super) fn plus(at: Timestamp, seconds: u32) -> Timestamp {
    at.plus(seconds_of(seconds))
}

pub(super) fn minus(at: Timestamp, seconds: u32) -> Timestamp {
    Timestamp::from_unix_ms(at.as_unix_ms().saturating_sub(i64::from(seconds) * 1000))
}

/// The day of the week by UTC, 0 for Sunday.
pub(super) fn weekday(at: Timestamp) -> i64 {
    // The epoch was a Thursday.
    (at.as_unix_ms().div_euclid(1000 * 24 * 60 * 60) + 4).rem_euclid(7)
}
