//! Reads a request body once, under a limit, a deadline and the budget of all bodies, and undoes gzip.

use std::{io, pin::pin, time::Duration};

use bytes::Bytes;
use futures_util::Stream;
use poem::{
    Body,
    http::{HeaderValue, header},
};

use crate::{
    port::{Gateway, HookBody},
    problem::{Code, Failure},
};

mod budget;
mod buffer;
mod framing;
mod gunzip;
mod incoming;
mod sender;

pub(crate) use budget::{Budget, Share};
use framing::Encoding;
pub(crate) use framing::Framing;
use gunzip::Gunzip;
use incoming::Incoming;
use sender::Sender;

/// What a body may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Largest body in bytes, both as it arrives and after decompression.
    pub(crate) bytes_max: usize,
    /// What of it may be in memory at once, in bytes; a larger body is uploaded in pieces of this size.
    pub(crate) in_memory_bytes_max: usize,
    /// How long the whole of it may take to arrive, and how long the gateway may take to keep it meanwhile.
    pub(crate) read_max: Duration,
}

/// Reads the whole body. The memory for it is taken into `share`, which the caller keeps as long as the body.
///
/// # Errors
/// Refuses what is too large or finds no room in the budget (both before reading, where the length is known), is too
/// slow, broken, or compressed in another way than gzip; and what the gateway cannot keep, or not in time. Nothing of it
/// remains then.
pub(crate) async fn read<G: Gateway>(
    body: Body,
    framing: &Framing,
    limits: Limits,
    share: &mut Share,
    gateway: &G,
) -> Result<HookBody<G::Upload>, Failure> {
    let gzip = match framing.encoding {
        Encoding::Identity => false,
        Encoding::Gzip => true,
        Encoding::Other => return Err(unsupported_encoding()),
    };
    let announced = usize::try_from(framing.length.unwrap_or(0)).unwrap_or(usize::MAX);
    if announced > limits.bytes_max {
        return Err(too_large(limits.bytes_max));
    }
    // Also for gzip: what it unpacks to is hardly ever less than what is sent.
    let incoming = Incoming::new(gateway, limits, announced, share)?;
    let chunks = pin!(body.into_bytes_stream());
    let sender = Sender::new(chunks, limits.read_max);
    if gzip {
        // Apart: its state is large, and every body would carry room for it along.
        Box::pin(read_gzip(sender, limits.bytes_max, incoming)).await
    } else {
        read_plain(sender, incoming).await
    }
}

/// The refusal of a body over the limit.
fn too_large(limit: usize) -> Failure {
    Failure::new(
        Code::BodyTooLarge,
        format!("the body is larger than the {limit} bytes that this source takes"),
    )
}

fn unsupported_encoding() -> Failure {
    Failure::new(
        Code::UnsupportedEncoding,
        "bodies are taken as they are or compressed with gzip, not with another Content-Encoding",
    )
    .with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"))
}

async fn read_plain<G: Gateway>(
    mut sender: Sender<'_, impl Stream<Item = io::Result<Bytes>>>,
    mut incoming: Incoming<'_, G>,
) -> Result<HookBody<G::Upload>, Failure> {
    while let Some(chunk) = sender.next(incoming.took()).await? {
        incoming.push(&chunk).await?;
    }
    incoming.finish().await
}

async fn read_gzip<G: Gateway>(
    mut sender: Sender<'_, impl Stream<Item = io::Result<Bytes>>>,
    bytes_max: usize,
    mut incoming: Incoming<'_, G>,
) -> Result<HookBody<G::Upload>, Failure> {
    incoming.take_beside(gunzip::MEMORY_BYTES)?;
    let mut gunzip = Gunzip::new();
    let mut arrived: usize = 0;
    while let Some(chunk) = sender.next(incoming.took()).await? {
        // Empty members of gzip could come for ever without one byte coming out.
        arrived += chunk.len();
        if arrived > bytes_max {
            return Err(too_large(bytes_max));
        }
        for piece in chunk.chunks(gunzip::PIECE_BYTES) {
            incoming.push(&gunzip.undo(piece)?).await?;
            tokio::task::consume_budget().await;
        }
    }
    incoming.push(&gunzip.finish()?).await?;
    incoming.finish().await
}

#[cfg(test)]
mod tests;
