//! The functions that a plugin may call.
#![expect(unsafe_code, reason = "called by the plugin with pointers of its own")]

mod actions;
mod emit;
mod faults;
mod measure;
mod state;

use std::{
    collections::HashMap,
    ffi::c_void,
    mem::offset_of,
    ptr,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use postroom_abi::{
    POSTROOM_ABI_MAJOR, POSTROOM_ABI_MINOR, POSTROOM_E_DENIED, POSTROOM_E_INVALID, POSTROOM_E_STALE,
    POSTROOM_EMIT_V1, POSTROOM_OK, POSTROOM_OUT_RETRY, postroom_host, postroom_outcome, postroom_sink,
    postroom_status, postroom_str, postroom_token,
};
use postroom_core::{limits, secret::Secret};

pub(super) use self::measure::Deadline;
use self::{actions::ActionRuns, faults::FaultCounter};
pub(super) use self::{actions::done, state::NoWait};
use self::{emit::EmitCalls, state::StateCalls};
use super::{
    event::{EventMemory, struct_size},
    library::CAPABILITIES,
    memory::{copy_text, write_to_sink},
};
use crate::{
    action::ActionReport,
    clock,
    faults::Faults,
    outcome::{CODE_BYTES_MAX, Report},
    plugin_emit::{EmitReply, EmitRequest},
    plugin_log::{self, LogRecord},
    plugin_metrics::{Measurement, MetricKind},
    plugin_state::{StateOperation, StateReply},
};

const SECRET_NAME_BYTES_MAX: usize = 256;
const EXTENSION_BYTES_MAX: usize = 128;
/// Longer than any UTF-8 character: a text copied with this much to spare can be cut on a character border.
const CUT_BYTES: usize = 4;

/// What the maker of an instance does for its plugin. Called from any thread; never blocks.
pub(crate) trait Services: Send + Sync + 'static {
    /// The plugin ended a delivery.
    fn completed(&self, token: u64, report: Report);
    /// The plugin ended a delivery that had been cancelled.
    fn released(&self, token: u64, report: Report);
    /// Highest `POSTROOM_LOG_*` worth formatting.
    fn log_level(&self) -> u32;
    /// The plugin logs.
    fn log(&self, record: LogRecord);
    /// The secret of this name, if the instance may have it.
    fn secret(&self, name: &str) -> Option<Secret>;
    /// The plugin ended an action.
    fn action_ended(&self, token: u64, report: ActionReport);
    /// The plugin has more time for a delivery: `want_ms` from now, as far as the gateway allows.
    fn extended(&self, token: u64, want_ms: u32);
    /// Whether the plugin has declared such a metric.
    fn has_metric(&self, kind: MetricKind, name: &str) -> bool;
    /// The plugin measures something that it has declared; false when it was dropped.
    fn measured(&self, measurement: Measurement) -> bool;
    /// Whether the plugin may make events.
    fn may_emit(&self) -> bool;
    /// The plugin makes an event; [`Host::answer_emit`] takes the answer to this request.
    fn emit(&self, request: u64, event: EmitRequest);
    /// The plugin asks for something about its state; [`Host::answer_state`] takes the answer to this request.
    fn state(&self, request: u64, operation: StateOperation);
}

/// What a plugin is given of its host. There is one for each instance, and it is never freed, so that a call after
/// `destroy` meets live memory.
#[derive(Clone, Copy)]
pub(crate) struct Host {
    pub(super) context: &'static Context,
    pub(super) table: &'static postroom_host,
}

// SAFETY: the table is never changed, and its `ctx` leads to the context, which any thread may use.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

impl Host {
    pub(crate) fn new(services: Box<dyn Services>) -> Self {
        let (context, table) = Context::leak(services);
        Self { context, table }
    }

    /// Takes the answer to [`Services::emit`].
    pub(crate) fn answer_emit(self, request: u64, reply: EmitReply) {
        self.context.answer_emit(request, reply);
    }

    /// How often the plugin broke which rule, as far as can be seen from here.
    pub(crate) fn faults(self) -> Faults {
        self.context.faults.counts()
    }

    /// Takes the answer to [`Services::state`]. Also while the instance is still being made.
    pub(crate) fn answer_state(self, request: u64, reply: StateReply) {
        self.context.state.answer(request, reply);
    }
}

/// What stands behind `host->ctx`. Never freed, so that a call after `destroy` meets live memory.
pub(super) struct Context {
    services: Box<dyn Services>,
    pending: Mutex<HashMap<postroom_token, Pending>>,
    pub(super) actions: ActionRuns,
    pub(super) faults: FaultCounter,
    emit: EmitCalls,
    state: StateCalls,
    idle: Condvar,
    /// Somebody waits for `idle`, or has.
    waited_for: AtomicBool,
    closed: AtomicBool,
}

struct Pending {
    event: Arc<EventMemory>,
    cancelled: bool,
    /// The events that it has made.
    made: emit::Made,
    deadline: Deadline,
}

impl Context {
    /// Makes the context and the table that leads to it; both live as long as the process.
    fn leak(services: Box<dyn Services>) -> (&'static Self, &'static postroom_host) {
        let context: &'static Self = Box::leak(Box::new(Self {
            services,
            pending: Mutex::default(),
            actions: ActionRuns::default(),
            faults: FaultCounter::default(),
            emit: EmitCalls::default(),
            state: StateCalls::default(),
            idle: Condvar::new(),
            waited_for: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }));
        let host = postroom_host {
            struct_size: struct_size::<postroom_host>(),
            abi_major: POSTROOM_ABI_MAJOR,
            abi_minor: POSTROOM_ABI_MINOR,
            capabilities: CAPABILITIES,
            ctx: ptr::from_ref(context).cast_mut().cast(),
            complete: Some(complete),
            extend: Some(measure::extend),
            log_level: Some(log_level),
            log: Some(log),
            metric: Some(measure::metric),
            state: Some(state::state),
            state_wait: Some(state::state_wait),
            now_unix_ms: Some(now_unix_ms),
            monotonic_ns: Some(monotonic_ns),
            secret: Some(secret),
            get_extension: Some(get_extension),
        };
        (context, Box::leak(Box::new(host)))
    }

    pub(super) fn add(&self, token: postroom_token, event: Arc<EventMemory>) {
        let deadline = event.deadline();
        let pending = Pending { event, cancelled: false, made: emit::Made::default(), deadline };
        self.pending().insert(token, pending);
    }

    /// Takes back a delivery that the plugin did not accept; false when the plugin completed it all the same.
    pub(super) fn withdraw(&self, token: postroom_token) -> bool {
        self.take(token).is_some()
    }

    /// Marks a delivery as no longer wanted; false when it has ended.
    pub(super) fn cancel(&self, token: postroom_token) -> bool {
        self.pending().get_mut(&token).is_some_and(|pending| {
            pending.cancelled = true;
            true
        })
    }

    pub(super) fn wait_idle(&self, limit: Duration) {
        let busy = |pending: &mut HashMap<_, _>| !pending.is_empty();
        // Before the lock: whoever takes the last delivery out either sees this, or is seen to have done so.
        self.waited_for.store(true, Ordering::Relaxed);
        // Whether it became idle or the time ran out makes no difference: the end comes either way.
        drop(self.idle.wait_timeout_while(self.pending(), limit, busy));
    }

    pub(super) fn tokens(&self) -> Vec<postroom_token> {
        self.pending().keys().copied().collect()
    }

    /// Ends, as stale, what the plugin has asked of its state and wants to be called back for. Threads of the plugin may
    /// still ask and wait.
    pub(super) fn end_callbacks(&self) {
        self.state.end_callbacks();
        self.emit.end_callbacks();
    }

    /// Refuses every later call of the plugin and frees the events that it never ended.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.state.close();
        self.emit.close();
        self.actions.clear();
        self.pending().clear();
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<postroom_token, Pending>> {
        // Nothing panics while the lock is held; a poisoned map would be whole.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, token: postroom_token) -> Option<Pending> {
        let mut pending = self.pending();
        let taken = pending.remove(&token);
        // Asked first: to notify nobody costs a system call too, and this is done for each delivery.
        if pending.is_empty() && self.waited_for.load(Ordering::Relaxed) {
            self.idle.notify_all();
        }
        taken
    }

    fn complete(&self, token: postroom_token, report: Report) -> postroom_status {
        // Double, late and forged completions all end here: their token is not pending.
        let Some(pending) = self.take(token) else {
            self.faults.stale();
            return POSTROOM_E_STALE;
        };
        if pending.cancelled {
            self.services.released(token, report);
            return POSTROOM_E_STALE;
        }
        self.services.completed(token, report);
        // The plugin may read the event until this call returns.
        drop(pending.event);
        POSTROOM_OK
    }
}

/// The context of an open instance; the status to answer when there is none.
///
/// # Safety
/// `ctx` is null or the `ctx` of a table that [`Context::leak`] made.
unsafe fn open_context(ctx: *mut c_void) -> Result<&'static Context, postroom_status> {
    if ctx.is_null() {
        return Err(POSTROOM_E_INVALID);
    }
    // SAFETY: contexts are leaked, so every one that was ever made is still there.
    let context = unsafe { &*ctx.cast_const().cast::<Context>() };
    if context.closed.load(Ordering::Acquire) {
        context.faults.late();
        return Err(POSTROOM_E_STALE);
    }
    Ok(context)
}

unsafe extern "C" fn complete(
    ctx: *mut c_void,
    token: postroom_token,
    outcome: *const postroom_outcome,
) -> postroom_status {
    // SAFETY: the contract has the plugin pass the `ctx` of its table.
    let context = match unsafe { open_context(ctx) } {
        Ok(context) => context,
        Err(status) => return status,
    };
    if outcome.is_null() {
        return POSTROOM_E_INVALID;
    }
    // SAFETY: not null, and the contract has the plugin keep the outcome and its texts during the call.
    match unsafe { copy_outcome(outcome) } {
        Some(report) => context.complete(token, report),
        None => POSTROOM_E_INVALID,
    }
}

/// Copies the fields that `struct_size` covers; the others count as empty. `None` when it does not even cover the kind.
///
/// # Safety
/// `outcome` points to as many bytes as its `struct_size` says, and its texts live until this returns.
unsafe fn copy_outcome(outcome: *const postroom_outcome) -> Option<Report> {
    // SAFETY: every version of the struct begins with its size.
    let stated = unsafe { (*outcome).struct_size } as usize;
    // Only whole fields are read: a size that ends inside a field does not cover it.
    let known = [
        size_of::<postroom_outcome>(),
        offset_of!(postroom_outcome, record_json),
        offset_of!(postroom_outcome, message),
        offset_of!(postroom_outcome, code),
        offset_of!(postroom_outcome, retry_after_ms),
    ]
    .into_iter()
    .find(|end| *end <= stated)?;
    let mut copy = postroom_outcome::of(POSTROOM_OUT_RETRY);
    // SAFETY: `known` bytes are there by the plugin's own word and fit into the copy.
    unsafe { ptr::copy_nonoverlapping(outcome.cast::<u8>(), (&raw mut copy).cast::<u8>(), known) };
    // SAFETY: the texts are the plugin's, or empty where its struct does not reach.
    let text = |text, bytes_max| unsafe { copy_text(text, bytes_max) };
    Some(Report {
        kind: copy.kind,
        retry_after_ms: copy.retry_after_ms,
        code: text(copy.code, CODE_BYTES_MAX),
        message: text(copy.message, limits::MESSAGE_BYTES_MAX + CUT_BYTES),
        // One byte more than is allowed, so that a record which is too large is seen to be so.
        record_json: text(copy.record_json, limits::RECORD_BYTES_MAX + 1),
    })
}

unsafe extern "C" fn log_level(ctx: *mut c_void) -> u32 {
    // SAFETY: the contract has the plugin pass the `ctx` of its table.
    unsafe { open_context(ctx) }.map_or(0, |context| context.services.log_level())
}

unsafe extern "C" fn log(
    ctx: *mut c_void,
    level: u32,
    token: postroom_token,
    target: postroom_str,
    message: postroom_str,
    fields_json: postroom_str,
) {
    // SAFETY: the contract has the plugin pass the `ctx` of its table.
    let Ok(context) = (unsafe { open_context(ctx) }) else { return };
    if level > context.services.log_level() {
        return;
    }
    // SAFETY: the contract has the plugin keep these texts during the call.
    let text = |text, bytes_max| unsafe { copy_text(text, bytes_max + CUT_BYTES) };
    context.services.log(LogRecord {
        level,
        token,
        target: text(target, plugin_log::TARGET_BYTES_MAX),
        message: text(message, plugin_log::MESSAGE_BYTES_MAX),
        fields_json: text(fields_json, plugin_log::FIELDS_BYTES_MAX),
    });
}

// A clock harms nobody: it answers after `destroy` too.
unsafe extern "C" fn now_unix_ms(_ctx: *mut c_void) -> u64 {
    clock::now_unix_ms()
}

unsafe extern "C" fn monotonic_ns(_ctx: *mut c_void) -> u64 {
    clock::monotonic_ns()
}

unsafe extern "C" fn secret(
    ctx: *mut c_void,
    name: postroom_str,
    value: *mut postroom_sink,
) -> postroom_status {
    // SAFETY: the contract has the plugin pass the `ctx` of its table.
    let context = match unsafe { open_context(ctx) } {
        Ok(context) => context,
        Err(status) => return status,
    };
    // SAFETY: the contract has the plugin keep the name during the call.
    let name = unsafe { copy_text(name, SECRET_NAME_BYTES_MAX) };
    match context.services.secret(&name) {
        // SAFETY: the contract has the plugin pass a sink of its own, or null.
        Some(secret) => unsafe { write_to_sink(value, secret.expose().as_bytes()) },
        None => POSTROOM_E_DENIED,
    }
}

unsafe extern "C" fn get_extension(ctx: *mut c_void, id: postroom_str) -> *const c_void {
    // SAFETY: the contract has the plugin pass the `ctx` of its table.
    let Ok(context) = (unsafe { open_context(ctx) }) else { return ptr::null() };
    // SAFETY: the contract has the plugin keep the name during the call.
    match unsafe { copy_text(id, EXTENSION_BYTES_MAX) }.as_str() {
        POSTROOM_EMIT_V1 if context.services.may_emit() => ptr::from_ref(&emit::TABLE).cast(),
        _ => ptr::null(),
    }
}
