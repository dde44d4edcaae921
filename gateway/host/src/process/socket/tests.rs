use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    pin::pin,
    task::{Context, Waker},
    thread,
};

use bytes::BytesMut;

use super::{Incoming, Outgoing, READ_BYTES, split};

fn pair() -> (Incoming, Outgoing, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let (incoming, outgoing) = split(ours).unwrap();
    (incoming, outgoing, theirs)
}

#[tokio::test]
async fn bytes_are_read_as_they_come_until_the_end() {
    let (mut incoming, _outgoing, mut theirs) = pair();
    let mut buffer = BytesMut::new();
    // More than is read at once, just as much, and less: what is left must be found without another word of the kernel.
    for bytes in [3 * READ_BYTES + 1, READ_BYTES, 1] {
        theirs.write_all(&vec![7; bytes]).unwrap();
        let mut read = 0;
        while read < bytes {
            read += incoming.read(&mut buffer).await.unwrap();
        }
        assert_eq!((read, buffer.len()), (bytes, bytes));
        buffer.clear();
        let mut more = pin!(incoming.read(&mut buffer));
        assert!(more.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    drop(theirs);
    assert_eq!(incoming.read(&mut buffer).await.unwrap(), 0);
}

#[tokio::test]
async fn a_full_socket_is_waited_for() {
    let (_incoming, outgoing, mut theirs) = pair();
    let body: Vec<u8> = (0..4 * 1024 * 1024_u32).map(|at| (at % 251) as u8).collect();
    let mut read = vec![0; body.len()];
    let mut writing = pin!(outgoing.write_all(&body));
    // Nobody has read anything.
    assert!(writing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let reader = thread::spawn(move || {
        theirs.read_exact(&mut read).unwrap();
        read
    });
    writing.await.unwrap();
    assert!(reader.join().unwrap() == body, "what was read is not what was written");
}

#[tokio::test]
async fn the_process_finds_the_end_when_the_writing_half_is_dropped() {
    let (_incoming, outgoing, mut theirs) = pair();
    outgoing.write_all(b"last").await.unwrap();
    drop(outgoing);
    let mut read = Vec::new();
    theirs.read_to_end(&mut read).unwrap();
    assert_eq!(read, b"last");
}

#[tokio::test]
async fn what_a_process_that_is_gone_does_not_read_is_an_error() {
    let (_incoming, outgoing, theirs) = pair();
    drop(theirs);
    assert!(outgoing.write_all(b"x").await.is_err());
}
