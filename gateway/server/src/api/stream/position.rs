//! Where a reader is.

use std::{fmt, str::FromStr};

/// Behind this a reader goes on. It survives a restart as far as what it names does: the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// The life of the gateway that wrote it.
    pub(super) life: i64,
    /// The last entry of that life's journal that the reader has taken.
    pub(super) entry: u64,
    /// The last event in the order of acceptance that the reader has taken.
    pub(super) event: i64,
}

/// It is none of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoPosition;

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { life, entry, event } = self;
        write!(f, "{life}.{entry}.{event}")
    }
}

impl FromStr for Position {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let mut parts = text.split('.');
        let mut part = || parts.next().ok_or(NoPosition);
        let position = Self {
            life: part()?.parse().map_err(|_| NoPosition)?,
            entry: part()?.parse().map_err(|_| NoPosition)?,
            event: part()?.parse().map_err(|_| NoPosition)?,
        };
        let is_whole = parts.next().is_none() && position.event >= 0;
        if is_whole { Ok(position) } else { Err(NoPosition) }
    }
}
