//! Making events, and the way back of the answer; measuring; and asking for time.

use std::ffi::c_void;

use postroom_abi::{
    self as abi, postroom_attr, postroom_emit_result, postroom_emit_v1, postroom_new_event, postroom_status,
    postroom_str, postroom_token,
};
use tokio::sync::oneshot::{self, Receiver, Sender};

use super::{HostTable, sized};
use crate::{emit::NewEvent, event::Verdict};

/// What the host answered.
pub(crate) struct EmitAnswer {
    pub(crate) status: postroom_status,
    pub(crate) repeated: bool,
    /// The event's id.
    pub(crate) event: String,
}

// SAFETY: begins with struct_size; integers, raw pointers and optional functions may all be zero.
unsafe impl sized::Growing for postroom_emit_v1 {}
// SAFETY: as above.
unsafe impl sized::Growing for postroom_emit_result {}

impl HostTable {
    /// The extension for events of the plugin's own; `None` where the plugin may make none.
    fn emit_table(&self) -> Option<postroom_emit_v1> {
        let id = postroom_str::of(abi::POSTROOM_EMIT_V1.as_bytes());
        // SAFETY: the host's function with the host's context; the name lives during the call.
        let table = unsafe { (self.get_extension?)(self.ctx, id) };
        // SAFETY: null, or the table of this name, which lives as long as the process.
        unsafe { sized::read(table.cast::<postroom_emit_v1>()) }
    }

    /// Sends an event; its answer comes to the receiver. An error is the status that refused it.
    pub(crate) fn emit(
        &self,
        token: postroom_token,
        event: &NewEvent,
    ) -> Result<Receiver<EmitAnswer>, postroom_status> {
        let emit = self.emit_table().and_then(|table| table.emit).ok_or(abi::POSTROOM_E_UNSUPPORTED)?;
        let (sender, answer) = oneshot::channel::<EmitAnswer>();
        let user = Box::into_raw(Box::new(sender));
        let labels: Vec<postroom_attr> = event.labels.iter().map(|(name, value)| attr(name, value)).collect();
        let event = postroom_new_event {
            token,
            kind: text(&event.kind),
            subject: text(&event.subject),
            ordering_key: text(&event.ordering_key),
            verdict: text(event.verdict.map_or("", Verdict::as_str)),
            content_type: text(&event.content_type),
            idempotency_key: text(&event.key),
            labels: labels.as_ptr(),
            label_count: labels.len(),
            body: postroom_str::of(&event.body),
            ..postroom_new_event::empty()
        };
        // SAFETY: the host's function with the host's context; it copies the event during the call.
        let status = unsafe { emit(self.ctx, &raw const event, Some(answered), user.cast()) };
        if status == abi::POSTROOM_OK {
            return Ok(answer);
        }
        // SAFETY: made above, and by the contract nobody calls back for what was refused.
        drop(unsafe { Box::from_raw(user) });
        Err(status)
    }

    /// Reports a measurement, in thousandths.
    pub(crate) fn metric(
        &self,
        kind: u32,
        name: &str,
        value_milli: i64,
        labels: &[(&str, &str)],
    ) -> postroom_status {
        let Some(metric) = self.metric else { return abi::POSTROOM_E_UNSUPPORTED };
        let labels: Vec<postroom_attr> = labels.iter().map(|(name, value)| attr(name, value)).collect();
        // SAFETY: the host's function with the host's context; name and labels live during the call.
        unsafe { metric(self.ctx, kind, text(name), value_milli, labels.as_ptr(), labels.len()) }
    }

    /// Asks for more time; gives the new deadline, or the status that refused it.
    pub(crate) fn extend(&self, token: postroom_token, want_ms: u32) -> Result<u64, postroom_status> {
        let Some(extend) = self.extend else { return Err(abi::POSTROOM_E_UNSUPPORTED) };
        let mut deadline = 0;
        // SAFETY: the host's function with the host's context; the number lives during the call.
        let status = unsafe { extend(self.ctx, token, want_ms, &raw mut deadline) };
        if status == abi::POSTROOM_OK { Ok(deadline) } else { Err(status) }
    }

    /// A clock that never goes back, in nanoseconds.
    pub(crate) fn monotonic_ns(&self) -> u64 {
        // SAFETY: the host's function with the host's context.
        unsafe { (self.monotonic_ns)(self.ctx) }
    }
}

fn text(text: &str) -> postroom_str {
    postroom_str::of(text.as_bytes())
}

fn attr(name: &str, value: &str) -> postroom_attr {
    postroom_attr { key: text(name), value: text(value) }
}

unsafe extern "C" fn answered(user: *mut c_void, result: *const postroom_emit_result) {
    // SAFETY: the sender that `emit` gave with this function; the contract has it called exactly once.
    let sender = unsafe { Box::from_raw(user.cast::<Sender<EmitAnswer>>()) };
    // SAFETY: borrowed for this call, as long as its size says.
    let Some(result) = (unsafe { sized::read(result) }) else { return };
    // SAFETY: borrowed for this call.
    let event = unsafe { result.event_id.bytes() };
    let event = String::from_utf8_lossy(event).into_owned();
    // Whoever asked may have stopped waiting, as a delivery that was cancelled.
    drop(sender.send(EmitAnswer { status: result.status, repeated: result.repeated != 0, event }));
}

/// The functions of the host's table that this module calls.
pub(super) type MetricFn =
    unsafe extern "C" fn(*mut c_void, u32, postroom_str, i64, *const postroom_attr, usize) -> postroom_status;
pub(super) type ExtendFn =
    unsafe extern "C" fn(*mut c_void, postroom_token, u32, *mut u64) -> postroom_status;
pub(super) type ExtensionFn = unsafe extern "C" fn(*mut c_void, postroom_str) -> *const c_void;
