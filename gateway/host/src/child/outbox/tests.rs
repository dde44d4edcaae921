use std::{
    io::Read,
    mem,
    os::unix::net::UnixStream,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use bytes::BytesMut;

use super::{LOG_BYTES_MAX, Outbox, Spin};
use crate::{
    plugin_log::LogRecord,
    wire::{TO_GATEWAY_BYTES_MAX, ToGateway, take_frame},
};

const SENDERS: usize = 4;
/// Together more than a socket takes, so that every way of sending is taken.
const FRAMES: usize = 20_000;

/// Reads so many frames.
fn read(gateway: &mut UnixStream, count: usize) -> Vec<ToGateway> {
    let (mut frames, mut buffer, mut piece) = (Vec::new(), BytesMut::new(), [0; 4096]);
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
    let outbox = Outbox::start(child, Spin::new()).unwrap();
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
    let outbox = Outbox::start(child, Spin::new()).unwrap();
    for token in 1..=100 {
        outbox.send(&ToGateway::NotAccepted { token, status: 0 });
        assert_eq!(read(&mut gateway, 1), [ToGateway::NotAccepted { token, status: 0 }]);
    }
    outbox.flush();
}

struct BeginAll<'a>(&'a AtomicU64);

impl Drop for BeginAll<'_> {
    fn drop(&mut self) {
        self.0.store(u64::MAX, Ordering::Release);
    }
}

/// Bursts of two senders at once that begin at any moment of the writer's: awake, about to sleep, asleep, writing. A wake that is
/// missed leaves frames behind, for nothing is sent after them.
#[test]
fn no_burst_leaves_a_frame_behind() {
    const ROUNDS: u64 = 10_000;
    let frames_in = |round: u64| round % 4;
    let (mut gateway, child) = UnixStream::pair().unwrap();
    gateway.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let outbox = Outbox::start(child, Spin::new()).unwrap();
    let begun = AtomicU64::new(0);
    let sender = |status| {
        for round in 1..=ROUNDS {
            while begun.load(Ordering::Acquire) < round {
                thread::yield_now();
            }
            for token in 0..=frames_in(round) {
                outbox.send(&ToGateway::NotAccepted { token, status });
            }
        }
    };
    thread::scope(|scope| {
        // Whatever is found, the senders come to their end.
        let _all = BeginAll(&begun);
        scope.spawn(|| sender(0));
        scope.spawn(|| sender(1));
        for round in 1..=ROUNDS {
            begun.store(round, Ordering::Release);
            let each = 1 + frames_in(round);
            let mut next = [0; 2];
            for frame in read(&mut gateway, usize::try_from(2 * each).unwrap()) {
                let ToGateway::NotAccepted { token, status } = frame else { panic!("{frame:?}") };
                let next = &mut next[usize::try_from(status).unwrap()];
                assert_eq!(token, *next, "round {round}");
                *next += 1;
            }
            assert_eq!(next, [each; 2], "round {round}");
            // Longer and shorter than a burst, and than the writer stays awake.
            let pause = Instant::now() + Duration::from_micros(round % 80);
            while Instant::now() < pause {
                thread::yield_now();
            }
        }
    });
    outbox.flush();
}

#[test]
fn log_records_that_nobody_reads_are_bounded() {
    let (gateway, child) = UnixStream::pair().unwrap();
    let outbox = Outbox::start(child, Spin::new()).unwrap();
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
