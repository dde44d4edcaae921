//! Calls a plugin's table as a host does.

#![expect(unsafe_code, reason = "calls a plugin through the C table")]

use std::{ffi::c_void, ptr};

use postroom_abi::{
    self as abi, postroom_action, postroom_actions_v1, postroom_errbuf, postroom_event, postroom_host,
    postroom_plugin, postroom_status, postroom_str, postroom_token,
};

use super::fake_host::{FakeHost, done};
use crate::{ffi, plugin::Plugin};

/// How long an action may take by the clock of the test, in milliseconds.
const ACTION_MS: u64 = 60_000;
/// Room for the message of a failed `create`, in bytes.
const ERROR_BYTES_MAX: usize = 1024;

/// An instance behind the table. It is destroyed when it is dropped.
pub(super) struct RawInstance {
    table: &'static postroom_plugin,
    instance: *mut c_void,
}

// SAFETY: `deliver`, `cancel` and `health` may be called from any thread; `destroy` takes the value.
unsafe impl Send for RawInstance {}
// SAFETY: as above.
unsafe impl Sync for RawInstance {}

/// Asks for the manifest; the status and the manifest, `None` for a plugin that cannot be asked.
pub(super) fn describe<P: Plugin>() -> Option<(postroom_status, String)> {
    let describe = ffi::Entry::<P>::TABLE.describe?;
    let mut manifest = Vec::new();
    let mut sink = ffi::sink_into(&mut manifest);
    // SAFETY: the sink lives during the call.
    let status = unsafe { describe(&mut sink) };
    Some((status, String::from_utf8(manifest).expect("the SDK writes UTF-8")))
}

/// Checks a config; the status and the report.
pub(super) fn validate<P: Plugin>(config_json: &str) -> (postroom_status, String) {
    let validate = ffi::Entry::<P>::TABLE.validate.expect("the SDK's table is full");
    let mut report = Vec::new();
    let mut sink = ffi::sink_into(&mut report);
    // SAFETY: config and sink live during the call.
    let status = unsafe { validate(postroom_str::of(config_json.as_bytes()), &mut sink) };
    (status, String::from_utf8(report).expect("the SDK writes UTF-8"))
}

impl RawInstance {
    /// Creates an instance, or gives the status and the message.
    pub(super) fn create<P: Plugin>(
        host: &'static postroom_host,
        config_json: &str,
    ) -> Result<Self, (postroom_status, String)> {
        let table = ffi::Entry::<P>::TABLE;
        let create = table.create.expect("the SDK's table is full");
        let mut instance = ptr::null_mut();
        let mut message = [0; ERROR_BYTES_MAX];
        let mut err = postroom_errbuf { ptr: message.as_mut_ptr(), cap: message.len(), len: 0 };
        // SAFETY: everything lent lives during the call, and the host for ever.
        let status =
            unsafe { create(host, postroom_str::of(config_json.as_bytes()), &mut instance, &mut err) };
        if status == abi::POSTROOM_OK {
            return Ok(Self { table, instance });
        }
        Err((status, String::from_utf8_lossy(&message[..err.len]).into_owned()))
    }

    /// Hands over a delivery. The caller keeps `event` until the token is completed.
    pub(super) fn deliver(&self, token: postroom_token, event: *const postroom_event) -> postroom_status {
        let deliver = self.table.deliver.expect("the SDK's table is full");
        // SAFETY: the instance lives, and `FakeHost::hold` keeps the event until its token is completed.
        unsafe { deliver(self.instance, token, event) }
    }

    pub(super) fn cancel(&self, token: postroom_token) {
        let cancel = self.table.cancel.expect("the SDK's table is full");
        // SAFETY: the instance lives.
        unsafe { cancel(self.instance, token) };
    }

    /// What the plugin gives as its actions; `None` when it has none.
    fn actions(&self) -> Option<&'static postroom_actions_v1> {
        let get_extension = self.table.get_extension.expect("the SDK's table is full");
        // SAFETY: the name lives for ever.
        let actions = unsafe { get_extension(postroom_str::of(abi::POSTROOM_ACTIONS_V1.as_bytes())) };
        // SAFETY: what the SDK gives for this name is this table, which lives for ever, or null.
        unsafe { actions.cast::<postroom_actions_v1>().as_ref() }
    }

    /// Whether the plugin has actions.
    pub(super) fn acts(&self) -> bool {
        self.actions().is_some()
    }

    /// Begins an action, whose end goes to `done` of this host. The plugin must have some.
    pub(super) fn run(
        &self,
        host: &'static FakeHost,
        token: postroom_token,
        name: &str,
        input: &str,
    ) -> postroom_status {
        let run = self.actions().and_then(|actions| actions.run).expect("the SDK's table is full");
        let action = postroom_action {
            struct_size: abi::layout::size_of_u32::<postroom_action>(),
            reserved: 0,
            token,
            deadline_unix_ms: host.now() + ACTION_MS,
            name: postroom_str::of(name.as_bytes()),
            input_json: postroom_str::of(input.as_bytes()),
        };
        // SAFETY: the instance lives, the action during the call, and the host for ever.
        unsafe { run(self.instance, &action, Some(done), host.user()) }
    }

    #[cfg(test)]
    pub(super) fn cancel_action(&self, token: postroom_token) {
        let cancel = self.actions().and_then(|actions| actions.cancel).expect("the SDK's table is full");
        // SAFETY: the instance lives.
        unsafe { cancel(self.instance, token) };
    }

    /// The status and its detail.
    pub(super) fn health(&self) -> (postroom_status, String) {
        let health = self.table.health.expect("the SDK's table is full");
        let mut detail = Vec::new();
        let mut sink = ffi::sink_into(&mut detail);
        // SAFETY: the instance lives, and the sink during the call.
        let status = unsafe { health(self.instance, &mut sink) };
        (status, String::from_utf8(detail).expect("the SDK writes UTF-8"))
    }

    pub(super) fn drain(&self, deadline_unix_ms: u64) {
        let drain = self.table.drain.expect("the SDK's table is full");
        // SAFETY: the instance lives.
        unsafe { drain(self.instance, deadline_unix_ms) };
    }
}

impl Drop for RawInstance {
    fn drop(&mut self) {
        let destroy = self.table.destroy.expect("the SDK's table is full");
        // SAFETY: the instance lives until here, and nobody else can reach it.
        unsafe { destroy(self.instance) };
    }
}
