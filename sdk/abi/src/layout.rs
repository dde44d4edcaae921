//! Every struct, member and constant of the ABI as data, to be compared with a C compiler's view of the header.

use core::mem::offset_of;

use crate::*;

/// A struct with its size, or a member with its place in the struct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Name of the struct.
    pub of: &'static str,
    /// Name of the member; empty for the struct itself.
    pub member: &'static str,
    /// Offset in bytes.
    pub offset: usize,
    /// Size in bytes.
    pub size: usize,
}

/// `size_of`, in the type of every `struct_size` field.
#[must_use]
pub const fn size_of_u32<T>() -> u32 {
    let size = size_of::<T>();
    assert!(size <= u32::MAX as usize, "no struct of the ABI is that large");
    #[expect(clippy::cast_possible_truncation, reason = "checked in the line above")]
    {
        size as u32
    }
}

const fn size_behind<T, U>(_member: fn(&T) -> &U) -> usize {
    size_of::<U>()
}

macro_rules! places {
    ($($type:ident { $($member:ident),* $(,)? })*) => {
        /// Every struct and every member, in the header's order.
        pub const PLACES: &[Place] = &[$(
            Place { of: stringify!($type), member: "", offset: 0, size: size_of::<$type>() },
            $(Place {
                of: stringify!($type),
                member: stringify!($member),
                offset: offset_of!($type, $member),
                size: size_behind(|it: &$type| &it.$member),
            },)*
        )*];

        // Without `..`: a member that is missing in the list above does not compile.
        $(const _: fn($type) = |$type { $($member: _),* }| {};)*
    };
}

places! {
    postroom_str { ptr, len }
    postroom_attr { key, value }
    postroom_sink { ctx, write }
    postroom_errbuf { ptr, cap, len }
    postroom_event {
        struct_size, attempt, received_unix_ms, deadline_unix_ms, id, kind, subject, verdict, source, content_type,
        ordering_key, trace_parent, attrs, attr_count, body,
    }
    postroom_outcome { struct_size, kind, retry_after_ms, code, message, record_json }
    postroom_state_op { struct_size, op, key, value, expected_version, ttl_ms }
    postroom_state_result { struct_size, status, version, value }
    postroom_host {
        struct_size, abi_major, abi_minor, capabilities, ctx, complete, extend, log_level, log, metric, state,
        state_wait, now_unix_ms, monotonic_ns, secret, get_extension,
    }
    postroom_new_event {
        struct_size, flags, token, kind, subject, ordering_key, verdict, content_type, idempotency_key, labels,
        label_count, body,
    }
    postroom_emit_result { struct_size, status, repeated, flags, event_id }
    postroom_emit_v1 { struct_size, flags, emit }
    postroom_plugin {
        struct_size, abi_major, abi_minor, flags, required_caps, describe, validate, create, deliver, cancel, health,
        drain, destroy, get_extension,
    }
    postroom_action { struct_size, reserved, token, deadline_unix_ms, name, input_json }
    postroom_action_result { struct_size, status, output_json, message }
    postroom_actions_v1 { struct_size, reserved, run, cancel }
}

macro_rules! constants {
    ($($name:ident)*) => {
        /// Every number the header defines, by name.
        pub const CONSTANTS: &[(&str, i128)] = &[$((stringify!($name), $name as i128)),*];
    };
}

constants! {
    POSTROOM_ABI_MAJOR POSTROOM_ABI_MINOR
    POSTROOM_OK POSTROOM_E_INVALID POSTROOM_E_UNSUPPORTED POSTROOM_E_STALE POSTROOM_E_NOT_FOUND POSTROOM_E_CONFLICT
    POSTROOM_E_TOO_LARGE POSTROOM_E_DENIED POSTROOM_E_UNAVAILABLE POSTROOM_E_BUSY POSTROOM_E_CONFIG
    POSTROOM_E_INTERNAL POSTROOM_E_PANIC
    POSTROOM_CAP_LOG POSTROOM_CAP_METRICS POSTROOM_CAP_STATE POSTROOM_CAP_SECRETS POSTROOM_CAP_CLOCK
    POSTROOM_CAP_PROGRESS
    POSTROOM_PF_BLOCKING POSTROOM_PF_SERIAL
    POSTROOM_OUT_DELIVERED POSTROOM_OUT_SKIPPED POSTROOM_OUT_RETRY POSTROOM_OUT_RATE_LIMITED POSTROOM_OUT_PERMANENT
    POSTROOM_OUT_MISCONFIGURED
    POSTROOM_STATE_GET POSTROOM_STATE_PUT POSTROOM_STATE_DELETE POSTROOM_STATE_LIST
    POSTROOM_VER_ANY POSTROOM_VER_ABSENT
    POSTROOM_LOG_ERROR POSTROOM_LOG_WARN POSTROOM_LOG_INFO POSTROOM_LOG_DEBUG POSTROOM_LOG_TRACE
    POSTROOM_METRIC_COUNTER POSTROOM_METRIC_GAUGE POSTROOM_METRIC_HISTOGRAM
    POSTROOM_EMIT_BODY_MAX POSTROOM_EMIT_LABELS_MAX
}

#[cfg(test)]
mod tests;
