//! The event, as `deliver` is given it.

use crate::{postroom_attr, postroom_str};

/// One delivery attempt; never 0; never used again.
pub type postroom_token = u64;

/// An event. It and all it points to stay valid until `complete` for its token returns, or `destroy` returns.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct postroom_event {
    /// Size of this struct as the host was compiled.
    pub struct_size: u32,
    /// 1 for the first offer.
    pub attempt: u32,
    /// When the gateway took the event, in milliseconds since 1970.
    pub received_unix_ms: u64,
    /// Complete before this, in milliseconds since 1970, or be cancelled.
    pub deadline_unix_ms: u64,
    /// Stable over attempts and restarts.
    pub id: postroom_str,
    /// `monitor_run`, `collection_backup`, `activity`, `unrecognized`; more may appear.
    pub kind: postroom_str,
    /// Id of the monitor or collection without owner prefix; may be empty.
    pub subject: postroom_str,
    /// `passed`, `failed` or `unknown`; empty where there is none to give.
    pub verdict: postroom_str,
    /// Name of the receiving source.
    pub source: postroom_str,
    /// Content type of the body; may be empty.
    pub content_type: postroom_str,
    /// Events with the same key come in order, one at a time; may be empty.
    pub ordering_key: postroom_str,
    /// W3C `traceparent`; may be empty.
    pub trace_parent: postroom_str,
    /// The event's labels.
    pub attrs: *const postroom_attr,
    /// Number of labels.
    pub attr_count: usize,
    /// The request body as it was sent, read-only.
    pub body: postroom_str,
}
