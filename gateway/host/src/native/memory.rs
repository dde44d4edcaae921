//! Texts and buffers that cross the boundary. Nothing allocated on one side is freed on the other.
#![expect(unsafe_code, reason = "reads and fills memory that the plugin points to")]

use std::{ffi::c_void, slice};

use postroom_abi::{
    POSTROOM_E_INVALID, POSTROOM_E_TOO_LARGE, POSTROOM_OK, postroom_errbuf, postroom_sink, postroom_status,
    postroom_str,
};

/// As much as the gateway keeps of any such message.
const ERRBUF_BYTES: usize = 4 * 1024;

/// Copies at most `bytes_max` bytes of a plugin's text. Bytes that are not UTF-8 become U+FFFD.
///
/// # Safety
/// `text` describes memory that lives until this returns.
pub(super) unsafe fn copy_text(text: postroom_str, bytes_max: usize) -> String {
    let text = postroom_str { len: text.len.min(bytes_max), ..text };
    // SAFETY: the caller vouches for the whole text; this is the beginning of it.
    let bytes = unsafe { text.bytes() };
    String::from_utf8_lossy(bytes).into_owned()
}

/// Calls `call` with a buffer for one message and gives its answer and the message.
pub(super) fn with_errbuf<T>(call: impl FnOnce(*mut postroom_errbuf) -> T) -> (T, String) {
    let mut bytes = [0; ERRBUF_BYTES];
    let mut errbuf = postroom_errbuf { ptr: bytes.as_mut_ptr(), cap: bytes.len(), len: 0 };
    let answer = call(&raw mut errbuf);
    // A length beyond the buffer is a lie; then nothing of it is believed.
    let message = bytes.get(..errbuf.len).unwrap_or_default();
    (answer, String::from_utf8_lossy(message).into_owned())
}

/// Calls `call` with a sink that takes up to `bytes_max` bytes and gives its answer and what was written.
pub(super) fn with_sink<T>(bytes_max: usize, call: impl FnOnce(*mut postroom_sink) -> T) -> (T, Vec<u8>) {
    let mut collected = Collected { bytes: Vec::new(), bytes_max };
    let mut sink = postroom_sink { ctx: (&raw mut collected).cast(), write: Some(collect) };
    let answer = call(&raw mut sink);
    (answer, collected.bytes)
}

struct Collected {
    bytes: Vec<u8>,
    bytes_max: usize,
}

unsafe extern "C" fn collect(ctx: *mut c_void, data: *const u8, len: usize) -> postroom_status {
    if ctx.is_null() || (data.is_null() && len > 0) {
        return POSTROOM_E_INVALID;
    }
    // SAFETY: `ctx` is the `Collected` of the `with_sink` that called the plugin; the contract allows one writer, and
    // only until that call returns.
    let collected = unsafe { &mut *ctx.cast::<Collected>() };
    if len > collected.bytes_max - collected.bytes.len() {
        return POSTROOM_E_TOO_LARGE;
    }
    if len > 0 {
        // SAFETY: `data` is not null, and the contract has the plugin keep `len` bytes there during the call.
        let data = unsafe { slice::from_raw_parts(data, len) };
        collected.bytes.extend_from_slice(data);
    }
    POSTROOM_OK
}

/// Writes `bytes` into a plugin's sink and gives the plugin's answer.
///
/// # Safety
/// `sink` is null or points to a sink that lives until this returns.
pub(super) unsafe fn write_to_sink(sink: *mut postroom_sink, bytes: &[u8]) -> postroom_status {
    if sink.is_null() {
        return POSTROOM_E_INVALID;
    }
    // SAFETY: not null, and the caller vouches for what it points to.
    let sink = unsafe { sink.read() };
    match sink.write {
        // SAFETY: the plugin made this function and its context for exactly this call.
        Some(write) => unsafe { write(sink.ctx, bytes.as_ptr(), bytes.len()) },
        None => POSTROOM_E_INVALID,
    }
}
