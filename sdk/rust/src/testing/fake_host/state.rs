//! Durable state as the gateway keeps it, in memory and by the clock of the test.

use std::{collections::BTreeMap, ffi::c_void};

use postroom_abi::{
    self as abi, postroom_state_cb, postroom_state_op, postroom_state_result, postroom_status, postroom_str,
};

use super::FakeHost;

const KEY_BYTES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 256 * 1024;

/// What a plugin has kept.
#[derive(Default)]
pub(super) struct Kept {
    last_version: u64,
    values: BTreeMap<String, Value>,
}

struct Value {
    version: u64,
    bytes: Vec<u8>,
    ends_at: Option<u64>,
}

/// A status, a version and a value.
type Answer = (postroom_status, u64, Vec<u8>);

impl Kept {
    /// The value under `key`.
    pub(super) fn value(&self, key: &str, now: u64) -> Option<&[u8]> {
        let value = self.values.get(key).filter(|value| value.ends_at.is_none_or(|end| end > now))?;
        Some(&value.bytes)
    }

    fn run(&mut self, op: &postroom_state_op, key: &str, bytes: &[u8], now: u64) -> Answer {
        self.values.retain(|_, value| value.ends_at.is_none_or(|end| end > now));
        let version = self.values.get(key).map_or(0, |value| value.version);
        let writes = matches!(op.op, abi::POSTROOM_STATE_PUT | abi::POSTROOM_STATE_DELETE);
        if writes && op.expected_version != abi::POSTROOM_VER_ANY && op.expected_version != version {
            return (abi::POSTROOM_E_CONFLICT, version, Vec::new());
        }
        match op.op {
            abi::POSTROOM_STATE_GET => match self.values.get(key) {
                Some(value) => (abi::POSTROOM_OK, version, value.bytes.clone()),
                None => (abi::POSTROOM_E_NOT_FOUND, 0, Vec::new()),
            },
            abi::POSTROOM_STATE_PUT => {
                self.last_version += 1;
                let version = self.last_version;
                let ends_at = (op.ttl_ms > 0).then(|| now.saturating_add(op.ttl_ms));
                self.values.insert(key.to_owned(), Value { version, bytes: bytes.to_vec(), ends_at });
                (abi::POSTROOM_OK, version, Vec::new())
            }
            abi::POSTROOM_STATE_DELETE if version == 0 => (abi::POSTROOM_E_NOT_FOUND, 0, Vec::new()),
            abi::POSTROOM_STATE_DELETE => {
                self.values.remove(key);
                (abi::POSTROOM_OK, 0, Vec::new())
            }
            _ => {
                let keys = self.values.keys().filter(|kept| kept.starts_with(key));
                let list = keys.fold(String::new(), |list, key| list + key + "\n");
                (abi::POSTROOM_OK, 0, list.into_bytes())
            }
        }
    }
}

/// Answers at once, before it returns, as the contract allows.
pub(super) unsafe extern "C" fn state(
    ctx: *mut c_void,
    op: *const postroom_state_op,
    cb: postroom_state_cb,
    user: *mut c_void,
) -> postroom_status {
    // SAFETY: the SDK hands back our context.
    let host = unsafe { FakeHost::from_ctx(ctx) };
    // SAFETY: the SDK's operation, for this call.
    let op = unsafe { &*op };
    // SAFETY: borrowed for this call.
    let key = unsafe { super::owned(op.key) };
    // SAFETY: borrowed for this call.
    let value = unsafe { op.value.bytes() };
    if key.len() > KEY_BYTES_MAX || value.len() > VALUE_BYTES_MAX {
        return abi::POSTROOM_E_TOO_LARGE;
    }
    if (key.is_empty() && op.op != abi::POSTROOM_STATE_LIST) || key.contains('\n') {
        return abi::POSTROOM_E_INVALID;
    }
    let Some(call) = cb else { return abi::POSTROOM_E_INVALID };
    let now = host.now();
    let (status, version, found) = host.state().kept.run(op, &key, value, now);
    let result = postroom_state_result {
        struct_size: abi::layout::size_of_u32::<postroom_state_result>(),
        status,
        version,
        value: postroom_str::of(&found),
    };
    // SAFETY: the SDK's function with its own argument, called once.
    unsafe { call(user, &raw const result) };
    abi::POSTROOM_OK
}
