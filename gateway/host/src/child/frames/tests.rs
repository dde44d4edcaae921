use std::{io::Write, os::unix::net::UnixStream};

use super::Frames;
use crate::{
    testing::{delivery, file_delivery},
    wire::{Frame, Tail, ToChild},
};

/// What the child reads of these frames, when their descriptors are left out.
fn without_descriptors(frames: Vec<Frame>) -> Frames {
    let (mut gateway, child) = UnixStream::pair().unwrap();
    for frame in frames {
        gateway.write_all(&frame.head).unwrap();
        if let Tail::Bytes(tail) = frame.tail {
            gateway.write_all(&tail).unwrap();
        }
    }
    Frames::new(child)
}

#[test]
fn frames_are_read_one_by_one_and_then_the_end() {
    let mut frames =
        without_descriptors(vec![Frame::ping(), Frame::deliver(7, &delivery("body")), Frame::cancel(7)]);
    assert_eq!(frames.next().unwrap(), ToChild::Ping);
    let ToChild::Deliver(offer) = frames.next().unwrap() else { panic!("no delivery") };
    assert_eq!((offer.token, &*offer.body), (7, &b"body"[..]));
    assert_eq!(frames.next().unwrap(), ToChild::Cancel { token: 7 });
    assert!(frames.next().is_err());
}

#[test]
fn a_frame_that_comes_without_its_descriptor_is_a_fault() {
    let mut frames = without_descriptors(vec![Frame::deliver(7, &file_delivery(b"body"))]);
    assert!(matches!(frames.next().unwrap(), ToChild::DeliverFile { bytes: 4, .. }));
    let error = frames.descriptor().unwrap_err().to_string();
    assert!(error.contains("without its descriptor"), "{error}");
}

#[test]
fn a_frame_longer_than_any_is_refused_before_room_is_made_for_it() {
    let (mut gateway, child) = UnixStream::pair().unwrap();
    gateway.write_all(&u32::MAX.to_le_bytes()).unwrap();
    let error = Frames::new(child).next().unwrap_err().to_string();
    assert!(error.contains("a frame of 4294967295 bytes"), "{error}");
}
