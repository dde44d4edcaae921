//! A body as it grows: within its own limit, and within what all bodies may take together.

use bytes::Bytes;
use poem::http::header;

use super::{budget::Share, too_large};
use crate::problem::{Code, Failure};

/// When a caller is asked to come back, in seconds: bodies come and go faster than this.
const RETRY_AFTER_S: u64 = 5;

/// Room that a body gets before its bytes are there.
const FIRST_ROOM_BYTES: usize = 256 * 1024;

pub(super) struct Buffer<'a> {
    bytes: Vec<u8>,
    bytes_max: usize,
    share: &'a mut Share,
}

/// Why a body cannot grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overrun {
    /// It is over its own limit, in bytes.
    Body { bytes_max: usize },
    /// All bodies together take too much, or the system has no more memory.
    Together,
}

impl<'a> Buffer<'a> {
    /// An empty buffer for a body of at most `bytes_max` bytes, with room for the first of the `announced` bytes. Not for
    /// all of them: announcing is cheap, and a few who announce and send nothing would keep everybody else out.
    pub(super) fn new(announced: usize, bytes_max: usize, share: &'a mut Share) -> Result<Self, Overrun> {
        let mut buffer = Self { bytes: Vec::new(), bytes_max, share };
        buffer.grow(announced.min(FIRST_ROOM_BYTES))?;
        Ok(buffer)
    }

    /// Takes `bytes` of the budget for something beside the buffer that lives as long.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Overrun> {
        self.share.take(bytes).map_err(|_| Overrun::Together)
    }

    pub(super) fn extend(&mut self, chunk: &[u8]) -> Result<(), Overrun> {
        if chunk.len() > self.bytes_max - self.bytes.len() {
            return Err(Overrun::Body { bytes_max: self.bytes_max });
        }
        let length = self.bytes.len() + chunk.len();
        if length > self.bytes.capacity() {
            // Doubled, so that many small chunks do not copy the body many times.
            self.grow(length.max(self.bytes.capacity() * 2).min(self.bytes_max))?;
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// Makes room for `capacity` bytes in all. What counts is the room and not what is in it.
    fn grow(&mut self, capacity: usize) -> Result<(), Overrun> {
        self.take(capacity.saturating_sub(self.bytes.capacity()))?;
        self.bytes.try_reserve_exact(capacity - self.bytes.len()).map_err(|_| Overrun::Together)
    }

    pub(super) fn into_bytes(mut self) -> Bytes {
        // The body may live on in memory until it is delivered, and is counted there by its length.
        self.bytes.shrink_to_fit();
        self.bytes.into()
    }
}

impl From<Overrun> for Failure {
    fn from(overrun: Overrun) -> Self {
        match overrun {
            Overrun::Body { bytes_max } => too_large(bytes_max),
            Overrun::Together => Self::new(
                Code::Unavailable,
                "the event was not stored, send it again later: other bodies take all the memory there is for bodies",
            )
            .with_header(header::RETRY_AFTER, RETRY_AFTER_S),
        }
    }
}
