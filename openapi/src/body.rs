//! Reads a request body once, under a limit and a deadline, and undoes gzip.

use std::{io, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use poem::{
    Body,
    http::{HeaderMap, HeaderValue, header},
};

use crate::problem::{Code, Failure};

mod gunzip;

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

/// Reads the whole body.
///
/// # Errors
/// Refuses what is too large (before reading, where the length is known), too slow, broken, or compressed in another
/// way than gzip.
pub(crate) async fn read(body: Body, framing: &Framing, limits: Limits) -> Result<Bytes, Failure> {
    let gzip = match framing.encoding {
        Encoding::Identity => false,
        Encoding::Gzip => true,
        Encoding::Other => return Err(unsupported_encoding()),
    };
    if framing.length.is_some_and(|length| usize::try_from(length).map_or(true, |n| n > limits.bytes_max)) {
        return Err(too_large(limits.bytes_max));
    }
    let stream = body.into_bytes_stream();
    let reading = async {
        if gzip {
            read_gzip(stream, limits.bytes_max).await
        } else {
            read_plain(stream, framing.length, limits.bytes_max).await
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
pub(crate) fn too_large(limit: usize) -> Failure {
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
    length: Option<u64>,
    bytes_max: usize,
) -> Result<Bytes, Failure> {
    // The length is within the limit here. Asking for it at once spares growing, which would copy and hold more.
    let mut body =
        BytesMut::with_capacity(length.and_then(|length| usize::try_from(length).ok()).unwrap_or(0));
    let mut stream = std::pin::pin!(stream);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| broken(&error))?;
        if chunk.len() > bytes_max - body.len() {
            return Err(too_large(bytes_max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

async fn read_gzip(
    stream: impl Stream<Item = io::Result<Bytes>>,
    bytes_max: usize,
) -> Result<Bytes, Failure> {
    let mut gunzip = Gunzip::new(bytes_max);
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
