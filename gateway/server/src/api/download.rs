//! A stored body on its way to a person: a large one is never whole in memory.

use std::{fs::File, io, os::unix::fs::FileExt as _, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, stream};
use postroom_store::{Body, BodyFile};

/// Read at once, and in memory until the reader has taken it.
const PIECE_BYTES: u64 = 256 * 1024;

pub(super) fn body(body: Body) -> poem::Body {
    match body {
        Body::Inline(bytes) => poem::Body::from_bytes(bytes),
        Body::File(file) => poem::Body::from_bytes_stream(pieces(file)),
    }
}

/// The file from its beginning to its end, read as the reader takes it. A failure breaks the answer off, which a reader
/// notices by its length.
fn pieces(body: BodyFile) -> impl Stream<Item = io::Result<Bytes>> {
    let BodyFile { file, bytes } = body;
    stream::try_unfold(0, move |offset| {
        let file = Arc::clone(&file);
        async move {
            let length = PIECE_BYTES.min(bytes - offset);
            if length == 0 {
                return Ok(None);
            }
            let piece = tokio::task::spawn_blocking(move || read_at(&file, offset, length)).await??;
            Ok(Some((piece, offset + length)))
        }
    })
}

fn read_at(file: &File, offset: u64, length: u64) -> io::Result<Bytes> {
    let length = usize::try_from(length).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut piece = vec![0; length];
    file.read_exact_at(&mut piece, offset)?;
    Ok(piece.into())
}

#[cfg(test)]
mod tests;
