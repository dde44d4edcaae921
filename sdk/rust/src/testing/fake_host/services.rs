//! What a plugin makes, measures and asks time for.

use std::{collections::BTreeMap, ffi::c_void, ptr, slice};

use postroom_abi::{
    self as abi, postroom_attr, postroom_emit_cb, postroom_emit_result, postroom_emit_v1, postroom_new_event,
    postroom_status, postroom_str, postroom_token,
};
use serde_json::Value;

use super::FakeHost;
use crate::event::Verdict;

/// How much an attempt may have in all, in milliseconds: ten times what it has.
pub(super) const ATTEMPT_MAX_MS: u64 = 10 * super::ATTEMPT_MS;

/// An event that a plugin has made.
///
/// ```
/// use postroom_sdk::{Plugin, testing::{EventFixture, PluginHarness}};
///
/// fn pages<P: Plugin>(harness: &PluginHarness<P>) {
///     let _outcome = harness.deliver(&EventFixture::monitor_run(1));
///     let emitted = harness.emitted();
///     assert_eq!((emitted[0].kind.as_str(), emitted[0].in_delivery), ("page_opened", true));
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmittedEvent {
    /// The id that the plugin was told.
    pub id: String,
    /// What the plugin calls it.
    pub kind: String,
    /// What it is about; may be empty.
    pub subject: String,
    /// Its lane; may be empty.
    pub ordering_key: String,
    /// What it says, if anything.
    pub verdict: Option<Verdict>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The type of its body; may be empty.
    pub content_type: String,
    /// What a repeat is known by; may be empty.
    pub key: String,
    /// Its body.
    pub body: Vec<u8>,
    /// It was made in a delivery.
    pub in_delivery: bool,
}

/// What was made and measured.
#[derive(Default)]
pub(super) struct Heard {
    /// The plugin's manifest; without one everything is declared.
    pub(super) manifest: Option<Value>,
    pub(super) may_not_emit: bool,
    pub(super) emitted: Vec<EmittedEvent>,
    /// By name and labels.
    measured: BTreeMap<(String, BTreeMap<String, String>), f64>,
}

impl Heard {
    fn declares(&self, key: &str, is: impl Fn(&Value) -> bool) -> bool {
        self.manifest
            .as_ref()
            .is_none_or(|manifest| manifest[key].as_array().is_some_and(|list| list.iter().any(is)))
    }
}

impl FakeHost {
    pub(in crate::testing) fn declare(&self, manifest: Option<Value>, may_emit: bool) {
        let heard = &mut self.state().heard;
        (heard.manifest, heard.may_not_emit) = (manifest, !may_emit);
    }

    pub(in crate::testing) fn emitted(&self) -> Vec<EmittedEvent> {
        self.state().heard.emitted.clone()
    }

    pub(in crate::testing) fn measured(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.state().heard.measured.get(&(name.to_owned(), labels)).copied()
    }
}

static EMIT: postroom_emit_v1 = postroom_emit_v1 {
    struct_size: abi::layout::size_of_u32::<postroom_emit_v1>(),
    flags: 0,
    emit: Some(emit),
};

pub(super) unsafe extern "C" fn get_extension(ctx: *mut c_void, id: postroom_str) -> *const c_void {
    // SAFETY: the SDK hands back our context.
    let host = unsafe { FakeHost::from_ctx(ctx) };
    // SAFETY: borrowed for this call.
    let id = unsafe { super::owned(id) };
    let granted = id == abi::POSTROOM_EMIT_V1 && !host.state().heard.may_not_emit;
    if granted { ptr::from_ref(&EMIT).cast() } else { ptr::null() }
}

/// # Safety
///
/// `attrs` are borrowed for the call.
unsafe fn labels(attrs: *const postroom_attr, count: usize) -> BTreeMap<String, String> {
    if attrs.is_null() {
        return BTreeMap::new();
    }
    // SAFETY: by the caller.
    let attrs = unsafe { slice::from_raw_parts(attrs, count) };
    // SAFETY: by the caller.
    let text = |text| unsafe { super::owned(text) };
    attrs.iter().map(|attr| (text(attr.key), text(attr.value))).collect()
}

/// Answers at once, before it returns, as the contract allows.
unsafe extern "C" fn emit(
    ctx: *mut c_void,
    event: *const postroom_new_event,
    cb: postroom_emit_cb,
    user: *mut c_void,
) -> postroom_status {
    // SAFETY: the SDK hands back our context.
    let host = unsafe { FakeHost::from_ctx(ctx) };
    // SAFETY: the SDK's event, for this call.
    let event = unsafe { &*event };
    // SAFETY: borrowed for this call.
    let text = |text| unsafe { super::owned(text) };
    // SAFETY: borrowed for this call.
    let labels = unsafe { labels(event.labels, event.label_count) };
    // SAFETY: borrowed for this call.
    let body = unsafe { event.body.bytes() }.to_vec();
    if body.len() > abi::POSTROOM_EMIT_BODY_MAX as usize
        || labels.len() > abi::POSTROOM_EMIT_LABELS_MAX as usize
    {
        return abi::POSTROOM_E_TOO_LARGE;
    }
    let (kind, key) = (text(event.kind), text(event.idempotency_key));
    let mut state = host.state();
    if event.token != 0 && !state.in_flight.contains_key(&event.token) {
        return abi::POSTROOM_E_STALE;
    }
    let before =
        state.heard.emitted.iter().find(|before| !key.is_empty() && before.key == key && before.body == body);
    let (status, repeated, id) = if let Some(before) = before {
        (abi::POSTROOM_OK, 1, before.id.clone())
    } else if state.heard.declares("emits", |declared| *declared == kind) {
        let id = format!("00000000-0000-7000-8000-{:012}", state.heard.emitted.len() + 1);
        let verdict = match text(event.verdict).as_str() {
            "passed" => Some(Verdict::Passed),
            "failed" => Some(Verdict::Failed),
            "unknown" => Some(Verdict::Unknown),
            _ => None,
        };
        state.heard.emitted.push(EmittedEvent {
            id: id.clone(),
            kind,
            subject: text(event.subject),
            ordering_key: text(event.ordering_key),
            verdict,
            labels,
            content_type: text(event.content_type),
            key,
            body,
            in_delivery: event.token != 0,
        });
        (abi::POSTROOM_OK, 0, id)
    } else {
        (abi::POSTROOM_E_DENIED, 0, String::new())
    };
    drop(state);
    let result = postroom_emit_result {
        struct_size: abi::layout::size_of_u32::<postroom_emit_result>(),
        status,
        repeated,
        flags: 0,
        event_id: postroom_str::of(id.as_bytes()),
    };
    let Some(call) = cb else { return abi::POSTROOM_E_INVALID };
    // SAFETY: the SDK's function with its own argument, called once.
    unsafe { call(user, &raw const result) };
    abi::POSTROOM_OK
}

pub(super) unsafe extern "C" fn metric(
    ctx: *mut c_void,
    kind: u32,
    name: postroom_str,
    value_milli: i64,
    attrs: *const postroom_attr,
    count: usize,
) -> postroom_status {
    // SAFETY: the SDK hands back our context.
    let host = unsafe { FakeHost::from_ctx(ctx) };
    // SAFETY: borrowed for this call.
    let name = unsafe { super::owned(name) };
    // SAFETY: borrowed for this call.
    let labels = unsafe { labels(attrs, count) };
    let word = match kind {
        abi::POSTROOM_METRIC_COUNTER => "counter",
        abi::POSTROOM_METRIC_GAUGE => "gauge",
        abi::POSTROOM_METRIC_HISTOGRAM => "histogram",
        _ => return abi::POSTROOM_E_INVALID,
    };
    if kind == abi::POSTROOM_METRIC_COUNTER && value_milli < 0 {
        return abi::POSTROOM_E_INVALID;
    }
    let heard = &mut host.state().heard;
    if !heard.declares("metrics", |declared| declared["name"] == name && declared["kind"] == word) {
        return abi::POSTROOM_E_DENIED;
    }
    #[expect(clippy::cast_precision_loss, reason = "a metric is a floating point number in the end")]
    let value = value_milli as f64 / 1000.0;
    let now = heard.measured.entry((name, labels)).or_default();
    *now = if kind == abi::POSTROOM_METRIC_GAUGE { value } else { *now + value };
    abi::POSTROOM_OK
}

pub(super) unsafe extern "C" fn extend(
    ctx: *mut c_void,
    token: postroom_token,
    want_ms: u32,
    deadline: *mut u64,
) -> postroom_status {
    // SAFETY: the SDK hands back our context.
    let host = unsafe { FakeHost::from_ctx(ctx) };
    let now = host.now();
    let mut state = host.state();
    let Some(in_flight) = state.in_flight.get_mut(&token) else { return abi::POSTROOM_E_STALE };
    if in_flight.deadline >= in_flight.deadline_max {
        return abi::POSTROOM_E_DENIED;
    }
    let wanted = now.saturating_add(want_ms.into()).min(in_flight.deadline_max);
    in_flight.deadline = in_flight.deadline.max(wanted);
    // SAFETY: the SDK's number, for this call.
    unsafe { deadline.write(in_flight.deadline) };
    abi::POSTROOM_OK
}
