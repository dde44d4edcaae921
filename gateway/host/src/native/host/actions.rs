//! Actions inside the plugin, and the function by which it ends them.
#![expect(unsafe_code, reason = "called by the plugin with pointers of its own")]

use std::{
    collections::HashMap,
    ffi::c_void,
    mem::offset_of,
    ptr,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use postroom_abi::{
    POSTROOM_E_INTERNAL, POSTROOM_E_INVALID, POSTROOM_E_STALE, POSTROOM_E_TOO_LARGE, POSTROOM_OK,
    postroom_action_result, postroom_status, postroom_str, postroom_token,
};
use postroom_core::limits;

use super::{CUT_BYTES, Context, open_context};
use crate::{
    action::{ActionReport, OUTPUT_BYTES_MAX},
    native::memory::copy_text,
};

/// The actions of one instance that have not ended.
#[derive(Default)]
pub(in crate::native) struct ActionRuns {
    running: Mutex<HashMap<postroom_token, Run>>,
    idle: Condvar,
}

#[derive(Default)]
struct Run {
    cancelled: bool,
}

impl ActionRuns {
    pub(in crate::native) fn add(&self, token: postroom_token) {
        self.lock().insert(token, Run::default());
    }

    /// Takes back an action that the plugin did not begin; false when the plugin ended it all the same.
    pub(in crate::native) fn withdraw(&self, token: postroom_token) -> bool {
        self.take(token).is_some()
    }

    /// Marks an action as no longer wanted; false when it has ended.
    pub(in crate::native) fn cancel(&self, token: postroom_token) -> bool {
        self.lock().get_mut(&token).is_some_and(|run| {
            run.cancelled = true;
            true
        })
    }

    pub(in crate::native) fn tokens(&self) -> Vec<postroom_token> {
        self.lock().keys().copied().collect()
    }

    pub(in crate::native) fn wait_idle(&self, limit: Duration) {
        // Whether they have ended or the time ran out makes no difference: the end comes either way.
        drop(self.idle.wait_timeout_while(self.lock(), limit, |running| !running.is_empty()));
    }

    pub(in crate::native) fn clear(&self) {
        self.lock().clear();
    }

    fn take(&self, token: postroom_token) -> Option<Run> {
        let mut running = self.lock();
        let taken = running.remove(&token);
        if running.is_empty() {
            self.idle.notify_all();
        }
        taken
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<postroom_token, Run>> {
        // Nothing panics while the lock is held; a poisoned map would be whole.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `postroom_action_done`, whose `user` is the context.
pub(in crate::native) unsafe extern "C" fn done(
    user: *mut c_void,
    token: postroom_token,
    result: *const postroom_action_result,
) -> postroom_status {
    // SAFETY: the contract has the plugin pass the `user` that it was given.
    let context: &Context = match unsafe { open_context(user) } {
        Ok(context) => context,
        Err(status) => return status,
    };
    if result.is_null() {
        return POSTROOM_E_INVALID;
    }
    // SAFETY: not null, and the contract has the plugin keep the result and its texts during the call.
    let Some(copy) = (unsafe { copy_result(result) }) else { return POSTROOM_E_INVALID };
    // Double, late and forged ends all end here: their token is not running.
    let Some(run) = context.actions.take(token) else {
        context.faults.stale();
        return POSTROOM_E_STALE;
    };
    let too_large = copy.output_json.len > OUTPUT_BYTES_MAX;
    // SAFETY: the texts are the plugin's, or empty where its struct does not reach.
    let report = if too_large { ActionReport::of(POSTROOM_E_TOO_LARGE) } else { unsafe { report(&copy) } };
    context.services.action_ended(token, report);
    match run {
        Run { cancelled: true } => POSTROOM_E_STALE,
        Run { cancelled: false } if too_large => POSTROOM_E_TOO_LARGE,
        Run { cancelled: false } => POSTROOM_OK,
    }
}

/// Copies the fields that `struct_size` covers; the others count as empty. `None` when it does not even cover the status.
///
/// # Safety
/// `result` points to as many bytes as its `struct_size` says.
unsafe fn copy_result(result: *const postroom_action_result) -> Option<postroom_action_result> {
    // SAFETY: every version of the struct begins with its size.
    let stated = unsafe { (*result).struct_size } as usize;
    // Only whole fields are read: a size that ends inside a field does not cover it.
    let known = [
        size_of::<postroom_action_result>(),
        offset_of!(postroom_action_result, message),
        offset_of!(postroom_action_result, output_json),
    ]
    .into_iter()
    .find(|end| *end <= stated)?;
    let mut copy = postroom_action_result {
        struct_size: 0,
        status: POSTROOM_E_INTERNAL,
        output_json: postroom_str::EMPTY,
        message: postroom_str::EMPTY,
    };
    // SAFETY: `known` bytes are there by the plugin's own word and fit into the copy.
    unsafe { ptr::copy_nonoverlapping(result.cast::<u8>(), (&raw mut copy).cast::<u8>(), known) };
    Some(copy)
}

/// # Safety
/// The texts of `result` live until this returns.
unsafe fn report(result: &postroom_action_result) -> ActionReport {
    // SAFETY: by the caller.
    let output = unsafe { result.output_json.bytes() };
    // Put right, it would grow; and what is no text is no JSON anyway.
    let Ok(output_json) = str::from_utf8(output) else {
        let message = "its output is not UTF-8".to_owned();
        return ActionReport { message, ..ActionReport::of(POSTROOM_E_INTERNAL) };
    };
    // SAFETY: by the caller.
    let message = unsafe { copy_text(result.message, limits::MESSAGE_BYTES_MAX + CUT_BYTES) };
    ActionReport { status: result.status, output_json: output_json.to_owned(), message }
}
