//! Reading structs of another minor version, which may be shorter or longer than ours.

use std::{mem::MaybeUninit, ptr};

use postroom_abi::{
    postroom_action, postroom_action_result, postroom_event, postroom_host, postroom_outcome,
};

/// A struct of the ABI that begins with `struct_size: u32` and only grows at its end.
///
/// # Safety
///
/// The first field is `struct_size: u32`, and all zeroes is a valid value.
pub(crate) unsafe trait Growing: Copy {}

// SAFETY: begins with struct_size; integers, raw pointers and optional functions may all be zero.
unsafe impl Growing for postroom_host {}
// SAFETY: as above.
unsafe impl Growing for postroom_event {}
// SAFETY: as above.
unsafe impl Growing for postroom_outcome {}
// SAFETY: as above.
unsafe impl Growing for postroom_action {}
// SAFETY: as above.
unsafe impl Growing for postroom_action_result {}

/// A copy of the struct at `from` as far as its maker filled it; what is not there is zero. `None` for null and for a
/// size that does not even hold itself.
///
/// # Safety
///
/// `from` is null, or points to a struct whose first `struct_size` bytes are initialised.
pub(crate) unsafe fn read<T: Growing>(from: *const T) -> Option<T> {
    if from.is_null() {
        return None;
    }
    // SAFETY: not null, and the trait says that struct_size comes first.
    let struct_size = unsafe { from.cast::<u32>().read() } as usize;
    if struct_size < size_of::<u32>() {
        return None;
    }
    let mut copy = MaybeUninit::<T>::zeroed();
    let bytes = struct_size.min(size_of::<T>());
    // SAFETY: the caller vouches for struct_size bytes, `copy` has room for them, and the two do not overlap.
    unsafe { ptr::copy_nonoverlapping(from.cast::<u8>(), copy.as_mut_ptr().cast::<u8>(), bytes) };
    // SAFETY: zero is valid for every field that was not copied, by the trait.
    Some(unsafe { copy.assume_init() })
}

#[cfg(test)]
mod tests;
