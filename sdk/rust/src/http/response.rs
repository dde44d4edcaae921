//! One answer.

use std::{fmt, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{StatusCode, header::RETRY_AFTER};
use serde::de::DeserializeOwned;

use super::{excerpt, retry_after};
use crate::{outcome::Failure, secret::Secret};

/// Most of a successful answer that is read.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Most of any other answer that is read: enough for a message.
const ERROR_BODY_BYTES_MAX: usize = 8 * 1024;

/// An answer. Its body is cut: plugins send events, they do not fetch things.
///
/// ```
/// use postroom_sdk::{Failure, http::Response};
///
/// /// This pager answers 200 to everything and says in the body how it went.
/// fn page_id(response: Response) -> Result<u64, Failure> {
///     #[derive(serde::Deserialize)]
///     struct Page {
///         id: u64,
///     }
///
///     let response = response.successful()?;
///     let page: Option<Page> = response.json();
///     page.map(|page| page.id).ok_or_else(|| Failure::permanent("refused", response.excerpt()))
/// }
/// ```
pub struct Response {
    status: StatusCode,
    retry_after: Option<Duration>,
    body: Bytes,
    /// Nothing is missing at the end of the body.
    whole: bool,
    secrets: Vec<Secret>,
}

impl Response {
    /// Reads the body as far as it is wanted. A body that breaks off is no failure: the status has decided already.
    pub(super) async fn read(
        mut response: reqwest::Response,
        now_unix_ms: u64,
        secrets: Vec<Secret>,
    ) -> Self {
        let status = response.status();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| retry_after::parse(value, now_unix_ms));
        let limit = if status.is_success() { BODY_BYTES_MAX } else { ERROR_BODY_BYTES_MAX };
        let mut body = BytesMut::new();
        let whole = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    let room = limit - body.len();
                    body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if chunk.len() >= room {
                        break false;
                    }
                }
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        Self { status, retry_after, body: body.freeze(), whole, secrets }
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Whether the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// How long the remote side asked to wait, in seconds or until a date.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The body: at most 64 KiB of a successful answer, 8 KiB of another.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON; `None` when it is something else.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The beginning of the body for people: at most 200 characters, blanks folded, the request's secrets hidden.
    #[must_use]
    pub fn excerpt(&self) -> String {
        excerpt::of(&self.body, self.whole, &self.secrets)
    }

    /// The answer itself when it is 2xx.
    ///
    /// # Errors
    ///
    /// [`Response::failure`] when it is not.
    pub fn successful(self) -> Result<Self, Failure> {
        if self.is_success() { Ok(self) } else { Err(self.failure()) }
    }

    /// The failure this status stands for, by [`Failure::from_status`], with an excerpt of the body.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let mut message = format!("the answer was {}", self.status);
        let excerpt = self.excerpt();
        if !excerpt.is_empty() {
            message = format!("{message}: {excerpt}");
        }
        Failure::from_status(self.status(), self.retry_after, message)
    }
}

impl fmt::Debug for Response {
    /// Without the body, which may echo a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("retry_after", &self.retry_after)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
