//! The answer: messages as they come, and a sign of life when none come.

use std::{io, time::Duration};

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::stream;
use poem::{
    Body, Response,
    http::{HeaderMap, HeaderName, header},
};
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::EVENT_STREAM;
use crate::{
    auth,
    port::{Gateway, Reader, Step, Told},
};

/// Marks an answer that ends by itself only when the gateway stops. Whoever serves it need not wait for its reader then.
#[derive(Debug, Clone, Copy)]
pub struct Endless;

/// How long it is silent. Shorter than what proxies, and the gateway itself, take for a connection that nobody uses.
const SILENT_MAX: Duration = Duration::from_secs(15);
/// When a reader who was cut off should come again, in milliseconds.
const RETRY_MS: u32 = 2000;
/// Says to a proxy that it must not hold pieces back.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

struct Following<G, R> {
    gateway: G,
    /// What the reader was let in by.
    headers: HeaderMap,
    reader: R,
    begun: bool,
    /// When the key was last looked at.
    let_in_at: Instant,
}

/// The answer that tells what `reader` gives. `headers` are those of the request.
pub(super) fn answer<G: Gateway>(gateway: G, headers: HeaderMap, reader: G::Reader) -> Response {
    let following = Following { gateway, headers, reader, begun: false, let_in_at: Instant::now() };
    let pieces = stream::unfold(following, |mut following| async {
        let piece = following.next().await?;
        Some((Ok::<_, io::Error>(piece), following))
    });
    let mut response = Response::builder()
        .header(header::CONTENT_TYPE, EVENT_STREAM)
        .header(UNBUFFERED, "no")
        .body(Body::from_bytes_stream(pieces));
    response.set_data(Endless);
    response
}

impl<G: Gateway> Following<G, G::Reader> {
    async fn next(&mut self) -> Option<Bytes> {
        if !self.begun {
            self.begun = true;
            // At once, so that a reader knows that it is let in, and has a position before anything happens.
            return Some(self.at(&format!("retry: {RETRY_MS}")));
        }
        loop {
            if self.let_in_at.elapsed() >= SILENT_MAX && !self.is_let_in().await {
                return None;
            }
            match timeout(SILENT_MAX, self.reader.next()).await {
                Ok(None) => return None,
                Ok(Some(Step::Told(told))) => return Some(frames(&told)),
                Ok(Some(Step::KeysChanged)) => {
                    if !self.is_let_in().await {
                        return None;
                    }
                }
                Err(_) if !self.is_let_in().await => return None,
                // With the position: a reader who wants little need not go through all the rest when it comes again.
                Err(_) => return Some(self.at(": still here")),
            }
        }
    }

    /// Something that is no message, with the position.
    fn at(&self, line: &str) -> Bytes {
        match self.reader.position() {
            Some(position) => format!("{line}\nid: {position}\n\n").into(),
            None => format!("{line}\n\n").into(),
        }
    }

    /// Whether the key that the reader came with still lets it in.
    async fn is_let_in(&mut self) -> bool {
        self.let_in_at = Instant::now();
        auth::is_still_let_in(&self.gateway, &self.headers).await
    }
}

/// The messages as they go over the wire. Neither a position nor JSON of ours has a line end in it.
fn frames(told: &[Told]) -> Bytes {
    let mut frames = BytesMut::new();
    let mut frame = |position: &str, topic: &str, data: &[u8]| {
        for part in [b"id: ", position.as_bytes(), b"\nevent: ", topic.as_bytes(), b"\ndata: ", data, b"\n\n"]
        {
            frames.put_slice(part);
        }
    };
    for told in told {
        match told {
            Told::Change { position, change } => frame(position, change.about.topic.as_str(), &change.data),
            Told::Resync { position, topics, reason, after_event } => {
                let topics: Vec<_> = topics.iter().map(super::Topic::as_str).collect();
                let mut data = json!({ "topics": topics, "reason": reason });
                if let Some(event) = after_event {
                    data["after_event"] = json!(event);
                }
                frame(position, "resync", data.to_string().as_bytes());
            }
        }
    }
    frames.freeze()
}
