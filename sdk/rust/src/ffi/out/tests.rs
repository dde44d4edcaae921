use postroom_abi::postroom_errbuf;
use std::ptr;

use super::{set_error, sink_into, write};

#[test]
fn a_message_is_cut_between_characters() {
    check_error("kaputt", 16, "kaputt");
    check_error("kaputt", 6, "kaputt");
    check_error("kaputt", 3, "kap");
    check_error("für", 2, "f");
    check_error("€", 2, "");
    check_error("kaputt", 0, "");
}

#[track_caller]
fn check_error(message: &str, cap: usize, expected: &str) {
    let mut room = [0xAA; 16];
    let mut err = postroom_errbuf { ptr: room.as_mut_ptr(), cap, len: 99 };
    // SAFETY: a buffer of at least `cap` bytes.
    unsafe { set_error(&mut err, message) };
    assert_eq!(&room[..err.len], expected.as_bytes());
    assert!(room[expected.len()..].iter().all(|byte| *byte == 0xAA), "nothing is written behind the message");
}

#[test]
fn no_buffer_takes_no_message() {
    let mut err = postroom_errbuf { ptr: ptr::null_mut(), cap: 8, len: 8 };
    // SAFETY: a null buffer is allowed.
    unsafe { set_error(&mut err, "kaputt") };
    assert_eq!(err.len, 0);
    // SAFETY: null is allowed.
    unsafe { set_error(ptr::null_mut(), "kaputt") };
}

#[test]
fn a_sink_gathers_what_is_written() {
    let mut bytes = Vec::new();
    let mut sink = sink_into(&mut bytes);
    for text in ["one, ", "", "two"] {
        // SAFETY: the sink's vector lives.
        assert_eq!(unsafe { write(&mut sink, text) }, postroom_abi::POSTROOM_OK);
    }
    assert_eq!(bytes, b"one, two");
}
