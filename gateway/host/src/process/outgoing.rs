//! Frames on their way into the process's socket.

use std::io;

use bytes::BytesMut;
use tokio::sync::mpsc;

use super::socket::Outgoing;
use crate::wire::{Frame, Tail};

/// Frames are joined up to this size; what is larger is a body, and goes out without being copied.
const JOIN_BYTES_MAX: usize = 64 * 1024;
const FRAMES_AT_ONCE: usize = 256;

/// Writes frames to the process until either side is gone; small ones together. `replies` have a queue of their own,
/// so that they never take the place of a cancel or a ping.
///
/// A failed write means that the process is gone, which the reading side sees and reports.
pub(super) async fn write_frames(
    socket: Outgoing,
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
            if write_frame(&socket, &mut joined, frame).await.is_err() {
                return;
            }
        }
        if write_joined(&socket, &mut joined).await.is_err() {
            return;
        }
    }
}

/// Adds a frame to `joined`, or writes it and all before it when it is large or brings a descriptor.
async fn write_frame(socket: &Outgoing, joined: &mut BytesMut, frame: Frame) -> io::Result<()> {
    match frame.tail {
        Tail::Bytes(body) if joined.len() + frame.head.len() + body.len() <= JOIN_BYTES_MAX => {
            joined.extend_from_slice(&frame.head);
            joined.extend_from_slice(&body);
            Ok(())
        }
        Tail::Bytes(body) => {
            joined.extend_from_slice(&frame.head);
            write_joined(socket, joined).await?;
            socket.write_all(&body).await
        }
        Tail::Descriptor(file) => {
            // By itself, so that descriptors come in the order of their frames, one with each.
            write_joined(socket, joined).await?;
            socket.write_all_with(&frame.head, &file).await
        }
    }
}

async fn write_joined(socket: &Outgoing, joined: &mut BytesMut) -> io::Result<()> {
    let written = socket.write_all(joined).await;
    joined.clear();
    written
}

#[cfg(test)]
mod tests;
