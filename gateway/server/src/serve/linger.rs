//! Lets a client read why its body was refused.
//!
//! Closing a connection while the client still sends makes the system throw the answer away with the connection: the
//! client sees a reset. So what is left of a refused body is read on for a while, and thrown away.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http::{Version, header};
use hyper::body::{Body as _, Incoming};
use poem::Body;

/// Up to this length a body has most likely arrived with its header, and hyper reads what is there before it closes.
const SMALL_BODY_BYTES_MAX: u64 = 16 * 1024;

/// Whether it could matter for this request. HTTP/2 can refuse one body without closing anything, and a client that
/// waits for `100 Continue` has not begun to send.
pub(super) fn is_needed(request: &http::Request<Incoming>) -> bool {
    request.version() <= Version::HTTP_11
        && request.body().size_hint().upper().is_none_or(|length| length > SMALL_BODY_BYTES_MAX)
        && !request.headers().contains_key(header::EXPECT)
}

/// Wraps a body so that, if it is dropped before its end, up to `bytes_max` more of it are read for up to `max`.
pub(super) fn linger(body: Body, bytes_max: u64, max: Duration) -> Body {
    Body::from_bytes_stream(Lingering { rest: Some(body.into_bytes_stream().boxed()), bytes_max, max })
}

type Chunks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

struct Lingering {
    /// Absent once the body has ended.
    rest: Option<Chunks>,
    bytes_max: u64,
    max: Duration,
}

impl Stream for Lingering {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let chunk = ready!(rest.as_mut().poll_next(context));
        if !matches!(chunk, Some(Ok(_))) {
            self.rest = None;
        }
        Poll::Ready(chunk)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(rest) = self.rest.take() else { return };
        // Without a runtime there is no connection left to read from.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(self.max, discard(rest, self.bytes_max)));
        }
    }
}

async fn discard(mut rest: Chunks, bytes_max: u64) {
    let mut left = bytes_max;
    while let Some(Ok(chunk)) = rest.next().await {
        match left.checked_sub(chunk.len() as u64) {
            Some(fewer) => left = fewer,
            None => return,
        }
    }
}
