//! The chunks of a body as the sender brings them, for which it has so long.

use std::{io, pin::Pin, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::time::{Instant, timeout_at};

use crate::problem::{Code, Failure};

pub(super) struct Sender<'a, S> {
    chunks: Pin<&'a mut S>,
    begun: Instant,
    read_max: Duration,
}

impl<'a, S: Stream<Item = io::Result<Bytes>>> Sender<'a, S> {
    pub(super) fn new(chunks: Pin<&'a mut S>, read_max: Duration) -> Self {
        Self { chunks, begun: Instant::now(), read_max }
    }

    /// Waits for the next chunk; `None` at the end. What the gateway took for those before is none of the sender's time.
    pub(super) async fn next(&mut self, gateway_took: Duration) -> Result<Option<Bytes>, Failure> {
        let until = self.begun + self.read_max + gateway_took;
        let next = timeout_at(until, self.chunks.next()).await.map_err(|_| self.too_slow())?;
        next.transpose().map_err(|error| broken(&error))
    }

    fn too_slow(&self) -> Failure {
        let read_max = self.read_max.as_secs_f32();
        Failure::new(Code::BodyTimeout, format!("the body did not arrive within {read_max} seconds"))
    }
}

fn broken(error: &io::Error) -> Failure {
    tracing::debug!(%error, "body broke off");
    Failure::new(Code::InvalidBody, "the body broke off before its end")
}
