//! The ends of actions.

use std::ffi::c_void;

use postroom_abi::{self as abi, postroom_action_result, postroom_status, postroom_token};
use tokio::sync::oneshot;

use super::{FakeHost, owned};
use crate::ffi;

/// The end of an action, as it crossed the boundary.
#[derive(Debug)]
pub(crate) struct ActionEnd {
    pub(crate) status: postroom_status,
    pub(crate) output_json: String,
    pub(crate) message: String,
}

impl FakeHost {
    /// Takes up an action: its token, and its end to come.
    pub(in crate::testing) fn begin_action(&self) -> (postroom_token, oneshot::Receiver<ActionEnd>) {
        let (done, end) = oneshot::channel();
        let mut state = self.state();
        state.tokens += 1;
        let token = state.tokens;
        state.actions.insert(token, done);
        (token, end)
    }

    #[cfg(test)]
    pub(in crate::testing) fn actions(&self) -> Vec<postroom_token> {
        self.state().actions.keys().copied().collect()
    }

    /// What `done` wants as its `user`.
    pub(in crate::testing) fn user(&'static self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }
}

/// `postroom_action_done`.
pub(in crate::testing) unsafe extern "C" fn done(
    user: *mut c_void,
    token: postroom_token,
    result: *const postroom_action_result,
) -> postroom_status {
    // SAFETY: the SDK hands back what `FakeHost::user` gave.
    let host = unsafe { FakeHost::from_ctx(user) };
    // SAFETY: borrowed for this call, as long as its size says.
    let Some(result) = (unsafe { ffi::read(result) }) else { return abi::POSTROOM_E_INVALID };
    // SAFETY: borrowed for this call.
    let output_json = unsafe { owned(result.output_json) };
    // SAFETY: borrowed for this call.
    let message = unsafe { owned(result.message) };
    let Some(done) = host.state().actions.remove(&token) else { return abi::POSTROOM_E_STALE };
    // The test may no longer wait, which is its own affair.
    drop(done.send(ActionEnd { status: result.status, output_json, message }));
    abi::POSTROOM_OK
}
