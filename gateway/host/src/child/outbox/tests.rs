use std::{io::Read, mem, os::unix::net::UnixStream, thread};

use bytes::BytesMut;

use super::{LOG_BYTES_MAX, Outbox};
use crate::{
    plugin_log::LogRecord,
    wire::{TO_GATEWAY_BYTES_MAX, ToGateway, take_frame},
};

const SENDERS: usize = 4;
/// Together more than a socket takes, so that every way of sending is taken.
const FRAMES: usize = 20_000;

/// Reads so many frames.
fn read(gateway: &mut UnixStream, count: usize) -> Vec<ToGateway> {
    let (mut frames, mut buffer, mut piece) = (Vec::new(), BytesMut::new(), vec![0; 64 * 1024]);
    while frames.len() < count {
        let bytes = gateway.read(&mut piece).unwrap();
        buffer.extend_from_slice(&piece[..bytes]);
        while let Some(frame) = take_frame(&mut buffer, TO_GATEWAY_BYTES_MAX).unwrap() {
            frames.push(ToGateway::decode(frame).unwrap());
        }
    }
    frames
}

#[test]
fn senders_wait_for_nobody_and_their_frames_stay_whole_and_in_order() {
    let (mut gateway, child) = UnixStream::pair().unwrap();
    let outbox = Outbox::start(child).unwrap();
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            let outbox = outbox.clone();
            scope.spawn(move || {
                let status = i32::try_from(sender).unwrap();
                for token in 0..FRAMES as u64 {
                    outbox.send(&ToGateway::NotAccepted { token, status });
                }
            });
        }
    });
    // Nothing has been read so far.
    let flushed = thread::spawn(move || outbox.flush());
    let mut next = [0; SENDERS];
    for frame in read(&mut gateway, SENDERS * FRAMES) {
        let ToGateway::NotAccepted { token, status } = frame else { panic!("{frame:?}") };
        let next = &mut next[usize::try_from(status).unwrap()];
        assert_eq!(token, *next);
        *next += 1;
    }
    assert_eq!(next, [FRAMES as u64; SENDERS]);
    flushed.join().unwrap();
}

#[test]
fn a_frame_goes_out_at_once_when_the_socket_has_room() {
    let (mut gateway, child) = UnixStream::pair().unwrap();
    let outbox = Outbox::start(child).unwrap();
    for token in 1..=100 {
        outbox.send(&ToGateway::NotAccepted { token, status: 0 });
        assert_eq!(read(&mut gateway, 1), [ToGateway::NotAccepted { token, status: 0 }]);
    }
    outbox.flush();
}

#[test]
fn log_records_that_nobody_reads_are_bounded() {
    let (gateway, child) = UnixStream::pair().unwrap();
    let outbox = Outbox::start(child).unwrap();
    for _ in 0..10_000 {
        outbox.log(LogRecord {
            level: 3,
            token: 0,
            target: String::new(),
            message: "x".repeat(8192),
            fields_json: String::new(),
        });
    }
    let queued = outbox.shared.lock().bytes.len();
    assert!((LOG_BYTES_MAX / 2..LOG_BYTES_MAX + 10_000).contains(&queued), "{queued}");
    // The writer waits for room, and ends the process when there is nobody left to write to.
    mem::forget(gateway);
}
