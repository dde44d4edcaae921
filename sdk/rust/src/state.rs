//! Values that the gateway keeps for a destination, over restarts and crashes.

use std::{fmt, sync::Arc, time::Duration};

use postroom_abi as abi;
use thiserror::Error;

use crate::{
    ffi::{HostTable, StateAnswer, StateOp},
    outcome::Failure,
    plugin::CreateError,
};

const KEY_BYTES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 256 * 1024;

/// The durable state of one destination: values under keys, which no other destination sees.
///
/// What was written is on disk before the call comes back. Keys have 1 to 256 bytes and no line feed, values at most
/// 256 KiB; how many a destination may keep is the operator's setting. Every value has a version, which
/// [`Expect::Version`] compares, so that two deliveries at the same time do not write over each other:
///
/// ```
/// use postroom_sdk::{Expect, Host, State, StateError};
///
/// async fn count(host: &Host) -> Result<u64, StateError> {
///     let state: State = host.state();
///     loop {
///         let (count, expect) = match state.get("count").await? {
///             Some(entry) => (entry.text().parse().unwrap_or(0), Expect::Version(entry.version)),
///             None => (0_u64, Expect::Absent),
///         };
///         match state.put("count", (count + 1).to_string(), expect).await {
///             Ok(_) => return Ok(count + 1),
///             Err(StateError::Conflict { .. }) => {}
///             Err(error) => return Err(error),
///         }
///     }
/// }
/// ```
#[derive(Clone)]
pub struct State {
    table: Arc<HostTable>,
}

/// A value as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which write this is; no two of a destination have the same.
    pub version: u64,
    /// What was written.
    pub value: Vec<u8>,
}

impl Entry {
    /// The value as text; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.value).into_owned()
    }
}

/// What must be there for a write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Anything or nothing.
    Any,
    /// Nothing.
    Absent,
    /// This version.
    Version(u64),
}

/// Why the state was not read or written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StateError {
    /// Something else is there than was expected, and nothing was written.
    #[error("the key has version {version} by now")]
    Conflict {
        /// The version that is there; 0 when there is none.
        version: u64,
    },
    /// The destination keeps as much as it may.
    #[error("more than the destination may keep: the operator can raise its `state`")]
    TooLarge,
    /// The value has more than 256 KiB.
    #[error("a value has at most 256 KiB")]
    Value,
    /// The keys take more than 1 MiB.
    #[error("the keys take more than 1 MiB: ask for those with a longer prefix")]
    List,
    /// The gateway's store does not answer. A write that was under way may still happen: read before you write again.
    #[error("the gateway's store is not available")]
    Unavailable,
    /// The key has no bytes, more than 256, or a line feed.
    #[error("a key has 1 to 256 bytes and no line feed")]
    Key,
    /// This gateway keeps no state.
    #[error("this gateway keeps no state for plugins: use a newer one")]
    Unsupported,
}

impl State {
    pub(crate) fn new(table: Arc<HostTable>) -> Self {
        Self { table }
    }

    /// Reads a value; `None` when there is none, or when its time is over.
    ///
    /// # Errors
    ///
    /// [`StateError::Key`], [`StateError::Unavailable`] or [`StateError::Unsupported`].
    pub async fn get(&self, key: &str) -> Result<Option<Entry>, StateError> {
        let op = StateOp { op: abi::POSTROOM_STATE_GET, ..operation(key) };
        match self.ask(&op).await {
            Ok(StateAnswer { version, value, .. }) => Ok(Some(Entry { version, value })),
            Err(Refused::NotFound) => Ok(None),
            Err(Refused::Error(error)) => Err(error),
        }
    }

    /// Keeps a value in place of the one before, and gives its version.
    ///
    /// # Errors
    ///
    /// When something else is there than expected, or as [`StateError`] says.
    pub async fn put(&self, key: &str, value: impl AsRef<[u8]>, expect: Expect) -> Result<u64, StateError> {
        self.put_with(key, value.as_ref(), expect, 0).await
    }

    /// Like [`State::put`], for a value that is gone after `keep`; less than a millisecond counts as one.
    ///
    /// # Errors
    ///
    /// As [`State::put`].
    pub async fn put_for(
        &self,
        keep: Duration,
        key: &str,
        value: impl AsRef<[u8]>,
        expect: Expect,
    ) -> Result<u64, StateError> {
        let ttl_ms = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX).max(1);
        self.put_with(key, value.as_ref(), expect, ttl_ms).await
    }

    /// Removes a key; `false` when there was none.
    ///
    /// # Errors
    ///
    /// When something else is there than expected, or as [`StateError`] says.
    pub async fn delete(&self, key: &str, expect: Expect) -> Result<bool, StateError> {
        let expected_version = number(expect);
        let op = StateOp { op: abi::POSTROOM_STATE_DELETE, expected_version, ..operation(key) };
        match self.ask(&op).await {
            Ok(_) => Ok(true),
            Err(Refused::NotFound) => Ok(false),
            Err(Refused::Error(error)) => Err(error),
        }
    }

    /// Lists the keys that begin with `prefix`, in the order of their bytes; all for the empty one.
    ///
    /// # Errors
    ///
    /// [`StateError::List`] when they take more than 1 MiB: a longer prefix has fewer.
    pub async fn keys(&self, prefix: &str) -> Result<Vec<String>, StateError> {
        let op = StateOp { op: abi::POSTROOM_STATE_LIST, ..operation(prefix) };
        let answer = self.ask(&op).await.map_err(|refused| match refused.into_error() {
            StateError::TooLarge => StateError::List,
            error => error,
        })?;
        // Not by lines: a carriage return at its end belongs to the key.
        Ok(String::from_utf8_lossy(&answer.value).split_terminator('\n').map(str::to_owned).collect())
    }

    async fn put_with(
        &self,
        key: &str,
        value: &[u8],
        expect: Expect,
        ttl_ms: u64,
    ) -> Result<u64, StateError> {
        let (op, expected_version) = (abi::POSTROOM_STATE_PUT, number(expect));
        let op = StateOp { op, key, value, expected_version, ttl_ms };
        self.ask(&op).await.map(|answer| answer.version).map_err(Refused::into_error)
    }

    async fn ask(&self, op: &StateOp<'_>) -> Result<StateAnswer, Refused> {
        // The gateway has one word for both and for a destination that is full, which is no fault of the plugin's.
        if op.key.len() > KEY_BYTES_MAX {
            return Err(Refused::Error(StateError::Key));
        }
        if op.value.len() > VALUE_BYTES_MAX {
            return Err(Refused::Error(StateError::Value));
        }
        let refused = |status, version| match status {
            abi::POSTROOM_E_NOT_FOUND => Refused::NotFound,
            abi::POSTROOM_E_CONFLICT => Refused::Error(StateError::Conflict { version }),
            abi::POSTROOM_E_TOO_LARGE => Refused::Error(StateError::TooLarge),
            abi::POSTROOM_E_INVALID => Refused::Error(StateError::Key),
            abi::POSTROOM_E_UNSUPPORTED | abi::POSTROOM_E_DENIED => Refused::Error(StateError::Unsupported),
            _ => Refused::Error(StateError::Unavailable),
        };
        let answer = self.table.state(op).map_err(|status| refused(status, 0))?;
        // Without an answer the host has broken its word.
        let answer = answer.await.map_err(|_| Refused::Error(StateError::Unavailable))?;
        if answer.status == abi::POSTROOM_OK {
            Ok(answer)
        } else {
            Err(refused(answer.status, answer.version))
        }
    }
}

/// Why an operation gave nothing. For some, a key that is not there is an answer and no error.
enum Refused {
    NotFound,
    Error(StateError),
}

impl Refused {
    /// For operations that do not need the key to be there.
    fn into_error(self) -> StateError {
        match self {
            Self::NotFound => StateError::Unavailable,
            Self::Error(error) => error,
        }
    }
}

fn operation(key: &str) -> StateOp<'_> {
    StateOp { op: 0, key, value: &[], expected_version: 0, ttl_ms: 0 }
}

fn number(expect: Expect) -> u64 {
    match expect {
        Expect::Any => abi::POSTROOM_VER_ANY,
        Expect::Absent => abi::POSTROOM_VER_ABSENT,
        Expect::Version(version) => version,
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        match error {
            // A list may be shorter by then.
            StateError::Conflict { .. } | StateError::Unavailable | StateError::List => {
                Self::retry("state", error.to_string())
            }
            StateError::Value | StateError::Key => Self::permanent("state", error.to_string()),
            // The same for every event, until the operator acts.
            StateError::TooLarge | StateError::Unsupported => Self::misconfigured("state", error.to_string()),
        }
    }
}

impl From<StateError> for CreateError {
    fn from(error: StateError) -> Self {
        Self::unavailable(error.to_string())
    }
}

#[cfg(test)]
mod tests;
