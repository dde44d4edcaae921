//! Where a replay stands.

use std::{fmt, str::FromStr};

use crate::event::UnknownName;

/// The life of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplayState {
    /// It still makes deliveries; a restart goes on where it stopped.
    Running,
    /// It has made a delivery for all that matched. They may still wait for their turn.
    Done,
    /// Stopped by a person. What it made stays.
    Cancelled,
}

impl ReplayState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Running, Self::Done, Self::Cancelled];

    /// The name used in API and store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for ReplayState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ReplayState {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownName { what: "replay state" })
    }
}

#[cfg(test)]
mod tests;
