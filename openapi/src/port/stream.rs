//! What happens, for those who follow it.

use std::{future::Future, time::Duration};

use crate::{
    auth::Caller,
    stream::{Change, Topics, Wanted},
};

/// Tells what happens.
pub trait Streams: Clone + Send + Sync + 'static {
    /// Somebody who follows.
    type Reader: Reader;

    /// Begins to tell what is `wanted`, from now on or from behind the position `after`. A position went through the
    /// caller's hands, so it may be anything; one that is not known is answered with a resync.
    ///
    /// # Errors
    /// See [`FollowError`].
    fn follow(
        &self,
        wanted: Wanted,
        after: Option<String>,
        by: &Caller,
    ) -> impl Future<Output = Result<Self::Reader, FollowError>> + Send;
}

/// Reads what happens, at its own pace. What it does not take in time it misses; that is told, and nobody else waits for it.
pub trait Reader: Send + Sync + 'static {
    /// Waits for what comes next; `None` when the gateway stops. Dropping the future loses nothing.
    fn next(&mut self) -> impl Future<Output = Option<Step>> + Send;

    /// Where it is: whoever goes on behind it misses nothing and is told nothing twice. `None` while it has missed something
    /// and was not told so.
    fn position(&self) -> Option<String>;
}

/// What a reader is given.
#[derive(Debug, Clone)]
pub enum Step {
    /// Messages, in order; at least one.
    Told(Vec<Told>),
    /// API keys may have changed: the reader's may not be one any more.
    KeysChanged,
}

/// A message.
#[derive(Debug, Clone)]
pub enum Told {
    /// Something changed.
    Change {
        /// Where the reader is with it.
        position: String,
        /// What changed.
        change: Change,
    },
    /// Something was missed.
    Resync {
        /// Where the reader is with it.
        position: String,
        /// What it was missed of.
        topics: Topics,
        /// Why, in words.
        reason: &'static str,
        /// The id of the last event that this reader was told of.
        after_event: Option<String>,
    },
}

/// Why nobody may follow now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// As many follow as may, in all or with this key.
    #[error("as many readers follow as may: try again later, or poll the lists")]
    Full {
        /// When to come again.
        retry_after: Duration,
    },
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Stopping,
    /// What tells has failed, and does not come back before the gateway starts again.
    #[error(
        "the stream has failed, and the gateway's log says how: restart it, and poll the lists until then"
    )]
    Failed,
}
