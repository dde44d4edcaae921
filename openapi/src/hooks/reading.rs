//! A body that is read for an admitted caller. However that fails, the gateway hears of it.

use crate::{port::Gateway, problem::Failure};

/// Does `reading`, and tells the gateway why when it fails; also when it is given up because the caller went away, as
/// then there is nobody left to answer.
pub(super) async fn told<G: Gateway, T>(
    gateway: &G,
    source: &G::Source,
    reading: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut reader = Reader { gateway, source, ended: false };
    let read = reading.await;
    reader.ended = true;
    if let Err(failure) = &read {
        gateway.refused(source, &failure.to_string());
    }
    read
}

struct Reader<'a, G: Gateway> {
    gateway: &'a G,
    source: &'a G::Source,
    ended: bool,
}

impl<G: Gateway> Drop for Reader<'_, G> {
    fn drop(&mut self) {
        if !self.ended {
            self.gateway.refused(self.source, "the connection ended before the body did");
        }
    }
}
