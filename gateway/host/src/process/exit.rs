//! How a plugin process ended.

use std::{fmt, os::unix::process::ExitStatusExt, process::ExitStatus};

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Exit {
    /// By itself.
    Code(i32),
    /// By a signal, and the gateway did not send it.
    Signal(i32),
    /// The gateway ended it, for this reason.
    Killed(String),
    /// The gateway ended it because it did not let go of a delivery that was cancelled. What it was waiting for may have
    /// been the remote side.
    HeldOn(String),
}

impl Exit {
    pub(super) fn of(status: ExitStatus) -> Self {
        // One of the two is there for every process that has ended.
        status.code().map_or_else(|| Self::Signal(status.signal().unwrap_or_default()), Self::Code)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Killed(reason) | Self::HeldOn(reason) => write!(f, "ended by the gateway: {reason}"),
        }
    }
}
