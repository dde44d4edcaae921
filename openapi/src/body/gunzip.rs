//! Undoes gzip as the bytes come in, and stops at the limit: a small body can stand for gigabytes.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;

use super::buffer::{Buffer, Overrun};
use crate::problem::{Code, Failure};

/// Compressed bytes worked on between two chances for other tasks. Deflate makes at most 1032 bytes of one.
const PIECE_BYTES: usize = 4 * 1024;

/// Memory that undoing takes beside the body: the window, the tables and the output of a decoder, and the three texts
/// of up to 64 KiB that a gzip header may carry.
const DECODER_BYTES: usize = (80 + 3 * 64) * 1024;

pub(super) struct Gunzip<'a> {
    decoder: MultiGzDecoder<Output<'a>>,
}

impl<'a> Gunzip<'a> {
    pub(super) fn new(mut buffer: Buffer<'a>) -> Result<Self, Overrun> {
        buffer.take(DECODER_BYTES)?;
        Ok(Self { decoder: MultiGzDecoder::new(Output { buffer, overrun: None }) })
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
        let output = self.decoder.finish().map_err(|_| not_gzip())?;
        Ok(output.buffer.into_bytes())
    }

    fn failure(&self) -> Failure {
        self.decoder.get_ref().overrun.map_or_else(not_gzip, Failure::from)
    }
}

fn not_gzip() -> Failure {
    Failure::new(Code::InvalidBody, "the body says `Content-Encoding: gzip` but is not gzip, or is cut off")
}

/// The buffer as the decoder writes to it. Why it is full is kept beside it: the decoder only knows errors of I/O.
struct Output<'a> {
    buffer: Buffer<'a>,
    overrun: Option<Overrun>,
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.buffer.extend(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(overrun) => {
                self.overrun = Some(overrun);
                Err(io::Error::from(io::ErrorKind::FileTooLarge))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
