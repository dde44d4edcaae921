//! An attempt as the child has it: only texts, numbers and the body.

use bytes::Bytes;

/// What the plugin is told of one attempt. Texts are UTF-8; they and the body lie in the frame that they came with, so
/// that an attempt costs one allocation and not ten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Names the attempt between gateway, child and plugin; never 0, never used again.
    pub(crate) token: u64,
    pub(crate) attempt: u32,
    pub(crate) received_unix_ms: u64,
    pub(crate) deadline_unix_ms: u64,
    /// What it can be moved to, at most.
    pub(crate) deadline_max_unix_ms: u64,
    pub(crate) id: Bytes,
    pub(crate) kind: Bytes,
    pub(crate) subject: Bytes,
    pub(crate) verdict: Bytes,
    pub(crate) source: Bytes,
    pub(crate) content_type: Bytes,
    pub(crate) ordering_key: Bytes,
    pub(crate) labels: Vec<(Bytes, Bytes)>,
    /// What the frame brought along, or the mapping of a file.
    pub(crate) body: Bytes,
}
