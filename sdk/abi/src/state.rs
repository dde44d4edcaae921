//! Durable state: keys and values that the host keeps for an instance.

use core::ffi::c_void;

use crate::{postroom_status, postroom_str};

/// Read a key.
pub const POSTROOM_STATE_GET: u32 = 1;
/// Write a key.
pub const POSTROOM_STATE_PUT: u32 = 2;
/// Remove a key.
pub const POSTROOM_STATE_DELETE: u32 = 3;
/// List the keys that begin with `key`.
pub const POSTROOM_STATE_LIST: u32 = 4;
/// Any version will do.
pub const POSTROOM_VER_ANY: u64 = u64::MAX;
/// Only if the key does not exist.
pub const POSTROOM_VER_ABSENT: u64 = 0;

/// One operation on the state.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct postroom_state_op {
    /// Size of this struct as the plugin was compiled.
    pub struct_size: u32,
    /// `POSTROOM_STATE_*`.
    pub op: u32,
    /// 1 to 256 bytes of UTF-8 without line feed, private to the destination.
    pub key: postroom_str,
    /// For put: at most 256 KiB.
    pub value: postroom_str,
    /// For put and delete: compare-and-swap.
    pub expected_version: u64,
    /// For put: milliseconds to keep it; 0 keeps it for good.
    pub ttl_ms: u64,
}

/// The answer to an operation.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct postroom_state_result {
    /// Size of this struct as the host was compiled.
    pub struct_size: u32,
    /// How it went.
    pub status: postroom_status,
    /// Current version of the key; 0 when it is absent.
    pub version: u64,
    /// Borrowed until the callback returns.
    pub value: postroom_str,
}

/// Receives the answer exactly once if `state` returned `POSTROOM_OK`, from any thread, perhaps before it returns.
pub type postroom_state_cb =
    Option<unsafe extern "C" fn(user: *mut c_void, result: *const postroom_state_result)>;
