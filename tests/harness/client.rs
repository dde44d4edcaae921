//! A caller of the gateway: Postman for its hooks, a person's program for its API.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use reqwest::{Method, RequestBuilder, redirect::Policy};
use serde_json::Value;

use super::{PATIENCE, contract};

/// An HTTP client for one gateway.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    http: reqwest::Client,
}

impl Client {
    pub(super) fn new(address: &str) -> Self {
        // A second install is refused, and means that another test was first.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .no_proxy()
            .redirect(Policy::none())
            // Less than the gateway's own: a request on a connection that it is about to close would get no answer.
            .pool_idle_timeout(Duration::from_secs(5))
            .build()
            .expect("a client without special settings can be made");
        Self { base: format!("http://{address}"), http }
    }

    /// The URL of `path` at this gateway.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A request without any credential. Send it with [`Answer::to`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }
}

/// What the gateway answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// Sends `request` and reads the whole answer.
    ///
    /// # Errors
    /// When there is no whole answer.
    ///
    /// # Panics
    /// When the answer is not what the document says.
    pub async fn try_to(request: RequestBuilder) -> Result<Self, reqwest::Error> {
        let (client, request) = request.build_split();
        let request = request?;
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let answer = Self { status, headers, body: response.bytes().await? };
        contract::check(&method, &path, &answer);
        Ok(answer)
    }

    /// Sends `request` and reads the whole answer.
    ///
    /// # Panics
    /// When there is no whole answer.
    pub async fn to(request: RequestBuilder) -> Self {
        Self::try_to(request).await.expect("the gateway answers")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value; empty when it is absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Checks that this is a problem with this status and code.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json()["code"], code, "{}", self.text());
    }
}
