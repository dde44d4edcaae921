//! What plugins keep: small values under keys, apart for each destination.

use bytes::Bytes;
use postroom_core::{id::DestinationName, time::Timestamp};

/// A value as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateEntry {
    /// Grows with every write to the destination's state and is never given again, also not after the key was removed.
    /// Never 0.
    pub version: u64,
    /// What was written.
    pub value: Bytes,
}

/// One write to the state of one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateWrite {
    /// Whose state.
    pub destination: DestinationName,
    /// What it is kept under; keys are listed in the order of their bytes.
    pub key: String,
    /// What must be there for the write to happen.
    pub expected: Expected,
    /// What to do.
    pub change: StateChange,
    /// What has expired by now is not there.
    pub at: Timestamp,
}

/// What must be there for a write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Anything or nothing.
    Any,
    /// Nothing.
    Absent,
    /// This version.
    Version(u64),
}

/// What a write does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateChange {
    /// Keeps a value in place of the one before.
    Put {
        /// The value.
        value: Bytes,
        /// From when on it is not there any more; never when absent.
        expires_at: Option<Timestamp>,
        /// What the destination may keep. A write beyond it is refused, unless it makes the state smaller.
        bounds: StateBounds,
    },
    /// Removes the key.
    Delete,
}

/// What one destination may keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateBounds {
    /// Keys.
    pub keys_max: u64,
    /// Bytes of all keys and values together.
    pub bytes_max: u64,
}

/// What came of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateAnswer {
    /// The value is kept under this version.
    Put {
        /// The new version.
        version: u64,
    },
    /// The key is gone.
    Deleted,
    /// There was no key to remove.
    NotFound,
    /// Something else is there than was expected, and nothing was changed.
    Conflict {
        /// The version that is there; 0 when the key is absent.
        version: u64,
    },
    /// The destination keeps as much as it may, and nothing was changed.
    Full,
}
