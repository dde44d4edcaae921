//! The functions for durable state that a plugin may call, and the answers on their way back to it.
#![expect(unsafe_code, reason = "called by the plugin with pointers of its own, and calls it back")]

use std::{
    cell::Cell,
    collections::HashMap,
    ffi::c_void,
    mem::{self, offset_of},
    ptr,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use postroom_abi::{
    POSTROOM_E_CONFLICT, POSTROOM_E_DENIED, POSTROOM_E_INVALID, POSTROOM_E_NOT_FOUND, POSTROOM_E_STALE,
    POSTROOM_E_TOO_LARGE, POSTROOM_E_UNAVAILABLE, POSTROOM_OK, POSTROOM_STATE_DELETE, POSTROOM_STATE_GET,
    POSTROOM_STATE_LIST, POSTROOM_STATE_PUT, postroom_sink, postroom_state_cb, postroom_state_op,
    postroom_state_result, postroom_status, postroom_str,
};

use super::{Context, open_context};
use crate::{
    native::{event::struct_size, memory::write_to_sink},
    plugin_state::{
        Expected, KEY_BYTES_MAX, StateOperation, StateReply, VALUE_BYTES_MAX, WAITING_BYTES_MAX, WAITING_MAX,
    },
};

/// The operations of one instance that wait for their answer.
#[derive(Default)]
pub(super) struct StateCalls {
    waiting: Mutex<Waiting>,
    /// No callback runs any more, while somebody waits for that.
    quiet: Condvar,
}

#[derive(Default)]
struct Waiting {
    last_request: u64,
    calls: HashMap<u64, Call>,
    /// What the operations take, in bytes.
    bytes: usize,
    /// Callbacks inside the plugin.
    running: usize,
    /// No more callbacks are begun.
    no_callbacks: bool,
    closed: bool,
}

struct Call {
    bytes: usize,
    way: Way,
}

/// The way back to the plugin.
enum Way {
    Callback(Callback),
    Thread(Arc<Slot>),
    /// Nobody waits any more. The gateway still works on it, and takes only so many at once.
    GivenUp,
}

struct Callback {
    call: unsafe extern "C" fn(*mut c_void, *const postroom_state_result),
    user: *mut c_void,
}

// SAFETY: the contract lets the callback come from any thread, and `user` is only handed to it.
unsafe impl Send for Callback {}

impl Callback {
    fn call(&self, reply: &StateReply) {
        let (status, version, value) = parts(reply);
        let result = postroom_state_result {
            struct_size: struct_size::<postroom_state_result>(),
            status,
            version,
            value: postroom_str::of(value),
        };
        // Whoever answers also reads the next answer: waiting for one in here would be for ever.
        let _no_wait = NoWait::enter();
        // SAFETY: the plugin gave the function together with `user` for exactly one call, which this is.
        unsafe { (self.call)(self.user, &raw const result) };
    }
}

/// Where a thread of the plugin waits.
#[derive(Default)]
struct Slot {
    reply: Mutex<Option<StateReply>>,
    came: Condvar,
}

impl Slot {
    fn fill(&self, reply: StateReply) {
        *self.reply.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
        self.came.notify_all();
    }

    fn wait(&self, limit: Duration) -> Option<StateReply> {
        let reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.came.wait_timeout_while(reply, limit, |reply| reply.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.take()
    }
}

impl StateCalls {
    /// Notes an operation before it is sent and gives the number that its answer is going to have.
    fn begin(&self, operation: &StateOperation, way: Way) -> Result<u64, postroom_status> {
        let mut waiting = self.lock();
        if waiting.closed || (waiting.no_callbacks && matches!(way, Way::Callback(_))) {
            return Err(POSTROOM_E_STALE);
        }
        let bytes = operation.bytes();
        if waiting.calls.len() >= WAITING_MAX || waiting.bytes + bytes > WAITING_BYTES_MAX {
            return Err(POSTROOM_E_UNAVAILABLE);
        }
        waiting.last_request += 1;
        waiting.bytes += bytes;
        let request = waiting.last_request;
        waiting.calls.insert(request, Call { bytes, way });
        Ok(request)
    }

    /// Hands an answer to whoever waits for it.
    pub(super) fn answer(&self, request: u64, reply: StateReply) {
        let mut waiting = self.lock();
        let Some(way) = waiting.take(request) else { return };
        match way {
            // With the lock held: a thread that gives up then finds either its call or its answer.
            Way::Thread(slot) => slot.fill(reply),
            Way::GivenUp => {}
            Way::Callback(callback) => {
                waiting.running += 1;
                drop(waiting);
                callback.call(&reply);
                let mut waiting = self.lock();
                waiting.running -= 1;
                if waiting.no_callbacks && waiting.running == 0 {
                    self.quiet.notify_all();
                }
            }
        }
    }

    /// Gives up on an operation, which keeps its place until it is answered; false when the answer has come.
    fn give_up(&self, request: u64) -> bool {
        let mut waiting = self.lock();
        let call = waiting.calls.get_mut(&request);
        call.map(|call| call.way = Way::GivenUp).is_some()
    }

    /// Ends every callback that is still owed, as stale, and begins no more. Comes back when none is inside the plugin.
    pub(super) fn end_callbacks(&self) {
        let mut waiting = self.lock();
        waiting.no_callbacks = true;
        let callbacks = waiting.calls.values_mut().filter(|call| matches!(call.way, Way::Callback(_)));
        let owed: Vec<Way> = callbacks.map(|call| mem::replace(&mut call.way, Way::GivenUp)).collect();
        while waiting.running > 0 {
            waiting = self.quiet.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        drop(waiting);
        for way in owed {
            if let Way::Callback(callback) = way {
                callback.call(&StateReply::Stale);
            }
        }
    }

    /// Takes no more operations and wakes the threads that wait. Nobody is called back.
    pub(super) fn close(&self) {
        let mut waiting = self.lock();
        (waiting.closed, waiting.no_callbacks, waiting.bytes) = (true, true, 0);
        for (_, call) in waiting.calls.drain() {
            if let Way::Thread(slot) = call.way {
                slot.fill(StateReply::Stale);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No plugin code runs while the lock is held; a poisoned map would be whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn take(&mut self, request: u64) -> Option<Way> {
        let call = self.calls.remove(&request)?;
        self.bytes -= call.bytes;
        Some(call.way)
    }
}

thread_local! {
    static MAY_WAIT: Cell<bool> = const { Cell::new(true) };
}

/// While there is one, `state_wait` is refused on this thread.
pub(in crate::native) struct NoWait {
    before: bool,
}

impl NoWait {
    pub(in crate::native) fn enter() -> Self {
        Self { before: MAY_WAIT.replace(false) }
    }
}

impl Drop for NoWait {
    fn drop(&mut self) {
        MAY_WAIT.set(self.before);
    }
}

pub(super) unsafe extern "C" fn state(
    ctx: *mut c_void,
    op: *const postroom_state_op,
    cb: postroom_state_cb,
    user: *mut c_void,
) -> postroom_status {
    // SAFETY: the contract has the plugin pass the `ctx` of its table.
    let context = match unsafe { open_context(ctx) } {
        Ok(context) => context,
        Err(status) => return status,
    };
    let Some(call) = cb else { return POSTROOM_E_INVALID };
    // SAFETY: null, or an operation that the contract has the plugin keep during the call.
    match unsafe { begin(context, op, Way::Callback(Callback { call, user })) } {
        Ok(_) => POSTROOM_OK,
        Err(status) => status,
    }
}

pub(super) unsafe extern "C" fn state_wait(
    ctx: *mut c_void,
    op: *const postroom_state_op,
    timeout_ms: u32,
    value: *mut postroom_sink,
    version: *mut u64,
) -> postroom_status {
    // SAFETY: the contract has the plugin pass the `ctx` of its table.
    let context = match unsafe { open_context(ctx) } {
        Ok(context) => context,
        Err(status) => return status,
    };
    if !MAY_WAIT.get() {
        return POSTROOM_E_DENIED;
    }
    let slot = Arc::new(Slot::default());
    // SAFETY: null, or an operation that the contract has the plugin keep during the call.
    let request = match unsafe { begin(context, op, Way::Thread(Arc::clone(&slot))) } {
        Ok(request) => request,
        Err(status) => return status,
    };
    let mut reply = slot.wait(Duration::from_millis(timeout_ms.into()));
    if reply.is_none() && !context.state.give_up(request) {
        reply = slot.wait(Duration::ZERO);
    }
    let reply = reply.unwrap_or(StateReply::Unavailable);
    let (status, found, bytes) = parts(&reply);
    if !version.is_null() {
        // SAFETY: not null, and the contract has the plugin keep the number there during the call.
        unsafe { version.write(found) };
    }
    if status != POSTROOM_OK || value.is_null() {
        return status;
    }
    // SAFETY: the contract has the plugin pass a sink of its own, or null.
    unsafe { write_to_sink(value, bytes) }
}

/// Sends an operation on its way.
///
/// # Safety
/// `op` is null or points to as many bytes as its `struct_size` says, and its texts live until this returns.
unsafe fn begin(context: &Context, op: *const postroom_state_op, way: Way) -> Result<u64, postroom_status> {
    if op.is_null() {
        return Err(POSTROOM_E_INVALID);
    }
    // SAFETY: not null, and the caller vouches for it.
    let operation = unsafe { copy_operation(op) }?;
    let request = context.state.begin(&operation, way)?;
    context.services.state(request, operation);
    Ok(request)
}

/// Copies the fields that `struct_size` covers; the others count as 0 or empty.
///
/// # Safety
/// As [`begin`], and `op` is not null.
unsafe fn copy_operation(op: *const postroom_state_op) -> Result<StateOperation, postroom_status> {
    // SAFETY: every version of the struct begins with its size.
    let stated = unsafe { (*op).struct_size } as usize;
    let known = [
        size_of::<postroom_state_op>(),
        offset_of!(postroom_state_op, ttl_ms),
        offset_of!(postroom_state_op, expected_version),
        offset_of!(postroom_state_op, value),
    ]
    .into_iter()
    .find(|end| *end <= stated)
    .ok_or(POSTROOM_E_INVALID)?;
    let mut copy = postroom_state_op {
        struct_size: 0,
        op: 0,
        key: postroom_str::EMPTY,
        value: postroom_str::EMPTY,
        expected_version: 0,
        ttl_ms: 0,
    };
    // SAFETY: `known` bytes are there by the plugin's own word and fit into the copy.
    unsafe { ptr::copy_nonoverlapping(op.cast::<u8>(), (&raw mut copy).cast::<u8>(), known) };
    if copy.key.len > KEY_BYTES_MAX {
        return Err(POSTROOM_E_TOO_LARGE);
    }
    // SAFETY: the caller vouches for the key.
    let key = std::str::from_utf8(unsafe { copy.key.bytes() }).map_err(|_| POSTROOM_E_INVALID)?.to_owned();
    let expected = Expected::from_abi(copy.expected_version);
    let operation = match copy.op {
        POSTROOM_STATE_GET => StateOperation::Get { key },
        POSTROOM_STATE_PUT => {
            if copy.value.len > VALUE_BYTES_MAX {
                return Err(POSTROOM_E_TOO_LARGE);
            }
            // SAFETY: the caller vouches for the value.
            let value = Bytes::copy_from_slice(unsafe { copy.value.bytes() });
            let ttl = (copy.ttl_ms > 0).then(|| Duration::from_millis(copy.ttl_ms));
            StateOperation::Put { key, value, expected, ttl }
        }
        POSTROOM_STATE_DELETE => StateOperation::Delete { key, expected },
        POSTROOM_STATE_LIST => StateOperation::List { prefix: key },
        _ => return Err(POSTROOM_E_INVALID),
    };
    if operation.is_within_limits() { Ok(operation) } else { Err(POSTROOM_E_INVALID) }
}

/// An answer as the ABI has it.
fn parts(reply: &StateReply) -> (postroom_status, u64, &[u8]) {
    match reply {
        StateReply::Done { version, value } => (POSTROOM_OK, *version, value),
        StateReply::NotFound => (POSTROOM_E_NOT_FOUND, 0, &[]),
        StateReply::Conflict { version } => (POSTROOM_E_CONFLICT, *version, &[]),
        StateReply::TooLarge => (POSTROOM_E_TOO_LARGE, 0, &[]),
        StateReply::Unavailable => (POSTROOM_E_UNAVAILABLE, 0, &[]),
        StateReply::Stale => (POSTROOM_E_STALE, 0, &[]),
    }
}
