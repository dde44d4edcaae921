//! Why a check does not hold.

use std::io;

use tokio::task::JoinError;

use crate::process::StartError;

/// Why a check does not hold, in words for the author.
#[derive(Debug)]
pub(super) struct Broken(String);

impl Broken {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    pub(super) fn into_reason(self) -> String {
        self.0
    }
}

impl From<StartError> for Broken {
    fn from(error: StartError) -> Self {
        Self(error.with_cause())
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self(format!("the check itself failed: {error}"))
    }
}

impl From<JoinError> for Broken {
    fn from(error: JoinError) -> Self {
        Self(format!("the check itself failed: {error}"))
    }
}
