//! The one place where the gateway's core work meets the wall clock.

use std::{fmt, sync::Arc, time::UNIX_EPOCH};

use postroom_core::time::Timestamp;
use tokio::time::Instant;

/// Tells the time. A value, so that tests can bring their own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's clock. A time before 1970 counts as 1970.
    #[must_use]
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the edge where time enters")]
        Self::new(|| {
            let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp::EPOCH.plus(since)
        })
    }

    /// A clock of the caller's own.
    #[must_use]
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

/// A clock that never jumps: the wall clock at its start, and what has passed since.
///
/// Lanes wait by it. By the wall clock, a machine that starts in the wrong year and is set right would hold every retry
/// for as long as it was wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steady {
    wall: Timestamp,
    start: Instant,
}

impl Steady {
    pub(crate) fn start(clock: &Clock) -> Self {
        Self { wall: clock.now(), start: Instant::now() }
    }

    pub(crate) fn now(self) -> Timestamp {
        self.wall.plus(self.start.elapsed())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
