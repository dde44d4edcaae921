//! A body that is a file of the gateway's, mapped into this process.
#![expect(unsafe_code, reason = "a mapping is memory behind a pointer")]

use std::{ffi::c_void, fs::File, io, os::fd::OwnedFd, ptr, slice};

use bytes::Bytes;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// The `bytes` bytes of a file. The descriptor is closed; the memory goes when the last clone is dropped.
///
/// Only what is read takes room, in pages that the kernel shares with its cache and takes back when it needs them.
///
/// # Errors
/// When the file has another length, or cannot be mapped.
pub(super) fn body(descriptor: OwnedFd, bytes: u64) -> io::Result<Bytes> {
    let file = File::from(descriptor);
    let found = file.metadata()?.len();
    if found != bytes {
        // Reading behind the end of a file would be a crash in the middle of the plugin.
        return Err(io::Error::other(format!("a body of {bytes} bytes came as a file of {found}")));
    }
    // Nothing cannot be mapped.
    if bytes == 0 {
        return Ok(Bytes::new());
    }
    let length = usize::try_from(bytes).map_err(io::Error::other)?;
    // SAFETY: a new mapping at a place that the kernel chooses.
    let start = unsafe { mmap(ptr::null_mut(), length, ProtFlags::READ, MapFlags::SHARED, &file, 0) }?;
    Ok(Bytes::from_owner(Mapping { start, length }))
}

struct Mapping {
    start: *mut c_void,
    length: usize,
}

// SAFETY: nobody writes to the mapping: it is read-only here, and the gateway never changes a body's file.
unsafe impl Send for Mapping {}

impl AsRef<[u8]> for Mapping {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: `length` bytes are mapped from `start` on as long as this lives, and the file is as long.
        unsafe { slice::from_raw_parts(self.start.cast(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `body` with this length; who reads the bytes holds this value.
        let unmapped = unsafe { munmap(self.start, self.length) };
        debug_assert!(unmapped.is_ok(), "the kernel knows a mapping that it made");
    }
}

#[cfg(test)]
mod tests;
