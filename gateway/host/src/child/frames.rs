//! Frames from the gateway, read one after the other.

use std::{
    io::{self, BufReader, Read},
    os::unix::net::UnixStream,
};

use bytes::Bytes;

use crate::wire::{TO_CHILD_BYTES_MAX, ToChild, frame_length};

const BUFFER_BYTES: usize = 64 * 1024;

pub(super) struct Frames(BufReader<UnixStream>);

impl Frames {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self(BufReader::with_capacity(BUFFER_BYTES, socket))
    }

    /// Waits for the next frame.
    pub(super) fn next(&mut self) -> io::Result<ToChild> {
        let mut prefix = [0; 4];
        self.0.read_exact(&mut prefix)?;
        let length = frame_length(prefix, TO_CHILD_BYTES_MAX).map_err(io::Error::other)?;
        // The gateway tells the truth about lengths: one allocation, and the body is read into its final place.
        let mut frame = vec![0; length];
        self.0.read_exact(&mut frame)?;
        ToChild::decode(Bytes::from(frame)).map_err(io::Error::other)
    }
}
