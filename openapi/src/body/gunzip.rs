//! Undoes gzip as the bytes come in, and stops at the limit: a small body can stand for gigabytes.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;

use super::too_large;
use crate::problem::{Code, Failure};

/// Compressed bytes worked on between two chances for other tasks. Deflate makes at most 1032 bytes of one.
const PIECE_BYTES: usize = 4 * 1024;

pub(super) struct Gunzip {
    decoder: MultiGzDecoder<Bounded>,
}

impl Gunzip {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { decoder: MultiGzDecoder::new(Bounded { bytes: Vec::new(), bytes_max, overrun: false }) }
    }

    pub(super) async fn push(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        for piece in chunk.chunks(PIECE_BYTES) {
            self.decoder.write_all(piece).map_err(|_| self.failure())?;
            tokio::task::consume_budget().await;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Bytes, Failure> {
        self.decoder.try_finish().map_err(|_| self.failure())?;
        let bounded = self.decoder.finish().map_err(|_| not_gzip())?;
        Ok(bounded.bytes.into())
    }

    fn failure(&self) -> Failure {
        let Bounded { overrun, bytes_max, .. } = *self.decoder.get_ref();
        if overrun { too_large(bytes_max) } else { not_gzip() }
    }
}

fn not_gzip() -> Failure {
    Failure::new(Code::InvalidBody, "the body says `Content-Encoding: gzip` but is not gzip, or is cut off")
}

/// A buffer that takes no more than its limit.
struct Bounded {
    bytes: Vec<u8>,
    bytes_max: usize,
    overrun: bool,
}

impl Write for Bounded {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if buffer.len() > self.bytes_max - self.bytes.len() {
            self.overrun = true;
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.bytes.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
