//! The small types that are frozen for the life of major 1: borrowed bytes in, caller-owned buffers out.

use core::{ffi::c_void, ptr};

use crate::postroom_status;

/// Borrowed bytes; UTF-8 where it is text. `ptr` may be null when `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct postroom_str {
    /// First byte.
    pub ptr: *const u8,
    /// Number of bytes.
    pub len: usize,
}

impl postroom_str {
    /// No bytes.
    pub const EMPTY: Self = Self { ptr: ptr::null(), len: 0 };

    /// Borrows `bytes`. The result carries no lifetime: the caller keeps `bytes` alive as long as the contract says.
    #[must_use]
    pub const fn of(bytes: &[u8]) -> Self {
        Self { ptr: bytes.as_ptr(), len: bytes.len() }
    }

    /// The bytes behind this; none when `ptr` is null.
    ///
    /// # Safety
    ///
    /// Unless `ptr` is null or `len` is 0, `ptr` points to `len` initialised bytes that live and do not change for `'a`.
    #[expect(unsafe_code, reason = "the one place where a borrowed pointer and length become a slice")]
    #[must_use]
    pub const unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.ptr.is_null() || self.len == 0 {
            return &[];
        }
        // SAFETY: `ptr` is not null, and the caller vouches for `len` bytes that live for 'a.
        unsafe { core::slice::from_raw_parts(self.ptr, self.len) }
    }
}

/// A name and its value.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct postroom_attr {
    /// The name.
    pub key: postroom_str,
    /// The value.
    pub value: postroom_str,
}

/// A growing buffer of the caller, written through a function.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct postroom_sink {
    /// First argument of `write`.
    pub ctx: *mut c_void,
    /// Copies `len` bytes of `data`; may be called many times; answers `POSTROOM_E_TOO_LARGE` when full.
    pub write: Option<unsafe extern "C" fn(ctx: *mut c_void, data: *const u8, len: usize) -> postroom_status>,
}

/// A fixed buffer of the caller for one message to people.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct postroom_errbuf {
    /// The buffer.
    pub ptr: *mut u8,
    /// Its size in bytes.
    pub cap: usize,
    /// Bytes the callee has written, at most `cap`, cut on a character border.
    pub len: usize,
}
