//! What a plugin measures, and the time that it asks for.
#![expect(unsafe_code, reason = "called by the plugin with pointers of its own")]

use std::{collections::BTreeMap, ffi::c_void, slice};

use postroom_abi::{
    POSTROOM_E_DENIED, POSTROOM_E_INVALID, POSTROOM_E_STALE, POSTROOM_E_TOO_LARGE, POSTROOM_E_UNAVAILABLE,
    POSTROOM_OK, postroom_attr, postroom_status, postroom_str, postroom_token,
};

use super::{Context, open_context};
use crate::{
    clock,
    plugin_metrics::{LABELS_MAX, Measurement, MetricKind, NAME_BYTES_MAX, VALUE_BYTES_MAX},
};

/// A deadline that moves by less is left where it is, so that a plugin may ask as often as it likes.
const STEP_MS: u64 = 250;

/// Until when a delivery may take.
#[derive(Debug, Clone, Copy)]
pub(in crate::native) struct Deadline {
    pub(in crate::native) unix_ms: u64,
    /// It never gets more than this.
    pub(in crate::native) max_unix_ms: u64,
}

impl Deadline {
    /// Moves it to `want_ms` from now, as far as that is possible. Whether there was anything to give, and whether it
    /// moved.
    fn extend(&mut self, now_unix_ms: u64, want_ms: u32) -> (bool, bool) {
        if self.unix_ms >= self.max_unix_ms {
            return (false, false);
        }
        let wanted = now_unix_ms.saturating_add(want_ms.into()).min(self.max_unix_ms);
        let moves = wanted == self.max_unix_ms || wanted >= self.unix_ms.saturating_add(STEP_MS);
        if moves {
            self.unix_ms = wanted;
        }
        (true, moves)
    }
}

impl Context {
    fn extend(&self, token: postroom_token, want_ms: u32) -> (postroom_status, Option<u64>) {
        let mut pending = self.pending();
        let Some(pending) = pending.get_mut(&token).filter(|pending| !pending.cancelled) else {
            return (POSTROOM_E_STALE, None);
        };
        let (possible, moved) = pending.deadline.extend(clock::now_unix_ms(), want_ms);
        if moved {
            // With the lock held: what the gateway hears of a delivery, it hears in order.
            self.services.extended(token, want_ms);
        }
        (if possible { POSTROOM_OK } else { POSTROOM_E_DENIED }, Some(pending.deadline.unix_ms))
    }
}

pub(super) unsafe extern "C" fn extend(
    ctx: *mut c_void,
    token: postroom_token,
    want_ms: u32,
    new_deadline_unix_ms: *mut u64,
) -> postroom_status {
    // SAFETY: the contract has the plugin pass the `ctx` of its table.
    let context = match unsafe { open_context(ctx) } {
        Ok(context) => context,
        Err(status) => return status,
    };
    let (status, deadline) = context.extend(token, want_ms);
    if let (Some(deadline), false) = (deadline, new_deadline_unix_ms.is_null()) {
        // SAFETY: not null, and the contract has the plugin keep the number there during the call.
        unsafe { new_deadline_unix_ms.write(deadline) };
    }
    status
}

pub(super) unsafe extern "C" fn metric(
    ctx: *mut c_void,
    kind: u32,
    name: postroom_str,
    value_milli: i64,
    labels: *const postroom_attr,
    label_count: usize,
) -> postroom_status {
    // SAFETY: the contract has the plugin pass the `ctx` of its table.
    let context = match unsafe { open_context(ctx) } {
        Ok(context) => context,
        Err(status) => return status,
    };
    let Some(kind) = MetricKind::from_abi(kind) else { return POSTROOM_E_INVALID };
    if label_count > LABELS_MAX {
        return POSTROOM_E_TOO_LARGE;
    }
    let attrs: &[postroom_attr] = if labels.is_null() {
        &[]
    } else {
        // SAFETY: not null, and the contract has the plugin keep so many labels during the call.
        unsafe { slice::from_raw_parts(labels, label_count) }
    };
    // SAFETY: the contract has the plugin keep the texts during the call.
    let text = |text, bytes_max| unsafe { text_of(text, bytes_max) };
    let label =
        |attr: &postroom_attr| Ok((text(attr.key, NAME_BYTES_MAX)?, text(attr.value, VALUE_BYTES_MAX)?));
    let labels: Result<BTreeMap<_, _>, postroom_status> = attrs.iter().map(label).collect();
    let measurement = labels.and_then(|labels| {
        Ok(Measurement { kind, name: text(name, NAME_BYTES_MAX)?, value_milli, labels, lost: 0 })
    });
    match measurement {
        Ok(measurement) if !measurement.is_within_limits() => POSTROOM_E_INVALID,
        Ok(measurement) if !context.services.has_metric(kind, &measurement.name) => POSTROOM_E_DENIED,
        Ok(measurement) => {
            let taken = context.services.measured(measurement);
            if taken { POSTROOM_OK } else { POSTROOM_E_UNAVAILABLE }
        }
        Err(status) => status,
    }
}

/// # Safety
/// `text` describes memory that lives until this returns.
unsafe fn text_of(text: postroom_str, bytes_max: usize) -> Result<String, postroom_status> {
    if text.len > bytes_max {
        return Err(POSTROOM_E_TOO_LARGE);
    }
    // SAFETY: the caller vouches for the text.
    let bytes = unsafe { text.bytes() };
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| POSTROOM_E_INVALID)
}

#[cfg(test)]
mod tests;
