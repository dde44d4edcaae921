//! What the host offers to a plugin.

use core::ffi::c_void;

use crate::{
    postroom_attr, postroom_outcome, postroom_sink, postroom_state_cb, postroom_state_op, postroom_status,
    postroom_str, postroom_token,
};

/// `log_level` and `log`.
pub const POSTROOM_CAP_LOG: u64 = 1 << 0;
/// `metric`.
pub const POSTROOM_CAP_METRICS: u64 = 1 << 1;
/// `state` and `state_wait`.
pub const POSTROOM_CAP_STATE: u64 = 1 << 2;
/// `secret`.
pub const POSTROOM_CAP_SECRETS: u64 = 1 << 3;
/// `now_unix_ms` and `monotonic_ns`.
pub const POSTROOM_CAP_CLOCK: u64 = 1 << 4;
/// `extend`.
pub const POSTROOM_CAP_PROGRESS: u64 = 1 << 5;

/// Something failed.
pub const POSTROOM_LOG_ERROR: u32 = 1;
/// Something is wrong but was dealt with.
pub const POSTROOM_LOG_WARN: u32 = 2;
/// Something worth knowing.
pub const POSTROOM_LOG_INFO: u32 = 3;
/// For who looks for a fault.
pub const POSTROOM_LOG_DEBUG: u32 = 4;
/// Everything.
pub const POSTROOM_LOG_TRACE: u32 = 5;

/// The value is added.
pub const POSTROOM_METRIC_COUNTER: u32 = 1;
/// The value is set.
pub const POSTROOM_METRIC_GAUGE: u32 = 2;
/// The value is observed.
pub const POSTROOM_METRIC_HISTOGRAM: u32 = 3;

/// The host's functions. A function whose capability bit is not set is `None`; `complete` and `get_extension` need no
/// bit. The table and `ctx` stay readable for the life of the process; after `destroy` has returned every function
/// answers `POSTROOM_E_STALE` or does nothing.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct postroom_host {
    /// Size of this struct as the host was compiled.
    pub struct_size: u32,
    /// Major version of the host's ABI.
    pub abi_major: u16,
    /// Minor version of the host's ABI.
    pub abi_minor: u16,
    /// `POSTROOM_CAP_*`.
    pub capabilities: u64,
    /// First argument of every function below.
    pub ctx: *mut c_void,
    /// Ends a delivery; copies the outcome; never blocks. Stale when double, late or unknown.
    pub complete: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            token: postroom_token,
            outcome: *const postroom_outcome,
        ) -> postroom_status,
    >,
    /// Asks for more time and sets the new deadline.
    pub extend: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            token: postroom_token,
            want_ms: u32,
            new_deadline_unix_ms: *mut u64,
        ) -> postroom_status,
    >,
    /// Highest level worth formatting; 0 for none.
    pub log_level: Option<unsafe extern "C" fn(ctx: *mut c_void) -> u32>,
    /// Logs one line. `token` may be 0; `fields_json` is an object or empty. Never blocks; drops when flooded.
    pub log: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            level: u32,
            token: postroom_token,
            target: postroom_str,
            message: postroom_str,
            fields_json: postroom_str,
        ),
    >,
    /// Reports a metric in thousandths.
    pub metric: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            kind: u32,
            name: postroom_str,
            value_milli: i64,
            labels: *const postroom_attr,
            label_count: usize,
        ) -> postroom_status,
    >,
    /// Works on the state; the answer goes to `cb`.
    pub state: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            op: *const postroom_state_op,
            cb: postroom_state_cb,
            user: *mut c_void,
        ) -> postroom_status,
    >,
    /// The blocking form of `state`; `value` may be null.
    pub state_wait: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            op: *const postroom_state_op,
            timeout_ms: u32,
            value: *mut postroom_sink,
            version: *mut u64,
        ) -> postroom_status,
    >,
    /// Wall clock, in milliseconds since 1970.
    pub now_unix_ms: Option<unsafe extern "C" fn(ctx: *mut c_void) -> u64>,
    /// A clock that never goes back, in nanoseconds since some moment.
    pub monotonic_ns: Option<unsafe extern "C" fn(ctx: *mut c_void) -> u64>,
    /// Writes the value of a secret that the config names; `POSTROOM_E_DENIED` when it does not.
    pub secret: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            name: postroom_str,
            value: *mut postroom_sink,
        ) -> postroom_status,
    >,
    /// A whole optional interface by name; null if absent.
    pub get_extension: Option<unsafe extern "C" fn(ctx: *mut c_void, id: postroom_str) -> *const c_void>,
}
