//! Checks for authors: whether a plugin keeps the contract when nobody is kind to it.
//!
//! Every check has a process of its own, confined like that of any destination, so a plugin that crashes or hangs fails
//! one check and not the rest. Nothing here knows what the plugin is for: an outcome is right whatever it is, as long as
//! there is exactly one.

mod asked;
mod broken;
mod check;
mod descriptors;
mod files;
mod hurried;
mod kept;
mod lasting;
mod payloads;
mod rig;
mod sample;
mod seen;
mod settings;

use std::time::Duration;

use tokio::time::{Instant, timeout};

pub use self::sample::Sample;
use self::{broken::Broken, check::Check, seen::Seen};
use crate::instance::InstanceConfig;

/// How long one check may take.
const CHECK_MAX: Duration = Duration::from_secs(60);

/// What is checked, and with what.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The plugin with settings that it works with.
    pub instance: InstanceConfig,
    /// Events as the gateway makes them of real webhooks, at least one of each kind that is to be checked.
    pub samples: Vec<Sample>,
}

/// What came of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which check; the words stay the same from version to version.
    pub check: &'static str,
    /// Whether the plugin passed.
    pub holds: bool,
    /// It passed, and what was seen is hardly what the author wants all the same.
    pub doubtful: bool,
    /// What was seen, or why it did not pass.
    pub reason: String,
    /// How long the check took.
    pub took: Duration,
}

impl Finding {
    /// Length of the longest name of a check.
    pub const CHECK_WIDTH: usize = Check::WIDTH;

    /// The only finding about a file that is no plugin.
    pub fn of_refused_file(reason: impl Into<String>) -> Self {
        Self::broken(Check::File, reason.into(), Duration::ZERO)
    }

    fn broken(check: Check, reason: String, took: Duration) -> Self {
        Self { check: check.name(), holds: false, doubtful: false, reason, took }
    }
}

/// Checks a plugin; tells each finding as soon as there is one.
///
/// Where the plugin does not start, the checks that need one that runs are not made, and do not hold.
pub async fn conformance(subject: &Subject, mut tell: impl FnMut(Finding)) {
    let mut starts = true;
    for check in Check::ALL {
        let began = Instant::now();
        let result = if check.needs_start() && !starts {
            Err(Broken::new("not checked, because the plugin does not start"))
        } else {
            let too_slow = |_| Err(Broken::new(format!("it took longer than {CHECK_MAX:?}")));
            timeout(CHECK_MAX, check.run(subject)).await.unwrap_or_else(too_slow)
        };
        if check == Check::Start {
            starts = result.is_ok();
        }
        let took = began.elapsed();
        tell(match result {
            Ok(Seen { reason, doubtful }) => {
                Finding { check: check.name(), holds: true, doubtful, reason, took }
            }
            Err(broken) => Finding::broken(check, broken.into_reason(), took),
        });
    }
}

#[cfg(test)]
mod tests;
