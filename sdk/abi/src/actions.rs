//! `postroom.actions/1`: named operations of a plugin that people start.

use core::ffi::c_void;

use crate::{postroom_status, postroom_str, postroom_token};

/// The name by which `postroom_plugin.get_extension` gives a [`postroom_actions_v1`].
pub const POSTROOM_ACTIONS_V1: &str = "postroom.actions/1";

/// One run of an action. Borrowed for the call of `run`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct postroom_action {
    /// Size of this struct as the host was compiled.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Names this run to `done` and `cancel`; of no delivery.
    pub token: postroom_token,
    /// The run is cancelled then, in milliseconds since 1970.
    pub deadline_unix_ms: u64,
    /// As in the manifest.
    pub name: postroom_str,
    /// An object of at most 1 MiB, checked against the action's `input_schema`.
    pub input_json: postroom_str,
}

/// The end of a run. The host copies it during `done`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct postroom_action_result {
    /// Size of this struct as the plugin was compiled.
    pub struct_size: u32,
    /// OK when the action was carried out; otherwise why not.
    pub status: postroom_status,
    /// For OK an object of at most 4 MiB; for `POSTROOM_E_INVALID` the faults of the input, or nothing.
    pub output_json: postroom_str,
    /// For people when it is not OK; at most 4 KiB are kept; never a secret.
    pub message: postroom_str,
}

/// Ends a run, exactly once, from any thread; answers stale when it is double, late or unknown.
pub type postroom_action_done = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        token: postroom_token,
        result: *const postroom_action_result,
    ) -> postroom_status,
>;

/// The functions of the extension. `run` must be there.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct postroom_actions_v1 {
    /// Size of this struct as the plugin was compiled.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Starts an action; after OK `done` follows exactly once, otherwise never. May block.
    pub run: Option<
        unsafe extern "C" fn(
            instance: *mut c_void,
            action: *const postroom_action,
            done: postroom_action_done,
            user: *mut c_void,
        ) -> postroom_status,
    >,
    /// Nobody waits for this run any more; `done` is still called and answered stale.
    pub cancel: Option<unsafe extern "C" fn(instance: *mut c_void, token: postroom_token)>,
}
