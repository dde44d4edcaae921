//! Undoes gzip as the bytes come in, a bounded piece at a time: a small body can stand for gigabytes.

use std::io::Write as _;

use flate2::write::MultiGzDecoder;

use crate::problem::{Code, Failure};

/// Compressed bytes undone at once.
pub(super) const PIECE_BYTES: usize = 256;

/// Deflate makes at most this many bytes of one.
const RATIO_MAX: usize = 1032;

/// Memory that undoing takes: the window, the tables and the output of a decoder, the three texts of up to 64 KiB that a
/// gzip header may carry, and what one piece becomes.
pub(super) const MEMORY_BYTES: usize = (80 + 3 * 64) * 1024 + PIECE_BYTES * RATIO_MAX;

/// A gzip stream of one or more members.
pub(super) struct Gunzip(MultiGzDecoder<Vec<u8>>);

impl Gunzip {
    pub(super) fn new() -> Self {
        Self(MultiGzDecoder::new(Vec::new()))
    }

    /// Undoes at most [`PIECE_BYTES`] and gives what came out so far and was not given before.
    pub(super) fn undo(&mut self, piece: &[u8]) -> Result<Vec<u8>, Failure> {
        self.0.write_all(piece).map_err(|_| not_gzip())?;
        Ok(std::mem::take(self.0.get_mut()))
    }

    /// Gives the rest, once everything has come in.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, Failure> {
        self.0.try_finish().map_err(|_| not_gzip())?;
        self.0.finish().map_err(|_| not_gzip())
    }
}

fn not_gzip() -> Failure {
    Failure::new(Code::InvalidBody, "the body says `Content-Encoding: gzip` but is not gzip, or is cut off")
}
