//! Status codes: what a call across the boundary answers.

/// What a call answers: [`POSTROOM_OK`] or one of the negative `POSTROOM_E_*` codes.
pub type postroom_status = i32;

/// Done.
pub const POSTROOM_OK: postroom_status = 0;
/// Bad argument, bad UTF-8, bad `struct_size`.
pub const POSTROOM_E_INVALID: postroom_status = -1;
/// The function, capability or extension is absent.
pub const POSTROOM_E_UNSUPPORTED: postroom_status = -2;
/// The token is unknown, completed or expired, or the instance is gone.
pub const POSTROOM_E_STALE: postroom_status = -3;
/// There is no such thing.
pub const POSTROOM_E_NOT_FOUND: postroom_status = -4;
/// A compare-and-swap lost.
pub const POSTROOM_E_CONFLICT: postroom_status = -5;
/// Larger than the callee takes.
pub const POSTROOM_E_TOO_LARGE: postroom_status = -6;
/// Not granted in the manifest or by the operator.
pub const POSTROOM_E_DENIED: postroom_status = -7;
/// Try later.
pub const POSTROOM_E_UNAVAILABLE: postroom_status = -8;
/// From `deliver`: back-pressure; offered again, and costs no attempt.
pub const POSTROOM_E_BUSY: postroom_status = -9;
/// From `validate` and `create`: the operator must change the config.
pub const POSTROOM_E_CONFIG: postroom_status = -10;
/// A bug in the callee.
pub const POSTROOM_E_INTERNAL: postroom_status = -11;
/// A panic or exception that the callee caught.
pub const POSTROOM_E_PANIC: postroom_status = -12;
