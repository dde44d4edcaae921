//! Says once of something that happens again and again.

use std::time::Duration;

use postroom_core::time::Timestamp;

/// It is over when it did not happen for so long.
const QUIET: Duration = Duration::from_secs(60);

/// When it happened last.
#[derive(Debug, Default)]
pub(super) struct Told {
    last: Option<Timestamp>,
}

impl Told {
    /// Takes that it happened, and says whether that is to be told: it was quiet for long enough before.
    pub(super) fn is_news(&mut self, now: Timestamp) -> bool {
        self.last.replace(now).is_none_or(|last| now >= last.plus(QUIET))
    }
}
