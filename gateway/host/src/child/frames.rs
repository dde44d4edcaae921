//! Frames from the gateway, and the descriptors that come with them, read one after the other.

use std::{
    collections::VecDeque,
    io::{self, BufReader, IoSliceMut, Read},
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::net::UnixStream},
};

use bytes::Bytes;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use crate::wire::{TO_CHILD_BYTES_MAX, ToChild, frame_length};

const BUFFER_BYTES: usize = 64 * 1024;

pub(crate) struct Frames(BufReader<Socket>);

/// Reads bytes, and puts aside the descriptors among them.
struct Socket {
    stream: UnixStream,
    /// In the order of the frames that they belong to.
    descriptors: VecDeque<OwnedFd>,
}

impl Frames {
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self(BufReader::with_capacity(BUFFER_BYTES, Socket { stream, descriptors: VecDeque::new() }))
    }

    /// Waits for the next frame.
    pub(crate) fn next(&mut self) -> io::Result<ToChild> {
        let mut prefix = [0; 4];
        self.0.read_exact(&mut prefix)?;
        let length = frame_length(prefix, TO_CHILD_BYTES_MAX).map_err(io::Error::other)?;
        // The gateway tells the truth about lengths: one allocation, and the body is read into its final place.
        let mut frame = vec![0; length];
        self.0.read_exact(&mut frame)?;
        ToChild::decode(Bytes::from(frame)).map_err(io::Error::other)
    }

    /// The descriptor of the frame that was just read. It has come, because it travels with the frame's bytes.
    pub(crate) fn descriptor(&mut self) -> io::Result<OwnedFd> {
        let missing = || io::Error::other("a frame came without its descriptor: is the process out of them?");
        self.0.get_mut().descriptors.pop_front().ok_or_else(missing)
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // The kernel ends a read behind a message that carries descriptors, and the gateway sends one with each.
        let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut room);
        let received =
            recvmsg(&self.stream, &mut [IoSliceMut::new(buffer)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                self.descriptors.extend(descriptors);
            }
        }
        Ok(received.bytes)
    }
}

#[cfg(test)]
mod tests;
