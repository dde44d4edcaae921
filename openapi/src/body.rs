//! Reads a request body once, under a limit, a deadline and the budget of all bodies, and undoes gzip.

use std::{io, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use poem::{
    Body,
    http::{HeaderMap, HeaderValue, header},
};

use crate::problem::{Code, Failure};

mod budget;
mod buffer;
mod gunzip;

pub(crate) use budget::{Budget, Share};
use buffer::Buffer;
use gunzip::Gunzip;

/// What a body may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Largest body in bytes, both as it arrives and after decompression.
    pub(crate) bytes_max: usize,
    /// How long the whole of it may take to arrive.
    pub(crate) read_max: Duration,
}

/// What the header says about the body.
#[derive(Debug, Clone)]
pub(crate) struct Framing {
    /// The announced length in bytes; `None` when the body is chunked.
    length: Option<u64>,
    encoding: Encoding,
}

#[derive(Debug, Clone, Copy)]
enum Encoding {
    Identity,
    Gzip,
    Other,
}

impl Framing {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        // Several codings in one header or in many are possible by the standard; nobody sends them.
        let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
        let encoding = match (codings.next().map(|value| value.as_bytes().trim_ascii()), codings.next()) {
            (None, _) => Encoding::Identity,
            (Some(coding), None) if coding.is_empty() || coding.eq_ignore_ascii_case(b"identity") => {
                Encoding::Identity
            }
            (Some(coding), None)
                if coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip") =>
            {
                Encoding::Gzip
            }
            _ => Encoding::Other,
        };
        Self { length, encoding }
    }
}

/// Reads the whole body. The memory for it is taken into `share`, which the caller keeps as long as the body.
///
/// # Errors
/// Refuses what is too large or finds no room in the budget (both before reading, where the length is known), is too
/// slow, broken, or compressed in another way than gzip.
pub(crate) async fn read(
    body: Body,
    framing: &Framing,
    limits: Limits,
    share: &mut Share,
) -> Result<Bytes, Failure> {
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
    let buffer = Buffer::new(announced, limits.bytes_max, share)?;
    let stream = body.into_bytes_stream();
    let reading = async {
        if gzip {
            read_gzip(stream, limits.bytes_max, buffer).await
        } else {
            read_plain(stream, buffer).await
        }
    };
    tokio::time::timeout(limits.read_max, reading).await.unwrap_or_else(|_| {
        Err(Failure::new(
            Code::BodyTimeout,
            format!("the body did not arrive within {} seconds", limits.read_max.as_secs_f32()),
        ))
    })
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

async fn read_plain(
    stream: impl Stream<Item = io::Result<Bytes>>,
    mut buffer: Buffer<'_>,
) -> Result<Bytes, Failure> {
    let mut stream = std::pin::pin!(stream);
    while let Some(chunk) = stream.next().await {
        buffer.extend(&chunk.map_err(|error| broken(&error))?)?;
    }
    Ok(buffer.into_bytes())
}

async fn read_gzip(
    stream: impl Stream<Item = io::Result<Bytes>>,
    bytes_max: usize,
    buffer: Buffer<'_>,
) -> Result<Bytes, Failure> {
    let mut gunzip = Gunzip::new(buffer)?;
    let mut arrived: usize = 0;
    let mut stream = std::pin::pin!(stream);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| broken(&error))?;
        // Empty members of gzip could come for ever without one byte coming out.
        arrived += chunk.len();
        if arrived > bytes_max {
            return Err(too_large(bytes_max));
        }
        gunzip.push(&chunk).await?;
    }
    gunzip.finish()
}

fn broken(error: &io::Error) -> Failure {
    tracing::debug!(%error, "body broke off");
    Failure::new(Code::InvalidBody, "the body broke off before its end")
}

#[cfg(test)]
mod tests;
