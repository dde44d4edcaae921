//! The plugin's side of `postroom.actions/1`.

use std::{convert::Infallible, ffi::c_void, sync::mpsc::Sender};

use postroom_abi::{
    self as abi, postroom_action, postroom_action_done, postroom_action_result, postroom_actions_v1,
    postroom_status, postroom_str, postroom_token,
};

use super::{Entry, sized};
use crate::{action::ActionError, panic::guard, plugin::Plugin};

/// The duty to end one run. Dropping it ends the run, so that happens exactly once by construction.
pub(crate) struct ActionLease {
    done: unsafe extern "C" fn(*mut c_void, postroom_token, *const postroom_action_result) -> postroom_status,
    user: *mut c_void,
    token: postroom_token,
    ending: Option<(postroom_status, String, String)>,
    /// Only held; see [`Leases`](super::Leases).
    _open: Sender<Infallible>,
}

// SAFETY: the contract lets `done` be called from any thread, and `user` is only handed to it.
unsafe impl Send for ActionLease {}

impl ActionLease {
    /// Ends the run with this output or refusal, or with the message of a panic.
    pub(crate) fn end(mut self, ended: Result<Result<String, ActionError>, String>) {
        self.ending = Some(match ended {
            Ok(Ok(output)) => (abi::POSTROOM_OK, output, String::new()),
            Ok(Err(error)) => error.parts(),
            Err(message) => (abi::POSTROOM_E_PANIC, String::new(), format!("the plugin panicked: {message}")),
        });
    }

    /// Names the run.
    pub(crate) fn token(&self) -> u64 {
        self.token
    }
}

impl Drop for ActionLease {
    fn drop(&mut self) {
        let stopped = || {
            let message = "the plugin was shut down before the action had ended".to_owned();
            (abi::POSTROOM_E_STALE, String::new(), message)
        };
        let (status, output, message) = self.ending.take().unwrap_or_else(stopped);
        let result = postroom_action_result {
            struct_size: abi::layout::size_of_u32::<postroom_action_result>(),
            status,
            output_json: postroom_str::of(output.as_bytes()),
            message: postroom_str::of(message.as_bytes()),
        };
        // Stale after a cancel, too large when the output is: the host has taken note, and there is nothing left to do.
        // SAFETY: the host's function with the host's `user`, once for this token; the result lives during the call.
        let _status = unsafe { (self.done)(self.user, self.token, &result) };
    }
}

impl<P: Plugin> Entry<P> {
    const ACTIONS: &'static postroom_actions_v1 = &postroom_actions_v1 {
        struct_size: abi::layout::size_of_u32::<postroom_actions_v1>(),
        reserved: 0,
        run: Some(Self::run),
        cancel: Some(Self::cancel_action),
    };

    /// # Safety
    ///
    /// As `get_extension` in the header.
    pub(super) unsafe extern "C" fn get_extension(id: postroom_str) -> *const c_void {
        // SAFETY: borrowed for this call.
        let id = unsafe { id.bytes() };
        // A host takes a table for the word that there are some.
        let acts = || guard(|| !P::actions().is_empty()).unwrap_or_default();
        if id == abi::POSTROOM_ACTIONS_V1.as_bytes() && acts() {
            std::ptr::from_ref(Self::ACTIONS).cast()
        } else {
            std::ptr::null()
        }
    }

    /// # Safety
    ///
    /// As `run` in the header.
    unsafe extern "C" fn run(
        instance: *mut c_void,
        action: *const postroom_action,
        done: postroom_action_done,
        user: *mut c_void,
    ) -> postroom_status {
        // SAFETY: made by `create` and not yet destroyed.
        let instance = unsafe { Self::instance(instance) };
        // SAFETY: the host's action, null or as long as its size says.
        let (Some(action), Some(done)) = (unsafe { sized::read(action) }, done) else {
            return abi::POSTROOM_E_INVALID;
        };
        // SAFETY: borrowed for this call.
        let name = unsafe { action.name.bytes() };
        // SAFETY: borrowed for this call.
        let input = unsafe { action.input_json.bytes() };
        let lease =
            ActionLease { done, user, token: action.token, ending: None, _open: instance.leases().open() };
        // From here on the lease ends the run, whatever happens: so it counts as begun even after a panic.
        drop(guard(|| instance.run_action(lease, name, input, action.deadline_unix_ms)));
        abi::POSTROOM_OK
    }

    /// # Safety
    ///
    /// As `cancel` of `postroom_actions_v1` in the header.
    unsafe extern "C" fn cancel_action(instance: *mut c_void, token: postroom_token) {
        // SAFETY: made by `create` and not yet destroyed.
        let instance = unsafe { Self::instance(instance) };
        drop(guard(|| instance.cancel_action(token)));
    }
}
