//! Asking for durable state, and the way back of the answer.

use std::ffi::c_void;

use postroom_abi::{self as abi, postroom_state_op, postroom_state_result, postroom_status, postroom_str};
use tokio::sync::oneshot::{self, Receiver, Sender};

use super::{HostTable, sized};

/// One operation; what it does not need is empty or 0.
pub(crate) struct StateOp<'a> {
    pub(crate) op: u32,
    pub(crate) key: &'a str,
    pub(crate) value: &'a [u8],
    pub(crate) expected_version: u64,
    pub(crate) ttl_ms: u64,
}

/// What the host answered.
pub(crate) struct StateAnswer {
    pub(crate) status: postroom_status,
    pub(crate) version: u64,
    pub(crate) value: Vec<u8>,
}

// SAFETY: begins with struct_size; integers and raw pointers may all be zero.
unsafe impl sized::Growing for postroom_state_result {}

impl HostTable {
    /// Sends an operation; its answer comes to the receiver. An error is the status that refused it.
    pub(crate) fn state(&self, op: &StateOp<'_>) -> Result<Receiver<StateAnswer>, postroom_status> {
        let Some(state) = self.state else { return Err(abi::POSTROOM_E_UNSUPPORTED) };
        let (sender, answer) = oneshot::channel::<StateAnswer>();
        let user = Box::into_raw(Box::new(sender));
        let op = postroom_state_op {
            struct_size: abi::layout::size_of_u32::<postroom_state_op>(),
            op: op.op,
            key: postroom_str::of(op.key.as_bytes()),
            value: postroom_str::of(op.value),
            expected_version: op.expected_version,
            ttl_ms: op.ttl_ms,
        };
        // SAFETY: the host's function with the host's context; it copies the operation during the call.
        let status = unsafe { state(self.ctx, &raw const op, Some(answered), user.cast()) };
        if status == abi::POSTROOM_OK {
            return Ok(answer);
        }
        // SAFETY: made above, and by the contract nobody calls back for what was refused.
        drop(unsafe { Box::from_raw(user) });
        Err(status)
    }
}

unsafe extern "C" fn answered(user: *mut c_void, result: *const postroom_state_result) {
    // SAFETY: the sender that `state` gave with this function; the contract has it called exactly once.
    let sender = unsafe { Box::from_raw(user.cast::<Sender<StateAnswer>>()) };
    // SAFETY: borrowed for this call, as long as its size says.
    let Some(result) = (unsafe { sized::read(result) }) else { return };
    // SAFETY: borrowed for this call.
    let value = unsafe { result.value.bytes() }.to_vec();
    // Whoever asked may have stopped waiting, as a delivery that was cancelled.
    drop(sender.send(StateAnswer { status: result.status, version: result.version, value }));
}
