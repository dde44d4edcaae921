//! Writing into buffers of the caller, and lending ours.

use postroom_abi::{self as abi, postroom_errbuf, postroom_sink, postroom_status};
use std::{ffi::c_void, ptr};

/// Writes `text` into the caller's sink; a null sink takes nothing.
///
/// # Safety
///
/// `sink` is null or a sink that may be written to now.
pub(super) unsafe fn write(sink: *mut postroom_sink, text: &str) -> postroom_status {
    // SAFETY: null or valid, by the caller.
    let Some(sink) = (unsafe { sink.as_ref() }) else { return abi::POSTROOM_OK };
    let Some(write) = sink.write else { return abi::POSTROOM_E_INVALID };
    // SAFETY: the sink's own context, and a slice that lives during the call.
    unsafe { write(sink.ctx, text.as_ptr(), text.len()) }
}

/// Writes `message` into the caller's buffer, cut at a character border; a null buffer takes nothing.
///
/// # Safety
///
/// `err` is null or a buffer of `cap` writable bytes.
pub(super) unsafe fn set_error(err: *mut postroom_errbuf, message: &str) {
    // SAFETY: null or valid and not shared during the call, by the caller.
    let Some(err) = (unsafe { err.as_mut() }) else { return };
    if err.ptr.is_null() {
        err.len = 0;
        return;
    }
    let message = &message[..message.floor_char_boundary(err.cap)];
    // SAFETY: `message` has at most `cap` bytes, and the caller's buffer is not part of it.
    unsafe { ptr::copy_nonoverlapping(message.as_ptr(), err.ptr, message.len()) };
    err.len = message.len();
}

/// A sink that appends to `bytes`; valid as long as the borrow.
pub(crate) fn sink_into(bytes: &mut Vec<u8>) -> postroom_sink {
    postroom_sink { ctx: ptr::from_mut(bytes).cast::<c_void>(), write: Some(append) }
}

/// # Safety
///
/// `ctx` is the vector of [`sink_into`], and `data` has `len` bytes.
unsafe extern "C" fn append(ctx: *mut c_void, data: *const u8, len: usize) -> postroom_status {
    // SAFETY: made in `sink_into` from a unique borrow that is still held.
    let bytes = unsafe { &mut *ctx.cast::<Vec<u8>>() };
    // SAFETY: borrowed by the callee for this call.
    let data = unsafe { abi::postroom_str { ptr: data, len }.bytes() };
    bytes.extend_from_slice(data);
    abi::POSTROOM_OK
}

#[cfg(test)]
mod tests;
