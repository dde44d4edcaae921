//! One instance of a plugin, from create to destroy.
#![expect(unsafe_code, reason = "calls the plugin's functions")]

use std::{
    ffi::c_void,
    ptr,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use postroom_abi::{
    POSTROOM_E_CONFIG, POSTROOM_E_STALE, POSTROOM_E_UNSUPPORTED, POSTROOM_OK, postroom_action,
    postroom_status, postroom_str, postroom_token,
};

use super::{
    event::{EventMemory, struct_size},
    host::{Context, Host, NoWait, done},
    library::Library,
    memory::{with_errbuf, with_sink},
    status::Status,
};
use crate::{
    offer::Offer,
    plugin_health::{DETAIL_BYTES_MAX, HealthReport},
};

/// Why no instance was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateError {
    #[error("the plugin refuses its config: {message}")]
    Refused { message: String },
    #[error("the plugin could not be started, {status}: {message}")]
    Failed { status: Status, message: String },
}

/// A plugin at work.
pub(crate) struct Instance {
    library: Library,
    context: &'static Context,
    instance: *mut c_void,
    calls: Calls,
}

// SAFETY: the contract lets `deliver` and `cancel` be called from any thread at once; `destroy` runs once, after all of
// them have returned, which `Calls` sees to.
unsafe impl Send for Instance {}
// SAFETY: as above.
unsafe impl Sync for Instance {}

impl Instance {
    /// Makes an instance with this config.
    pub(crate) fn create(library: Library, config_json: &str, host: Host) -> Result<Self, CreateError> {
        let Host { context, table } = host;
        let config = postroom_str::of(config_json.as_bytes());
        let mut instance = ptr::null_mut();
        // SAFETY: the table lives for ever, the rest during the call.
        let create = |err| unsafe { (library.create)(table, config, &raw mut instance, err) };
        match with_errbuf(create) {
            (POSTROOM_OK, _) => Ok(Self { library, context, instance, calls: Calls::default() }),
            (status, message) => {
                context.close();
                Err(match status {
                    POSTROOM_E_CONFIG => CreateError::Refused { message },
                    status => CreateError::Failed { status: Status(status), message },
                })
            }
        }
    }

    /// Offers a delivery. After OK, [`Services::completed`] or [`Services::released`] follows once, maybe before this
    /// returns; after anything else the plugin has not taken it.
    pub(crate) fn deliver(&self, offer: Offer) -> postroom_status {
        let Some(_call) = self.calls.enter() else { return POSTROOM_E_STALE };
        let token: postroom_token = offer.token;
        let event = Arc::new(EventMemory::new(offer));
        self.context.add(token, Arc::clone(&event));
        // The caller's thread reads the answers too, unless the plugin is one that blocks and has threads for it.
        let _no_wait = (!self.library.blocks()).then(NoWait::enter);
        let began = Instant::now();
        // SAFETY: the instance is made and not destroyed. The event lives until it is completed, and here until
        // `deliver` returns, so a plugin that looks at it once more after completing it does no harm.
        let status = unsafe { (self.library.deliver)(self.instance, token, event.raw()) };
        if !self.library.blocks() {
            self.context.faults.delivered(began.elapsed());
        }
        // A plugin that completes a delivery and then refuses it contradicts itself: its first word counts.
        if status != POSTROOM_OK && !self.context.withdraw(token) {
            self.context.faults.stale();
            return POSTROOM_OK;
        }
        status
    }

    /// Gives a delivery up: its completion is going to be stale. Unknown and ended ones are passed over.
    pub(crate) fn cancel(&self, token: postroom_token) {
        if self.context.cancel(token) {
            self.hurry(token);
        }
    }

    /// Tells the plugin to be done with a delivery.
    fn hurry(&self, token: postroom_token) {
        let Some(_call) = self.calls.enter() else { return };
        if let Some(cancel) = self.library.table.cancel {
            let _no_wait = NoWait::enter();
            // SAFETY: the instance is made and not destroyed.
            unsafe { cancel(self.instance, token) };
        }
    }

    /// Starts an action. After OK, [`Services::action_ended`] follows once, maybe before this returns; after anything else
    /// the plugin has not begun it. This may take as long as the action.
    ///
    /// [`Services::action_ended`]: super::Services::action_ended
    pub(crate) fn run_action(
        &self,
        token: postroom_token,
        deadline_unix_ms: u64,
        name: &str,
        input_json: &[u8],
    ) -> postroom_status {
        let Some(_call) = self.calls.enter() else { return POSTROOM_E_STALE };
        let Some(actions) = &self.library.actions else { return POSTROOM_E_UNSUPPORTED };
        let action = postroom_action {
            struct_size: struct_size::<postroom_action>(),
            reserved: 0,
            token,
            deadline_unix_ms,
            name: postroom_str::of(name.as_bytes()),
            input_json: postroom_str::of(input_json),
        };
        self.context.actions.add(token);
        let user = ptr::from_ref(self.context).cast_mut().cast();
        // SAFETY: the instance is made and not destroyed. The action lives during the call, the context for ever.
        let status = unsafe { (actions.run)(self.instance, &raw const action, Some(done), user) };
        // As with a delivery: the first word counts.
        if status != POSTROOM_OK && !self.context.actions.withdraw(token) { POSTROOM_OK } else { status }
    }

    /// Gives an action up. Unknown and ended ones are passed over.
    pub(crate) fn cancel_action(&self, token: postroom_token) {
        if self.context.actions.cancel(token) {
            self.hurry_action(token);
        }
    }

    /// Tells the plugin to be done with an action.
    fn hurry_action(&self, token: postroom_token) {
        let Some(_call) = self.calls.enter() else { return };
        if let Some(cancel) = self.library.actions.and_then(|actions| actions.cancel) {
            let _no_wait = NoWait::enter();
            // SAFETY: the instance is made and not destroyed.
            unsafe { cancel(self.instance, token) };
        }
    }

    /// Asks the plugin how it is; `None` from a plugin that cannot be asked, or is being destroyed.
    pub(crate) fn health(&self) -> Option<HealthReport> {
        let _call = self.calls.enter()?;
        let health = self.library.table.health?;
        // SAFETY: the instance is made and not destroyed; the sink lives during the call.
        let ask = |sink| unsafe { health(self.instance, sink) };
        let (status, detail) = with_sink(DETAIL_BYTES_MAX, ask);
        Some(HealthReport { status, detail_json: String::from_utf8_lossy(&detail).into_owned() })
    }

    /// Waits until the plugin has ended every delivery and action, at most for `limit`.
    pub(crate) fn wait_idle(&self, limit: Duration) {
        let begun = Instant::now();
        self.context.wait_idle(limit);
        self.context.actions.wait_idle(limit.saturating_sub(begun.elapsed()));
    }

    /// Tells the plugin to flush: no more deliveries will come.
    pub(crate) fn drain(&self, deadline_unix_ms: u64) {
        let Some(_call) = self.calls.enter() else { return };
        if let Some(drain) = self.library.table.drain {
            // SAFETY: the instance is made and not destroyed.
            unsafe { drain(self.instance, deadline_unix_ms) };
        }
    }

    /// Has the plugin break off what is still in flight, waits for calls that are inside it, and ends the instance.
    /// What the plugin says of a delivery still counts, until it is gone.
    ///
    /// A plugin that never comes back holds this up for ever: the caller limits the time from outside.
    pub(crate) fn destroy(&self) {
        for token in self.context.tokens() {
            self.hurry(token);
        }
        for token in self.context.actions.tokens() {
            self.hurry_action(token);
        }
        if !self.calls.close() {
            return;
        }
        // Before the plugin frees what its callbacks need.
        self.context.end_callbacks();
        // SAFETY: no call is inside the plugin, none will follow, and `close` lets only one caller get here.
        unsafe { (self.library.destroy)(self.instance) };
        self.context.close();
    }
}

/// Counts the calls inside the plugin, so that `destroy` comes after them.
#[derive(Default)]
struct Calls {
    state: Mutex<CallState>,
    left: Condvar,
}

#[derive(Default)]
struct CallState {
    inside: usize,
    closed: bool,
}

impl Calls {
    /// `None` once destruction has begun.
    fn enter(&self) -> Option<Call<'_>> {
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        state.inside += 1;
        Some(Call { calls: self })
    }

    /// Lets nobody in any more and waits until all have left; false when somebody else did so before.
    fn close(&self) -> bool {
        let mut state = self.lock();
        if std::mem::replace(&mut state.closed, true) {
            return false;
        }
        while state.inside > 0 {
            state = self.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, CallState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Call<'a> {
    calls: &'a Calls,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let mut state = self.calls.lock();
        state.inside -= 1;
        // Asked first: to notify nobody costs a system call too, and this is done for each delivery.
        if state.closed && state.inside == 0 {
            self.calls.left.notify_all();
        }
    }
}
