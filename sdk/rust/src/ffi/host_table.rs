//! The host's functions, checked once and then safe to call.

use std::ffi::c_void;

use postroom_abi::{
    self as abi, postroom_host, postroom_outcome, postroom_sink, postroom_state_cb, postroom_state_op,
    postroom_status, postroom_str, postroom_token,
};

use super::{
    emit::{ExtendFn, ExtensionFn, MetricFn},
    out::sink_into,
    sized,
};

/// The functions this SDK needs. Copied out of the host's table, so that none is missing later.
#[derive(Clone, Copy)]
pub(crate) struct HostTable {
    pub(super) ctx: *mut c_void,
    complete: unsafe extern "C" fn(*mut c_void, postroom_token, *const postroom_outcome) -> postroom_status,
    log_level: unsafe extern "C" fn(*mut c_void) -> u32,
    log: unsafe extern "C" fn(*mut c_void, u32, postroom_token, postroom_str, postroom_str, postroom_str),
    now_unix_ms: unsafe extern "C" fn(*mut c_void) -> u64,
    secret: unsafe extern "C" fn(*mut c_void, postroom_str, *mut postroom_sink) -> postroom_status,
    pub(super) monotonic_ns: unsafe extern "C" fn(*mut c_void) -> u64,
    /// Missing where the host keeps no state.
    pub(super) state: Option<StateFn>,
    /// Missing where the host takes no measurements.
    pub(super) metric: Option<MetricFn>,
    /// Missing where the host gives no more time.
    pub(super) extend: Option<ExtendFn>,
    pub(super) get_extension: Option<ExtensionFn>,
}

type StateFn = unsafe extern "C" fn(
    *mut c_void,
    *const postroom_state_op,
    postroom_state_cb,
    *mut c_void,
) -> postroom_status;

// SAFETY: every function of the host may be called from any thread, and `ctx` is only handed to them.
unsafe impl Send for HostTable {}
// SAFETY: as above.
unsafe impl Sync for HostTable {}

impl HostTable {
    /// What a plugin of this SDK asks of its host, as capability bits.
    pub(crate) const REQUIRED: u64 =
        abi::POSTROOM_CAP_LOG | abi::POSTROOM_CAP_SECRETS | abi::POSTROOM_CAP_CLOCK;

    /// Takes the functions out of the host's table; `None` when one of them is missing.
    ///
    /// # Safety
    ///
    /// `host` is null or a table as `create` is given it; its functions and `ctx` live as long as the process.
    pub(super) unsafe fn read(host: *const postroom_host) -> Option<Self> {
        // SAFETY: the caller's promise is what `read` asks for.
        let host = unsafe { sized::read(host) }?;
        Some(Self {
            ctx: host.ctx,
            complete: host.complete?,
            log_level: host.log_level?,
            log: host.log?,
            now_unix_ms: host.now_unix_ms?,
            secret: host.secret?,
            monotonic_ns: host.monotonic_ns?,
            state: host.state,
            metric: host.metric,
            extend: host.extend,
            get_extension: host.get_extension,
        })
    }

    pub(super) fn complete(&self, token: postroom_token, outcome: &postroom_outcome) -> postroom_status {
        // SAFETY: the host's function with the host's context; it copies the outcome during the call.
        unsafe { (self.complete)(self.ctx, token, outcome) }
    }

    pub(crate) fn log_level(&self) -> u32 {
        // SAFETY: the host's function with the host's context.
        unsafe { (self.log_level)(self.ctx) }
    }

    pub(crate) fn log(
        &self,
        level: u32,
        token: postroom_token,
        target: &str,
        message: &str,
        fields_json: &str,
    ) {
        let target = postroom_str::of(target.as_bytes());
        let message = postroom_str::of(message.as_bytes());
        let fields = postroom_str::of(fields_json.as_bytes());
        // SAFETY: the host's function with the host's context; the texts live during the call.
        unsafe { (self.log)(self.ctx, level, token, target, message, fields) }
    }

    pub(crate) fn now_unix_ms(&self) -> u64 {
        // SAFETY: the host's function with the host's context.
        unsafe { (self.now_unix_ms)(self.ctx) }
    }

    /// The bytes of a secret, or the status that refused it.
    pub(crate) fn secret(&self, name: &str) -> Result<Vec<u8>, postroom_status> {
        let mut value = Vec::new();
        let mut sink = sink_into(&mut value);
        // SAFETY: the host's function with the host's context; name and sink live during the call.
        let status = unsafe { (self.secret)(self.ctx, postroom_str::of(name.as_bytes()), &mut sink) };
        if status == abi::POSTROOM_OK { Ok(value) } else { Err(status) }
    }
}
