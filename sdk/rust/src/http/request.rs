//! One request.

use std::{error::Error, fmt, io};

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;

use super::{client::causes, reach, response::Response};
use crate::{host::Host, outcome::Failure, secret::Secret};

/// A request being put together. A fault in a header or the address is reported by [`RequestBuilder::send`].
///
/// ```
/// use postroom_sdk::{Delivery, Event, Failure, SecretRef, http::HttpClient};
///
/// async fn page(
///     http: &HttpClient,
///     event: &Event,
///     delivery: &Delivery,
///     token: &SecretRef,
/// ) -> Result<(), Failure> {
///     let token = delivery.host().secret(token)?;
///     let request = http.post("https://pager.example/").bearer(&token).header("idempotency-key", event.id());
///     request.body(event.shared_body()).send().await?.successful()?;
///     Ok(())
/// }
/// ```
#[must_use]
pub struct RequestBuilder {
    request: reqwest::RequestBuilder,
    host: Host,
    /// What must not be seen in an excerpt of the answer.
    secrets: Vec<Secret>,
    fault: Option<Failure>,
}

impl RequestBuilder {
    /// With a `fault` the request is never sent.
    pub(super) fn new(request: reqwest::RequestBuilder, host: Host, fault: Option<Failure>) -> Self {
        Self { request, host, secrets: Vec::new(), fault }
    }

    /// Sets a header, in place of one of the same name.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.put_header(name, value, false)
    }

    /// Sets a header whose value is a secret; it is kept out of logs and of excerpts of the answer.
    pub fn secret_header(mut self, name: &str, value: &Secret) -> Self {
        self.secrets.push(value.clone());
        self.put_header(name, value.expose(), true)
    }

    /// Sets `Authorization: Bearer` with a secret.
    pub fn bearer(mut self, token: &Secret) -> Self {
        self.secrets.push(token.clone());
        self.put_header(AUTHORIZATION.as_str(), &format!("Bearer {}", token.expose()), true)
    }

    /// Keeps `secret` out of excerpts of the answer, for a secret that is part of the address: servers like to repeat
    /// the path they do not know.
    pub fn hide(mut self, secret: &Secret) -> Self {
        self.secrets.push(secret.clone());
        self
    }

    /// Sets the body. The event's [`shared_body`](crate::Event::shared_body) is sent without a copy.
    ///
    /// The connection holds it until it is written. A server that answers before it has read everything, and then
    /// neither reads on nor closes, keeps the attempt open until the kernel gives the connection up after 30 seconds
    /// without progress; the outcome is the answer's all the same.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.request = self.request.body(body.into());
        self
    }

    /// Sets the body to `value` as JSON, and the content type.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => self.header(CONTENT_TYPE.as_str(), "application/json").body(json),
            Err(error) => {
                self.fault =
                    Some(Failure::permanent("bad_body", format!("the body cannot be JSON: {error}")));
                self
            }
        }
    }

    /// Sends the request and reads the answer, at most 64 KiB of it.
    ///
    /// # Errors
    ///
    /// When no answer came: a retry with the code `connect`, `timeout` or `transport`. When the request itself cannot be
    /// made, leads beyond the client's [`Reach`](super::Reach), or to a port that the plugin has not been granted:
    /// misconfigured. Any answer, whatever its status, is `Ok`: see [`Response::successful`].
    pub async fn send(self) -> Result<Response, Failure> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        match self.request.send().await {
            Ok(response) => Ok(Response::read(response, self.host.now_unix_ms(), self.secrets).await),
            Err(error) => Err(no_answer(error)),
        }
    }

    fn put_header(mut self, name: &str, value: &str, sensitive: bool) -> Self {
        // The value may be a secret, so a fault only names the header.
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(sensitive);
                self.request = self.request.headers([(name, value)].into_iter().collect());
            }
            (Err(_), _) => {
                self.fault =
                    Some(Failure::misconfigured("bad_header", "a header's name is not allowed in HTTP"));
            }
            (_, Err(_)) => {
                let message =
                    format!("the value of the header `{name}` has characters that HTTP does not allow");
                self.fault = Some(Failure::misconfigured("bad_header", message));
            }
        }
        self
    }
}

impl fmt::Debug for RequestBuilder {
    /// Without the request: its address is often a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder").field("fault", &self.fault).finish_non_exhaustive()
    }
}

const NOT_GRANTED: &str = "the plugin may not connect to this port: its sandbox, or a rule of this machine, forbids it. \
    Grant the port to the destination (`grant.network`), or use a build of the plugin that asks for it (`postroom plugin \
    inspect`)";

/// Whether the system itself has said no, which it goes on doing until somebody changes what the plugin may.
pub(super) fn is_denied(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let denied = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
        if error.downcast_ref().is_some_and(denied) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The failure that stands for a request without an answer, as [`RequestBuilder::send`] gives it: a retry with the code
/// `connect`, `timeout` or `transport`, or misconfigured when nothing could be sent. Without the address.
#[must_use]
pub fn no_answer(error: reqwest::Error) -> Failure {
    if let Some(refused) = reach::refused(&error) {
        return refused;
    }
    if error.is_connect() && is_denied(&error) {
        return Failure::misconfigured("not_granted", NOT_GRANTED);
    }
    let error = error.without_url();
    let message = causes(&error);
    if error.is_builder() {
        Failure::misconfigured("bad_request", format!("the request cannot be made: {message}"))
    } else if error.is_connect() && !error.is_timeout() {
        Failure::retry("connect", format!("no connection: {message}"))
    } else if error.is_timeout() {
        Failure::retry("timeout", format!("no answer in time: {message}"))
    } else {
        Failure::retry("transport", format!("the connection failed: {message}"))
    }
}
