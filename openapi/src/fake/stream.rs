//! What readers of the fake are given.

use std::{collections::VecDeque, future, time::Duration};

use super::Fake;
use crate::{
    auth::Caller,
    port::{FollowError, Reader, Step, Streams},
    stream::Wanted,
};

/// What a reader is given, and what comes then.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    pub(crate) steps: VecDeque<Step>,
    /// Nothing comes then for ever; otherwise the gateway stops.
    pub(crate) goes_on: bool,
    pub(crate) refusal: Option<FollowError>,
}

impl Fake {
    /// Has readers given this.
    pub(crate) fn telling(self, script: Script) -> Self {
        *self.0.told.lock().unwrap() = script;
        self
    }

    /// Has a key let nobody in any more.
    pub(crate) fn revoke(&self, key: &str) {
        self.0.revoked.lock().unwrap().push(key.to_owned());
    }

    /// As many readers as may are there.
    pub(crate) fn full() -> Self {
        let refusal = FollowError::Full { retry_after: Duration::from_secs(5) };
        Self::default().telling(Script { refusal: Some(refusal), ..Script::default() })
    }
}

impl Streams for Fake {
    type Reader = FakeReader;

    async fn follow(
        &self,
        wanted: Wanted,
        after: Option<String>,
        _: &Caller,
    ) -> Result<FakeReader, FollowError> {
        self.remember(format!("{wanted:?} after {after:?}"));
        let script = self.0.told.lock().unwrap().clone();
        match script.refusal {
            Some(refusal) => Err(refusal),
            None => Ok(FakeReader { script, given: 0 }),
        }
    }
}

pub(crate) struct FakeReader {
    script: Script,
    given: usize,
}

impl Reader for FakeReader {
    async fn next(&mut self) -> Option<Step> {
        match self.script.steps.pop_front() {
            Some(step) => {
                self.given += 1;
                Some(step)
            }
            None if self.script.goes_on => future::pending().await,
            None => None,
        }
    }

    fn position(&self) -> Option<String> {
        Some(self.given.to_string())
    }
}
