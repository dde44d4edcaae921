//! Frames on their way into the process's socket.

use std::{
    fs::File,
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::fd::AsFd,
};

use bytes::{Buf, BytesMut};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tokio::{
    io::{AsyncWriteExt, Interest},
    net::unix::OwnedWriteHalf,
    sync::mpsc,
};

use crate::wire::{Frame, Tail};

/// Frames are joined up to this size; what is larger is a body, and goes out without being copied.
const JOIN_BYTES_MAX: usize = 64 * 1024;
const FRAMES_AT_ONCE: usize = 256;

/// Writes frames to the process until either side is gone; small ones together. `replies` have a queue of their own,
/// so that they never take the place of a cancel or a ping.
///
/// A failed write means that the process is gone, which the reading side sees and reports.
pub(super) async fn write_frames(
    mut socket: OwnedWriteHalf,
    mut outgoing: mpsc::Receiver<Frame>,
    mut replies: mpsc::Receiver<Frame>,
) {
    let mut frames = Vec::with_capacity(FRAMES_AT_ONCE);
    let mut joined = BytesMut::new();
    loop {
        let came = tokio::select! {
            biased;
            came = outgoing.recv_many(&mut frames, FRAMES_AT_ONCE) => came,
            reply = replies.recv() => {
                frames.extend(reply);
                frames.len()
            }
        };
        if came == 0 {
            return;
        }
        for frame in frames.drain(..) {
            if write_frame(&mut socket, &mut joined, frame).await.is_err() {
                return;
            }
        }
        if socket.write_all_buf(&mut joined).await.is_err() {
            return;
        }
    }
}

/// Adds a frame to `joined`, or writes it and all before it when it is large or brings a descriptor.
async fn write_frame(socket: &mut OwnedWriteHalf, joined: &mut BytesMut, frame: Frame) -> io::Result<()> {
    match frame.tail {
        Tail::Bytes(body) if joined.len() + frame.head.len() + body.len() <= JOIN_BYTES_MAX => {
            joined.extend_from_slice(&frame.head);
            joined.extend_from_slice(&body);
            Ok(())
        }
        Tail::Bytes(body) => {
            joined.extend_from_slice(&frame.head);
            socket.write_all_buf(joined).await?;
            socket.write_all(&body).await
        }
        Tail::Descriptor(file) => {
            // By itself, so that descriptors come in the order of their frames, one with each.
            socket.write_all_buf(joined).await?;
            let mut head = frame.head;
            send_with(socket, &mut head, &file).await?;
            socket.write_all_buf(&mut head).await
        }
    }
}

/// Sends the first bytes of `bytes` together with a descriptor, and takes them off it.
async fn send_with(socket: &OwnedWriteHalf, bytes: &mut BytesMut, file: &File) -> io::Result<()> {
    let stream = socket.as_ref();
    let sent = stream.async_io(Interest::WRITABLE, || {
        let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut room);
        let descriptors = [file.as_fd()];
        let fits = control.push(SendAncillaryMessage::ScmRights(&descriptors));
        debug_assert!(fits, "the room is made for one descriptor");
        Ok(sendmsg(stream, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?)
    });
    let sent = sent.await?;
    bytes.advance(sent);
    Ok(())
}

#[cfg(test)]
mod tests;
