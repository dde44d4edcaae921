//! What goes wrong at a destination, from the first failure until something gets through.

use std::{collections::HashMap, time::Duration};

use postroom_core::{id::DestinationName, time::Timestamp};

use crate::handle::Trouble;

/// A trouble that was over sooner than this is not worth a line in the log: retries of one event beside others that get
/// through come and go.
const WORTH_TELLING: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(super) struct Troubles(HashMap<DestinationName, Trouble>);

impl Troubles {
    /// Notes a failure, in the words of its outcome.
    pub(super) fn begin(&mut self, name: &DestinationName, now: Timestamp, reason: &str) {
        let trouble =
            self.0.entry(name.clone()).or_insert_with(|| Trouble { since: now, reason: String::new() });
        reason.clone_into(&mut trouble.reason);
    }

    /// Notes that something got through. `tell` says that the end is worth a line however short the trouble was.
    pub(super) fn end(&mut self, name: &DestinationName, now: Timestamp, tell: bool) {
        let Some(Trouble { since, .. }) = self.0.remove(name) else { return };
        let lasted = since.until(now);
        if tell || lasted >= WORTH_TELLING {
            tracing::info!(destination = %name, after_s = lasted.as_secs(), "destination delivers again");
        }
    }

    pub(super) fn of(&self, name: &DestinationName) -> Option<&Trouble> {
        self.0.get(name)
    }
}
