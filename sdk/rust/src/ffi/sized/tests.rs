use std::{mem::offset_of, ptr};

use postroom_abi::{postroom_outcome, postroom_str};

use super::read;

#[test]
fn fields_behind_the_size_are_empty() {
    let mut outcome = postroom_outcome::of(3);
    outcome.retry_after_ms = 9;
    outcome.message = postroom_str::of(b"unseen");
    outcome.struct_size = u32::try_from(offset_of!(postroom_outcome, message)).unwrap();
    // SAFETY: a whole struct.
    let seen = unsafe { read(&outcome) }.unwrap();
    assert_eq!((seen.kind, seen.retry_after_ms), (3, 9));
    assert!(seen.message.ptr.is_null());
}

#[test]
fn a_longer_struct_of_a_later_minor_is_read_as_far_as_known() {
    #[repr(C)]
    struct Later {
        outcome: postroom_outcome,
        more: u64,
    }
    let mut later = Later { outcome: postroom_outcome::of(1), more: 7 };
    later.outcome.struct_size = u32::try_from(size_of::<Later>()).unwrap();
    // SAFETY: as many bytes as its size says.
    let seen = unsafe { read(ptr::from_ref(&later).cast::<postroom_outcome>()) }.unwrap();
    assert_eq!((seen.kind, later.more), (1, 7));
}

#[test]
fn nothing_is_read_from_null_or_from_a_size_that_cannot_be() {
    // SAFETY: null is allowed.
    assert!(unsafe { read(ptr::null::<postroom_outcome>()) }.is_none());
    let mut outcome = postroom_outcome::of(1);
    outcome.struct_size = 3;
    // SAFETY: a whole struct.
    assert!(unsafe { read(&outcome) }.is_none());
}
