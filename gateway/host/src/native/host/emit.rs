//! Extension `postroom.emit/1`: events that a plugin makes, and the answers on their way back to it.
#![expect(unsafe_code, reason = "called by the plugin with pointers of its own, and calls it back")]

use std::{
    collections::{BTreeMap, HashMap},
    ffi::c_void,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    slice,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use postroom_abi::{
    POSTROOM_E_DENIED, POSTROOM_E_INVALID, POSTROOM_E_STALE, POSTROOM_E_TOO_LARGE, POSTROOM_E_UNAVAILABLE,
    POSTROOM_OK, postroom_attr, postroom_emit_cb, postroom_emit_result, postroom_emit_v1, postroom_new_event,
    postroom_status, postroom_str, postroom_token,
};
use postroom_core::{event::Verdict, limits};

use super::{Context, NoWait, open_context};
use crate::{
    native::event::struct_size,
    plugin_emit::{EmitReply, EmitRequest, WAITING_BYTES_MAX, WAITING_MAX},
};

/// What the plugin gets.
pub(super) static TABLE: postroom_emit_v1 =
    postroom_emit_v1 { struct_size: struct_size::<postroom_emit_v1>(), flags: 0, emit: Some(emit) };

/// The events of one instance that wait for their answer.
#[derive(Default)]
pub(super) struct EmitCalls {
    waiting: Mutex<Waiting>,
    /// No callback runs any more, while somebody waits for that.
    quiet: Condvar,
}

#[derive(Default)]
struct Waiting {
    last_request: u64,
    calls: HashMap<u64, Call>,
    /// What the events take, in bytes.
    bytes: usize,
    /// Callbacks inside the plugin.
    running: usize,
    closed: bool,
}

struct Call {
    bytes: usize,
    /// Given back when the event was not made.
    place: Option<(postroom_token, Place)>,
    call: unsafe extern "C" fn(*mut c_void, *const postroom_emit_result),
    user: *mut c_void,
}

// SAFETY: the contract lets the callback come from any thread, and `user` is only handed to it.
unsafe impl Send for Call {}

/// One of the events that a delivery has made: what it holds, in short, and how many with the same were made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    content: u64,
    nth: u32,
}

/// The events that one delivery has made. Those with a key of the plugin's own are not among them.
#[derive(Debug, Default)]
pub(super) struct Made(Vec<Place>);

impl Made {
    /// The first place that is free for this content; `None` when the delivery has made as many as it may.
    fn take(&mut self, content: u64) -> Option<Place> {
        if self.0.len() >= limits::EMITS_PER_DELIVERY_MAX as usize {
            return None;
        }
        // An emit that failed has given its place back, so that the next try has the same key.
        let place = (0..).map(|nth| Place { content, nth }).find(|place| !self.0.contains(place))?;
        self.0.push(place);
        Some(place)
    }

    fn give_back(&mut self, place: Place) {
        self.0.retain(|taken| *taken != place);
    }
}

impl Call {
    fn answer(&self, reply: EmitReply) {
        let (status, repeated, event) = match reply {
            EmitReply::Done { event, repeated } => (POSTROOM_OK, repeated, event.to_string()),
            EmitReply::Denied => (POSTROOM_E_DENIED, false, String::new()),
            EmitReply::Unavailable => (POSTROOM_E_UNAVAILABLE, false, String::new()),
            EmitReply::Stale => (POSTROOM_E_STALE, false, String::new()),
        };
        let result = postroom_emit_result {
            struct_size: struct_size::<postroom_emit_result>(),
            status,
            repeated: repeated.into(),
            flags: 0,
            event_id: postroom_str::of(event.as_bytes()),
        };
        // Whoever answers also reads the next answer: waiting for one in here would be for ever.
        let _no_wait = NoWait::enter();
        // SAFETY: the plugin gave the function together with `user` for exactly one call, which this is.
        unsafe { (self.call)(self.user, &raw const result) };
    }
}

impl EmitCalls {
    /// Notes an event before it is sent and gives the number that its answer is going to have.
    fn begin(&self, call: Call) -> Result<u64, postroom_status> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(POSTROOM_E_STALE);
        }
        if waiting.calls.len() >= WAITING_MAX || waiting.bytes + call.bytes > WAITING_BYTES_MAX {
            return Err(POSTROOM_E_UNAVAILABLE);
        }
        waiting.last_request += 1;
        waiting.bytes += call.bytes;
        let request = waiting.last_request;
        waiting.calls.insert(request, call);
        Ok(request)
    }

    /// Ends every callback that is still owed, as stale, and begins no more. Comes back when none is inside the plugin.
    pub(super) fn end_callbacks(&self) {
        let mut waiting = self.lock();
        (waiting.closed, waiting.bytes) = (true, 0);
        let owed: Vec<Call> = waiting.calls.drain().map(|(_, call)| call).collect();
        while waiting.running > 0 {
            waiting = self.quiet.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        drop(waiting);
        for call in owed {
            call.answer(EmitReply::Stale);
        }
    }

    /// Takes no more events. Nobody is called back.
    pub(super) fn close(&self) {
        let mut waiting = self.lock();
        (waiting.closed, waiting.bytes) = (true, 0);
        waiting.calls.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No plugin code runs while the lock is held; a poisoned map would be whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Context {
    /// Hands an answer to the plugin.
    pub(super) fn answer_emit(&self, request: u64, reply: EmitReply) {
        let mut waiting = self.emit.lock();
        let Some(call) = waiting.calls.remove(&request) else { return };
        waiting.bytes -= call.bytes;
        waiting.running += 1;
        drop(waiting);
        if let (Some((token, place)), false) = (call.place, matches!(reply, EmitReply::Done { .. })) {
            self.give_back(token, place);
        }
        call.answer(reply);
        let mut waiting = self.emit.lock();
        waiting.running -= 1;
        if waiting.closed && waiting.running == 0 {
            self.emit.quiet.notify_all();
        }
    }

    /// A place among the events that the delivery has made, unless the event has a key.
    fn place(
        &self,
        token: postroom_token,
        request: &EmitRequest,
    ) -> Result<Option<(postroom_token, Place)>, postroom_status> {
        if token == 0 {
            return Ok(None);
        }
        let mut pending = self.pending();
        let pending = pending.get_mut(&token).filter(|pending| !pending.cancelled);
        let pending = pending.ok_or(POSTROOM_E_STALE)?;
        if !request.key.is_empty() {
            return Ok(None);
        }
        let place = pending.made.take(content(request)).ok_or(POSTROOM_E_DENIED)?;
        Ok(Some((token, place)))
    }

    fn give_back(&self, token: postroom_token, place: Place) {
        if let Some(pending) = self.pending().get_mut(&token) {
            pending.made.give_back(place);
        }
    }
}

/// What an event holds, in short. Two events that meet here only get two numbers.
fn content(request: &EmitRequest) -> u64 {
    let EmitRequest { kind, subject, ordering_key, verdict, labels, content_type, body, .. } = request;
    let mut hasher = DefaultHasher::new();
    (kind, subject, ordering_key, verdict, labels, content_type, body).hash(&mut hasher);
    hasher.finish()
}

unsafe extern "C" fn emit(
    ctx: *mut c_void,
    event: *const postroom_new_event,
    cb: postroom_emit_cb,
    user: *mut c_void,
) -> postroom_status {
    // SAFETY: the contract has the plugin pass the `ctx` of its table.
    let context = match unsafe { open_context(ctx) } {
        Ok(context) => context,
        Err(status) => return status,
    };
    let (Some(call), false) = (cb, event.is_null()) else { return POSTROOM_E_INVALID };
    // SAFETY: not null, and the contract has the plugin keep the event during the call.
    let begun = unsafe { copy_event(event) }.and_then(|mut request| {
        let place = context.place(request.token, &request)?;
        request.nth = place.map_or(0, |(_, place)| place.nth);
        let number = context.emit.begin(Call { bytes: request.bytes(), place, call, user });
        if let (Err(_), Some((token, place))) = (&number, place) {
            context.give_back(token, place);
        }
        Ok((number?, request))
    });
    match begun {
        Ok((number, request)) => {
            context.services.emit(number, request);
            POSTROOM_OK
        }
        Err(status) => status,
    }
}

/// Copies an event of the plugin.
///
/// # Safety
/// `event` points to as many bytes as its `struct_size` says, and what it points to lives until this returns.
unsafe fn copy_event(event: *const postroom_new_event) -> Result<EmitRequest, postroom_status> {
    // SAFETY: every version of the struct begins with its size.
    let stated = unsafe { (*event).struct_size } as usize;
    if stated < size_of::<postroom_new_event>() {
        return Err(POSTROOM_E_INVALID);
    }
    // SAFETY: so many bytes are there by the plugin's own word.
    let event = unsafe { event.read() };
    if event.body.len > limits::EMIT_BYTES_MAX || event.label_count > limits::LABELS_MAX {
        return Err(POSTROOM_E_TOO_LARGE);
    }
    // SAFETY: the caller vouches for the texts.
    let text = |text| unsafe { text_of(text) };
    let mut labels = BTreeMap::new();
    if !event.labels.is_null() {
        // SAFETY: not null, and the caller vouches for so many labels.
        let attrs: &[postroom_attr] = unsafe { slice::from_raw_parts(event.labels, event.label_count) };
        for attr in attrs {
            labels.insert(text(attr.key)?, text(attr.value)?);
        }
    }
    let request = EmitRequest {
        token: event.token,
        nth: 0,
        kind: text(event.kind)?.parse().map_err(|_| POSTROOM_E_DENIED)?,
        subject: text(event.subject)?,
        ordering_key: text(event.ordering_key)?,
        verdict: match text(event.verdict)?.as_str() {
            "" => None,
            verdict => Some(verdict.parse::<Verdict>().map_err(|_| POSTROOM_E_INVALID)?),
        },
        labels,
        content_type: text(event.content_type)?,
        key: text(event.idempotency_key)?,
        // SAFETY: the caller vouches for the body.
        body: Bytes::copy_from_slice(unsafe { event.body.bytes() }),
    };
    if request.is_within_limits() { Ok(request) } else { Err(POSTROOM_E_INVALID) }
}

/// # Safety
/// `text` describes memory that lives until this returns.
unsafe fn text_of(text: postroom_str) -> Result<String, postroom_status> {
    if text.len > limits::FACT_BYTES_MAX {
        return Err(POSTROOM_E_TOO_LARGE);
    }
    // SAFETY: the caller vouches for the text.
    let bytes = unsafe { text.bytes() };
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| POSTROOM_E_INVALID)
}
