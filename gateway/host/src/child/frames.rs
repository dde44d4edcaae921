//! Frames from the gateway, and the descriptors that come with them, read one after the other.

use std::{
    collections::VecDeque,
    io::{self, BufReader, IoSliceMut, Read},
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::net::UnixStream},
};

use bytes::Bytes;
use rustix::{
    io::Errno,
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg},
};

use super::spin::Spin;
use crate::wire::{TO_CHILD_BYTES_MAX, ToChild, frame_length};

const BUFFER_BYTES: usize = 64 * 1024;

pub(crate) struct Frames(BufReader<Socket>);

/// Reads bytes, and puts aside the descriptors among them.
struct Socket {
    stream: UnixStream,
    /// In the order of the frames that they belong to.
    descriptors: VecDeque<OwnedFd>,
    spin: Spin,
}

impl Frames {
    pub(crate) fn new(stream: UnixStream) -> Self {
        let spin = Spin::new();
        Self(BufReader::with_capacity(BUFFER_BYTES, Socket { stream, descriptors: VecDeque::new(), spin }))
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
        let Self { stream, descriptors, spin } = self;
        let look = |to: &mut (_, _)| match receive(stream, to, RecvFlags::DONTWAIT) {
            Err(Errno::WOULDBLOCK) => None,
            received => Some(received),
        };
        Ok(spin.wait(&mut (buffer, descriptors), look, |to| receive(stream, to, RecvFlags::empty()))?)
    }
}

/// Receives bytes and adds to the descriptors.
fn receive(
    stream: &UnixStream,
    (buffer, descriptors): &mut (&mut [u8], &mut VecDeque<OwnedFd>),
    flags: RecvFlags,
) -> rustix::io::Result<usize> {
    // The kernel ends a read behind a message that carries descriptors, and the gateway sends one with each.
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut room);
    let flags = flags | RecvFlags::CMSG_CLOEXEC;
    let received = recvmsg(stream, &mut [IoSliceMut::new(buffer)], &mut control, flags)?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    Ok(received.bytes)
}

#[cfg(test)]
mod tests;
