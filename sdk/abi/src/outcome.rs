//! How an attempt ended.

use crate::postroom_str;

/// Done: the remote side has it.
pub const POSTROOM_OUT_DELIVERED: u32 = 1;
/// Left out on purpose; counted apart from delivered.
pub const POSTROOM_OUT_SKIPPED: u32 = 2;
/// Transient: the host backs off, or waits `retry_after_ms` if that is set.
pub const POSTROOM_OUT_RETRY: u32 = 3;
/// Pause the instance for `retry_after_ms`; costs no attempt.
pub const POSTROOM_OUT_RATE_LIMITED: u32 = 4;
/// Never works for this event: dead letter.
pub const POSTROOM_OUT_PERMANENT: u32 = 5;
/// Never works until the operator acts: pause the instance.
pub const POSTROOM_OUT_MISCONFIGURED: u32 = 6;

/// The end of an attempt. The host copies it during `complete`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct postroom_outcome {
    /// Size of this struct as the plugin was compiled.
    pub struct_size: u32,
    /// `POSTROOM_OUT_*`; a kind the host does not know is treated as retry.
    pub kind: u32,
    /// Milliseconds to wait; 0 leaves it to the host.
    pub retry_after_ms: u64,
    /// Stable, for programs: `[a-z0-9_.]{0,64}`.
    pub code: postroom_str,
    /// For people; at most 4 KiB are kept; never a secret.
    pub message: postroom_str,
    /// What the remote side gave back: a JSON object of at most 64 KiB, or empty.
    pub record_json: postroom_str,
}

impl postroom_outcome {
    /// An outcome of this kind with `struct_size` set and everything else empty.
    #[must_use]
    pub const fn of(kind: u32) -> Self {
        Self {
            struct_size: crate::layout::size_of_u32::<Self>(),
            kind,
            retry_after_ms: 0,
            code: postroom_str::EMPTY,
            message: postroom_str::EMPTY,
            record_json: postroom_str::EMPTY,
        }
    }
}
