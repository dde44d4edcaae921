//! A host that remembers what it is told. As strict as the real one: an event's memory is gone when `complete` returns.

#![expect(unsafe_code, reason = "is called by a plugin through the C table")]

mod actions;
mod services;
mod state;

use std::{
    collections::{BTreeMap, HashMap},
    ffi::c_void,
    ptr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use postroom_abi::{
    self as abi, postroom_attr, postroom_event, postroom_host, postroom_outcome, postroom_sink,
    postroom_status, postroom_str, postroom_token,
};
use tokio::sync::oneshot;

pub(crate) use self::actions::ActionEnd;
pub(super) use self::actions::done;
pub use self::services::EmittedEvent;
use super::{
    fixture::EventFixture,
    outcome::{LogLine, TestOutcome},
};
use crate::{event::Verdict, ffi, log::Level};

/// How long a delivery may take by the clock of the test, in milliseconds.
const ATTEMPT_MS: u64 = 30_000;

pub(crate) struct FakeHost {
    now_unix_ms: AtomicU64,
    log_level: Level,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tokens: u64,
    in_flight: HashMap<postroom_token, InFlight>,
    /// Given up by the host, and not yet completed by the plugin.
    cancelled: HashMap<postroom_token, HeldEvent>,
    stale: usize,
    logs: Vec<LogLine>,
    secrets: BTreeMap<String, String>,
    actions: HashMap<postroom_token, oneshot::Sender<ActionEnd>>,
    kept: state::Kept,
    heard: services::Heard,
}

struct InFlight {
    event: HeldEvent,
    deadline: u64,
    deadline_max: u64,
    done: oneshot::Sender<TestOutcome>,
}

impl FakeHost {
    /// Makes a host that lives as long as the process, because the contract says so of its table: a plugin that calls
    /// too late must still find it.
    pub(super) fn leak(
        now_unix_ms: u64,
        log_level: Level,
        secrets: BTreeMap<String, String>,
    ) -> &'static Self {
        let state = Mutex::new(State { secrets, ..State::default() });
        Box::leak(Box::new(Self { now_unix_ms: AtomicU64::new(now_unix_ms), log_level, state }))
    }

    /// The table to create an instance with.
    pub(super) fn table(&'static self) -> &'static postroom_host {
        Box::leak(Box::new(postroom_host {
            struct_size: abi::layout::size_of_u32::<postroom_host>(),
            abi_major: abi::POSTROOM_ABI_MAJOR,
            abi_minor: abi::POSTROOM_ABI_MINOR,
            capabilities: abi::POSTROOM_CAP_LOG
                | abi::POSTROOM_CAP_METRICS
                | abi::POSTROOM_CAP_PROGRESS
                | abi::POSTROOM_CAP_STATE
                | abi::POSTROOM_CAP_SECRETS
                | abi::POSTROOM_CAP_CLOCK,
            ctx: ptr::from_ref(self).cast_mut().cast(),
            complete: Some(complete),
            extend: Some(services::extend),
            log_level: Some(log_level),
            log: Some(log),
            metric: Some(services::metric),
            state: Some(state::state),
            state_wait: None,
            now_unix_ms: Some(now_unix_ms),
            monotonic_ns: Some(monotonic_ns),
            secret: Some(secret),
            get_extension: Some(services::get_extension),
        }))
    }

    /// Takes up an event: its token, its struct, which stays until the token is completed, and its outcome to come.
    pub(super) fn hold(
        &self,
        fixture: &EventFixture,
    ) -> (postroom_token, *const postroom_event, oneshot::Receiver<TestOutcome>) {
        let event = HeldEvent::new(fixture, self.now());
        let pointer = event.pointer();
        let (done, outcome) = oneshot::channel();
        let mut state = self.state();
        state.tokens += 1;
        let token = state.tokens;
        let deadline = self.now() + ATTEMPT_MS;
        let deadline_max = self.now() + services::ATTEMPT_MAX_MS;
        state.in_flight.insert(token, InFlight { event, deadline, deadline_max, done });
        (token, pointer, outcome)
    }

    /// Gives a delivery up: from now on completing it is stale. Its memory stays until then.
    pub(super) fn give_up(&self, token: postroom_token) {
        let mut state = self.state();
        if let Some(in_flight) = state.in_flight.remove(&token) {
            state.cancelled.insert(token, in_flight.event);
        }
    }

    pub(super) fn now(&self) -> u64 {
        self.now_unix_ms.load(Ordering::Relaxed)
    }

    pub(super) fn advance(&self, ms: u64) {
        self.now_unix_ms.fetch_add(ms, Ordering::Relaxed);
    }

    pub(super) fn set_secret(&self, name: &str, value: &str) {
        self.state().secrets.insert(name.to_owned(), value.to_owned());
    }

    /// What the plugin keeps under `key`.
    pub(super) fn kept(&self, key: &str) -> Option<Vec<u8>> {
        let now = self.now();
        self.state().kept.value(key, now).map(<[u8]>::to_vec)
    }

    pub(super) fn logs(&self) -> Vec<LogLine> {
        self.state().logs.clone()
    }

    pub(super) fn stale(&self) -> usize {
        self.state().stale
    }

    /// Deliveries and actions that the plugin has not ended.
    pub(crate) fn open(&self) -> usize {
        let state = self.state();
        state.in_flight.len() + state.cancelled.len() + state.actions.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Safety
    ///
    /// `ctx` is the one of [`FakeHost::table`].
    unsafe fn from_ctx(ctx: *mut c_void) -> &'static Self {
        // SAFETY: leaked, and only shared.
        unsafe { &*ctx.cast::<Self>() }
    }
}

/// An event with everything it points to. In `Arc` and not in `Box`, because moving a `Box` ends the validity of
/// pointers into it.
struct HeldEvent {
    event: Arc<postroom_event>,
    _fixture: Arc<EventFixture>,
    _labels: Arc<[postroom_attr]>,
}

// SAFETY: its pointers lead to memory that it owns and nobody writes.
unsafe impl Send for HeldEvent {}

impl HeldEvent {
    #[expect(clippy::arc_with_non_send_sync, reason = "nothing is shared; only the addresses have to hold")]
    fn new(fixture: &EventFixture, now_unix_ms: u64) -> Self {
        let fixture = Arc::new(fixture.clone());
        let text = |text: &str| postroom_str::of(text.as_bytes());
        let labels: Arc<[postroom_attr]> = fixture
            .labels
            .iter()
            .map(|(name, value)| postroom_attr { key: text(name), value: text(value) })
            .collect();
        let event = Arc::new(postroom_event {
            struct_size: abi::layout::size_of_u32::<postroom_event>(),
            attempt: fixture.attempt,
            received_unix_ms: now_unix_ms,
            deadline_unix_ms: now_unix_ms + ATTEMPT_MS,
            id: text(&fixture.id),
            kind: text(&fixture.kind),
            subject: text(&fixture.subject),
            verdict: text(fixture.verdict.map_or("", Verdict::as_str)),
            source: text(&fixture.source),
            content_type: text(&fixture.content_type),
            ordering_key: text(&fixture.ordering_key),
            trace_parent: text(&fixture.trace_parent),
            attrs: labels.as_ptr(),
            attr_count: labels.len(),
            body: postroom_str::of(&fixture.body),
        });
        Self { event, _fixture: fixture, _labels: labels }
    }

    fn pointer(&self) -> *const postroom_event {
        Arc::as_ptr(&self.event)
    }
}

/// # Safety
///
/// `text` is borrowed for the call.
unsafe fn owned(text: postroom_str) -> String {
    // SAFETY: by the caller.
    let bytes = unsafe { text.bytes() };
    String::from_utf8(bytes.to_vec()).expect("the SDK writes UTF-8")
}

unsafe extern "C" fn complete(
    ctx: *mut c_void,
    token: postroom_token,
    outcome: *const postroom_outcome,
) -> postroom_status {
    // SAFETY: the SDK hands back our context.
    let host = unsafe { FakeHost::from_ctx(ctx) };
    // SAFETY: borrowed for this call, as long as its size says.
    let Some(outcome) = (unsafe { ffi::read(outcome) }) else { return abi::POSTROOM_E_INVALID };
    // SAFETY: borrowed for this call.
    let code = unsafe { owned(outcome.code) };
    // SAFETY: borrowed for this call.
    let message = unsafe { owned(outcome.message) };
    // SAFETY: borrowed for this call.
    let record = unsafe { owned(outcome.record_json) };
    let mut state = host.state();
    drop(state.cancelled.remove(&token));
    let Some(in_flight) = state.in_flight.remove(&token) else {
        state.stale += 1;
        return abi::POSTROOM_E_STALE;
    };
    drop(in_flight.event);
    // The test may no longer wait, which is its own affair.
    drop(in_flight.done.send(TestOutcome::new(&outcome, code, message, &record)));
    abi::POSTROOM_OK
}

unsafe extern "C" fn log_level(ctx: *mut c_void) -> u32 {
    // SAFETY: the SDK hands back our context.
    unsafe { FakeHost::from_ctx(ctx) }.log_level.number()
}

unsafe extern "C" fn log(
    ctx: *mut c_void,
    level: u32,
    token: postroom_token,
    target: postroom_str,
    message: postroom_str,
    fields_json: postroom_str,
) {
    let level = match level {
        abi::POSTROOM_LOG_ERROR => Level::Error,
        abi::POSTROOM_LOG_WARN => Level::Warn,
        abi::POSTROOM_LOG_INFO => Level::Info,
        abi::POSTROOM_LOG_DEBUG => Level::Debug,
        _ => Level::Trace,
    };
    // SAFETY: borrowed for this call.
    let target = unsafe { owned(target) };
    // SAFETY: borrowed for this call.
    let message = unsafe { owned(message) };
    // SAFETY: borrowed for this call.
    let fields_json = unsafe { owned(fields_json) };
    // SAFETY: the SDK hands back our context.
    let host = unsafe { FakeHost::from_ctx(ctx) };
    host.state().logs.push(LogLine { level, in_delivery: token != 0, target, message, fields_json });
}

unsafe extern "C" fn now_unix_ms(ctx: *mut c_void) -> u64 {
    // SAFETY: the SDK hands back our context.
    unsafe { FakeHost::from_ctx(ctx) }.now()
}

unsafe extern "C" fn monotonic_ns(ctx: *mut c_void) -> u64 {
    // SAFETY: the SDK hands back our context.
    unsafe { FakeHost::from_ctx(ctx) }.now() * 1_000_000
}

unsafe extern "C" fn secret(
    ctx: *mut c_void,
    name: postroom_str,
    value: *mut postroom_sink,
) -> postroom_status {
    // SAFETY: the SDK hands back our context.
    let host = unsafe { FakeHost::from_ctx(ctx) };
    // SAFETY: borrowed for this call.
    let name = unsafe { owned(name) };
    // SAFETY: the plugin's sink, for this call.
    let sink = unsafe { &*value };
    let (Some(secret), Some(write)) = (host.state().secrets.get(&name).cloned(), sink.write) else {
        return abi::POSTROOM_E_DENIED;
    };
    // SAFETY: the sink's own context, and a slice that lives during the call.
    unsafe { write(sink.ctx, secret.as_ptr(), secret.len()) }
}
