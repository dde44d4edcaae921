//! Extension `postroom.emit/1`: a plugin makes events of its own.

use core::ffi::c_void;

use crate::{postroom_attr, postroom_status, postroom_str, postroom_token};

/// What `get_extension` knows it by.
pub const POSTROOM_EMIT_V1: &str = "postroom.emit/1";
/// Longest body, in bytes.
pub const POSTROOM_EMIT_BODY_MAX: u32 = 1_048_576;
/// Most labels.
pub const POSTROOM_EMIT_LABELS_MAX: u32 = 16;

/// An event that a plugin makes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct postroom_new_event {
    /// Size of this struct as the plugin was compiled.
    pub struct_size: u32,
    /// 0.
    pub flags: u32,
    /// The delivery it is made in; 0 for none.
    pub token: postroom_token,
    /// `[a-z0-9_]{1,64}`, declared in the manifest.
    pub kind: postroom_str,
    /// What it is about; may be empty.
    pub subject: postroom_str,
    /// Empty: by the subject, then by the destination.
    pub ordering_key: postroom_str,
    /// `passed`, `failed`, `unknown` or empty.
    pub verdict: postroom_str,
    /// The body's type; may be empty.
    pub content_type: postroom_str,
    /// The same key with the same body makes no second event. May be empty.
    pub idempotency_key: postroom_str,
    /// The labels.
    pub labels: *const postroom_attr,
    /// How many.
    pub label_count: usize,
    /// The body.
    pub body: postroom_str,
}

impl postroom_new_event {
    /// An event of nothing, with its size set.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            struct_size: crate::layout::size_of_u32::<Self>(),
            flags: 0,
            token: 0,
            kind: postroom_str::EMPTY,
            subject: postroom_str::EMPTY,
            ordering_key: postroom_str::EMPTY,
            verdict: postroom_str::EMPTY,
            content_type: postroom_str::EMPTY,
            idempotency_key: postroom_str::EMPTY,
            labels: core::ptr::null(),
            label_count: 0,
            body: postroom_str::EMPTY,
        }
    }
}

/// What became of it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct postroom_emit_result {
    /// Size of this struct as the host was compiled.
    pub struct_size: u32,
    /// OK when it is on disk.
    pub status: postroom_status,
    /// 1 when it was made before, and this is that event.
    pub repeated: u32,
    /// 0.
    pub flags: u32,
    /// Borrowed until the callback returns.
    pub event_id: postroom_str,
}

/// Receives the answer exactly once if `emit` returned `POSTROOM_OK`, from any thread, perhaps before it returns.
pub type postroom_emit_cb =
    Option<unsafe extern "C" fn(user: *mut c_void, result: *const postroom_emit_result)>;

/// The functions of the extension.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct postroom_emit_v1 {
    /// Size of this struct as the host was compiled.
    pub struct_size: u32,
    /// 0.
    pub flags: u32,
    /// Copies the event; the answer goes to `cb`. `ctx` is the host's.
    pub emit: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            event: *const postroom_new_event,
            cb: postroom_emit_cb,
            user: *mut c_void,
        ) -> postroom_status,
    >,
}
