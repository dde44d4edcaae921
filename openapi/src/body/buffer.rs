//! The part of a body that is in memory, within what all bodies may take together.

use bytes::Bytes;
use poem::http::header;

use super::budget::{Exhausted, Share};
use crate::problem::{Code, Failure};

/// When a caller is asked to come back, in seconds: bodies come and go faster than this.
const RETRY_AFTER_S: u64 = 5;

pub(super) struct Buffer<'a> {
    bytes: Vec<u8>,
    bytes_max: usize,
    /// What of the share is for this buffer. It stays when the bytes are taken, for the next ones.
    room: usize,
    share: &'a mut Share,
}

impl<'a> Buffer<'a> {
    /// An empty buffer of at most `bytes_max` bytes, with room for the `announced` bytes or as many of them as it takes.
    pub(super) fn new(announced: usize, bytes_max: usize, share: &'a mut Share) -> Result<Self, Failure> {
        let mut buffer = Self { bytes: Vec::new(), bytes_max, room: 0, share };
        buffer.grow(announced.min(bytes_max))?;
        Ok(buffer)
    }

    /// Takes `bytes` of the budget for something beside the buffer that lives as long.
    pub(super) fn take_beside(&mut self, bytes: usize) -> Result<(), Failure> {
        Ok(self.share.take(bytes)?)
    }

    /// Takes as much of `chunk` as fits, and gives the rest.
    pub(super) fn fill<'c>(&mut self, chunk: &'c [u8]) -> Result<&'c [u8], Failure> {
        let (fits, rest) = chunk.split_at(chunk.len().min(self.bytes_max - self.bytes.len()));
        let length = self.bytes.len() + fits.len();
        if length > self.bytes.capacity() {
            // Doubled, so that many small chunks do not copy the body many times.
            self.grow(length.max(self.bytes.capacity() * 2).min(self.bytes_max))?;
        }
        self.bytes.extend_from_slice(fits);
        Ok(rest)
    }

    /// Makes room for `capacity` bytes in all. What counts is the room and not what is in it.
    fn grow(&mut self, capacity: usize) -> Result<(), Failure> {
        self.share.take(capacity.saturating_sub(self.room))?;
        self.room = self.room.max(capacity);
        self.bytes.try_reserve_exact(capacity - self.bytes.len()).map_err(|_| Exhausted)?;
        Ok(())
    }

    /// Gives what is in it and is empty again. The bytes given still count, so they must be gone before more come.
    pub(super) fn take(&mut self) -> Bytes {
        let mut bytes = std::mem::take(&mut self.bytes);
        // They may live on in memory until they are delivered, and are counted there by their length.
        bytes.shrink_to_fit();
        bytes.into()
    }
}

impl From<Exhausted> for Failure {
    fn from(_: Exhausted) -> Self {
        Self::new(
            Code::Unavailable,
            "the event was not stored, send it again later: other bodies take all the memory there is for bodies",
        )
        .with_header(header::RETRY_AFTER, RETRY_AFTER_S)
    }
}
