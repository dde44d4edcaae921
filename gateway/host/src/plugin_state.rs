//! Durable state: what the gateway keeps for a plugin, and how it is asked for.

mod memory;

use std::{fmt::Debug, future::Future, pin::Pin, time::Duration};

use bytes::Bytes;
use postroom_abi::{POSTROOM_VER_ABSENT, POSTROOM_VER_ANY};

pub use self::memory::MemoryState;

/// Longest key, in bytes.
pub(crate) const KEY_BYTES_MAX: usize = 256;
/// Largest value, in bytes.
pub(crate) const VALUE_BYTES_MAX: usize = 256 * 1024;
/// Longest list of keys, in bytes, with a line feed behind each.
pub(crate) const LIST_BYTES_MAX: usize = 1024 * 1024;
/// Operations of one plugin that wait for their answer.
pub(crate) const WAITING_MAX: usize = 4096;
/// What those may take: their keys and values, in bytes.
pub(crate) const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Keeps the state of one destination's plugin. Nobody else's plugin gets to it.
pub trait PluginState: Debug + Send + Sync {
    /// Carries out one operation. A write that is answered with anything but [`StateReply::Unavailable`] is on disk or
    /// was not made. The future may be dropped: the write then happens or does not happen as a whole.
    fn run(&self, operation: StateOperation) -> Pin<Box<dyn Future<Output = StateReply> + Send + '_>>;
}

/// What a plugin asks for. Keys have at most 256 bytes and no line feed, values at most 256 KiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateOperation {
    /// Read a value.
    Get {
        /// Where it is.
        key: String,
    },
    /// Keep a value in place of the one before.
    Put {
        /// Where to keep it.
        key: String,
        /// What to keep.
        value: Bytes,
        /// What must be there.
        expected: Expected,
        /// After what time it is not there any more; never when absent.
        ttl: Option<Duration>,
    },
    /// Remove a key.
    Delete {
        /// Which one.
        key: String,
        /// What must be there.
        expected: Expected,
    },
    /// List the keys that begin with a prefix, in the order of their bytes.
    List {
        /// How they begin; all begin with the empty text.
        prefix: String,
    },
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

impl Expected {
    /// Reads the number of the ABI.
    pub(crate) fn from_abi(number: u64) -> Self {
        match number {
            POSTROOM_VER_ANY => Self::Any,
            POSTROOM_VER_ABSENT => Self::Absent,
            version => Self::Version(version),
        }
    }

    /// The number of the ABI.
    pub(crate) fn to_abi(self) -> u64 {
        match self {
            Self::Any => POSTROOM_VER_ANY,
            Self::Absent => POSTROOM_VER_ABSENT,
            Self::Version(version) => version,
        }
    }
}

/// The answer to an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateReply {
    /// It was done.
    Done {
        /// The version that is there now; 0 after a delete or a list.
        version: u64,
        /// For a get the value, for a list the keys with a line feed behind each; empty otherwise.
        value: Bytes,
    },
    /// The key is not there.
    NotFound,
    /// Something else is there than was expected.
    Conflict {
        /// The version that is there; 0 when the key is absent.
        version: u64,
    },
    /// More than the destination may keep, or a list that is too long.
    TooLarge,
    /// Not possible now. A write that was under way may still happen.
    Unavailable,
    /// The instance is gone. A write that was under way may still happen.
    Stale,
}

impl StateOperation {
    /// What it takes while it waits, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Get { key } | Self::Delete { key, .. } | Self::List { prefix: key } => key.len(),
            Self::Put { key, value, .. } => key.len() + value.len(),
        }
    }

    /// Whether keys and values are as the contract has them.
    pub(crate) fn is_within_limits(&self) -> bool {
        let key_fits = |key: &str| key.len() <= KEY_BYTES_MAX && !key.contains('\n');
        match self {
            Self::Get { key } | Self::Delete { key, .. } => !key.is_empty() && key_fits(key),
            Self::Put { key, value, .. } => {
                !key.is_empty() && key_fits(key) && value.len() <= VALUE_BYTES_MAX
            }
            Self::List { prefix } => key_fits(prefix),
        }
    }
}

impl StateReply {
    /// A list of keys as the ABI has it.
    #[must_use]
    pub fn keys<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        let mut list = String::new();
        for key in keys {
            list.push_str(key);
            list.push('\n');
        }
        if list.len() > LIST_BYTES_MAX {
            return Self::TooLarge;
        }
        Self::Done { version: 0, value: list.into() }
    }
}

#[cfg(test)]
mod tests;
