//! The client: the operations of the document, with a server and a key.

use std::{fmt, ops::Deref, sync::Once, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use reqwest::{
    Request, Response,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};

use progenitor_client::{ClientHooks, ClientInfo as _, OperationInfo};

use crate::{Error, api};

/// How long it may take to reach the gateway.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the gateway may be silent within an answer. There is no limit to the whole: a body may be large, and an
/// action of a plugin takes its time.
const SILENCE: Duration = Duration::from_secs(120);

/// A gateway, as the holder of an API key sees it. Cloning it is cheap.
///
/// It has a method for every operation of the API, those of [`api::Client`]; each gives a [builder](crate::builder) that
/// takes the parameters, and sends.
#[derive(Clone)]
pub struct Client(api::Client);

impl Client {
    /// Speaks to the gateway at `server`, such as `https://postroom.example.com`, with an API key.
    ///
    /// For [`receive_hook`](api::Client::receive_hook), which wants a source's token and no API key, make a client
    /// with the token as its key.
    ///
    /// # Errors
    /// When the key cannot stand in a header, or no TLS can be set up.
    pub fn new(server: &str, key: &str) -> Result<Self, Error> {
        provide_cryptography();
        let mut authorization =
            HeaderValue::try_from(format!("Bearer {key}")).map_err(|_| Error::KeyUnfit)?;
        authorization.set_sensitive(true);
        let http = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, authorization)]))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .build()
            .map_err(Error::transport)?;
        Ok(Self::with_http(server, http))
    }

    /// Speaks to the gateway at `server` through `http`, which brings the credential, timeouts, proxies and certificates.
    #[must_use]
    pub fn with_http(server: &str, http: reqwest::Client) -> Self {
        Self(api::Client::new_with_client(server.trim_end_matches('/'), http))
    }

    /// The body of an event, byte for byte as it came.
    ///
    /// # Errors
    /// Like any operation.
    pub async fn event_body(&self, id: &str) -> Result<Vec<u8>, Error> {
        let body = self.event_body_stream(id).await?;
        body.try_fold(Vec::new(), async |mut whole, part| {
            whole.extend_from_slice(&part);
            Ok(whole)
        })
        .await
    }

    /// What speaks HTTP for it, with its credential: for a request that is no operation.
    #[must_use]
    pub fn http(&self) -> &reqwest::Client {
        self.0.client()
    }

    /// The same in parts, for a body that is too large for the memory.
    ///
    /// # Errors
    /// Like any operation; the stream fails when the connection does.
    pub async fn event_body_stream(
        &self,
        id: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        let answer = self.download_event_body().id(id).send().await?;
        Ok(answer.into_inner_stream().map(|part| part.map_err(Error::transport)))
    }
}

impl Deref for Client {
    type Target = api::Client;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// What stands before a gateway refuses in its own way: that is a status, and no problem that can be read.
impl ClientHooks<()> for api::Client {
    async fn exec(&self, request: Request, _: &OperationInfo) -> reqwest::Result<Response> {
        let answer = self.client().execute(request).await?;
        let content_type = answer.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let is_problem = content_type.is_some_and(|it| it.starts_with(b"application/problem+json"));
        if is_problem { Ok(answer) } else { answer.error_for_status() }
    }
}

/// `reqwest` takes the cryptography of the process. Whoever chose one before keeps it.
fn provide_cryptography() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        rustls::crypto::ring::default_provider().install_default().ok();
    });
}

#[cfg(test)]
mod tests;
