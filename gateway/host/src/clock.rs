//! The one place of this crate that reads the clocks: for the time stamps of a status, and for plugins that ask.

use std::time::Duration;

use postroom_core::time::Timestamp;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// The wall clock.
pub(crate) fn now() -> Timestamp {
    let since_epoch = duration(clock_gettime(ClockId::Realtime));
    Timestamp::EPOCH.plus(since_epoch)
}

/// The wall clock as the ABI has it: milliseconds since 1970.
pub(crate) fn now_unix_ms() -> u64 {
    unix_ms(now())
}

/// A clock that never goes back, in nanoseconds since some moment.
pub(crate) fn monotonic_ns() -> u64 {
    u64::try_from(duration(clock_gettime(ClockId::Monotonic)).as_nanos()).unwrap_or(u64::MAX)
}

/// A moment as the ABI has it; moments before 1970 count as 1970.
pub(crate) fn unix_ms(time: Timestamp) -> u64 {
    u64::try_from(time.as_unix_ms()).unwrap_or(0)
}

fn duration(time: Timespec) -> Duration {
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
