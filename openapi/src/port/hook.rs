//! What a hook says to the gateway, and what the gateway says to a hook.

use std::{collections::BTreeMap, future::Future, time::Duration};

use bytes::Bytes;

/// An admitted caller: what may follow, and to whom it belongs.
#[derive(Debug, Clone)]
pub struct Admission<S> {
    /// The gateway's own handle of the source.
    pub source: S,
    /// Largest body that this source takes, in bytes, after decompression.
    pub body_bytes_max: usize,
    /// Largest body that reaches [`accept`](super::Gateway::accept) in memory, in bytes. A larger one is uploaded in
    /// pieces of this size.
    pub body_in_memory_bytes_max: usize,
    /// How long the whole body may take to arrive.
    pub body_read_max: Duration,
    /// How many labels one request may add.
    pub labels_max: usize,
    /// Longest name or value of a label, in bytes.
    pub label_bytes_max: usize,
    /// Longest idempotency key, in bytes.
    pub idempotency_key_bytes_max: usize,
}

/// A body on its way to the disk, because it is too large for memory. Dropped before it is accepted, nothing of it
/// remains.
pub trait Upload: Send {
    /// Keeps the next piece. No more than one piece is in memory: the next comes when this returns.
    ///
    /// # Errors
    /// A refusal means that nothing of the body will be kept.
    fn write(&mut self, piece: Bytes) -> impl Future<Output = Result<(), HookRefusal>> + Send;
}

/// A body, byte for byte; only a `Content-Encoding: gzip` has been undone.
#[derive(Debug)]
pub enum HookBody<U> {
    /// The whole of it.
    Whole(Bytes),
    /// All its pieces are written.
    Uploaded(U),
}

/// What an admitted caller sent.
#[derive(Debug)]
pub struct Hook<U> {
    /// The body.
    pub body: HookBody<U>,
    /// The Content-Type header, as sent.
    pub content_type: Option<String>,
    /// The `label.*` query parameters that fit, without that prefix.
    pub labels: BTreeMap<String, String>,
    /// What tells a repeat of this very event, in the sender's words: 1 to
    /// [`idempotency_key_bytes_max`](Admission::idempotency_key_bytes_max) bytes.
    pub idempotency_key: Option<String>,
    /// What of the request was left out, and why; absent when all was taken.
    pub note: Option<String>,
}

/// Why a hook was not taken. None of these says which source exists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookRefusal {
    /// No such source, or no valid token for it.
    #[error("no source takes this token")]
    Unauthorized,
    /// The source sends faster than it may.
    #[error("too many requests for this source")]
    TooManyRequests {
        /// When to send again.
        retry_after: Duration,
    },
    /// The event cannot be stored now.
    #[error("the event cannot be stored now: {reason}")]
    Unavailable {
        /// When to send again.
        retry_after: Duration,
        /// Why, in words fit for the caller.
        reason: String,
    },
}
