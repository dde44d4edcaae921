//! Setting the client up.

use std::{
    sync::{Arc, Once},
    time::Duration,
};

use reqwest::{Method, redirect};
use thiserror::Error;

use super::{
    reach::{Reach, Resolver},
    request::RequestBuilder,
};
use crate::{host::Host, plugin::CreateError};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request may take from its start to the end of the answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long an unused connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long sent bytes may wait for the other side before the kernel gives the connection up.
#[cfg(target_os = "linux")]
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Sends requests; keeps connections. One per instance, cheap to clone.
///
/// ```
/// use postroom_sdk::{Failure, http::HttpClient};
///
/// async fn ping(http: &HttpClient) -> Result<(), Failure> {
///     http.get("https://pager.example/ping").send().await?.successful()?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: reqwest::Client,
    /// Gives the time for a `Retry-After` that is a date.
    host: Host,
    reach: Reach,
}

/// Settings of an [`HttpClient`].
///
/// ```
/// use std::time::Duration;
///
/// use postroom_sdk::{Host, http::{HttpClient, HttpClientError}};
///
/// fn client(host: &Host) -> Result<HttpClient, HttpClientError> {
///     HttpClient::builder(host, "pager", env!("CARGO_PKG_VERSION")).timeout(Duration::from_secs(5)).build()
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct HttpClientBuilder {
    host: Host,
    user_agent: String,
    connect_timeout: Duration,
    timeout: Duration,
    reach: Reach,
}

/// The client could not be set up.
#[derive(Debug, Error)]
#[error("the HTTP client cannot be set up: {0}")]
pub struct HttpClientError(String);

impl From<HttpClientError> for CreateError {
    fn from(error: HttpClientError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl HttpClient {
    /// Starts a client that calls itself `postroom-<plugin>/<version>`; the version is `env!("CARGO_PKG_VERSION")`.
    pub fn builder(host: &Host, plugin: &str, version: &str) -> HttpClientBuilder {
        HttpClientBuilder {
            host: host.clone(),
            user_agent: format!("postroom-{plugin}/{version}"),
            connect_timeout: CONNECT_TIMEOUT,
            timeout: TIMEOUT,
            reach: Reach::Public,
        }
    }

    /// Starts a request.
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let beyond = self.reach.check(url).err();
        RequestBuilder::new(self.client.request(method, url), self.host.clone(), beyond)
    }

    /// Starts a POST request.
    pub fn post(&self, url: &str) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// Starts a PUT request.
    pub fn put(&self, url: &str) -> RequestBuilder {
        self.request(Method::PUT, url)
    }

    /// Starts a GET request.
    pub fn get(&self, url: &str) -> RequestBuilder {
        self.request(Method::GET, url)
    }
}

impl HttpClientBuilder {
    /// Sets how long a request may take from its start to the end of the answer; 30 seconds unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long a connection may take to be made; 10 seconds unless set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how far the client reaches; the public internet unless set.
    pub fn reach(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// Makes the client.
    ///
    /// Without any root certificate on the machine `https` cannot work, but `http` can: so that is a warning in the
    /// log, and every request by `https` fails.
    ///
    /// # Errors
    ///
    /// When the client cannot be set up; with `?` it becomes a [`CreateError`].
    pub fn build(self) -> Result<HttpClient, HttpClientError> {
        let client = self.build_reqwest()?;
        Ok(HttpClient { client, host: self.host, reach: self.reach })
    }

    /// Makes the bare client that an [`HttpClient`] sends with, for a library that makes its own requests, such as one
    /// for object storage, or for bodies beyond the limits of [`Response`](super::Response).
    ///
    /// Names that lead beyond the reach are refused as ever; an address in digits is never looked up, so it is the
    /// caller's to check, by [`Reach::allows`]. [`no_answer`](super::no_answer) makes failures of its errors.
    ///
    /// # Errors
    ///
    /// As for [`build`](Self::build).
    pub fn build_reqwest(&self) -> Result<reqwest::Client, HttpClientError> {
        install_ring();
        self.settings().build().or_else(|error| {
            self.host.log().warn(format_args!(
                "https will not work, because the root certificates cannot be read: {}",
                causes(&error)
            ));
            self.settings().tls_certs_only([]).build().map_err(|error| HttpClientError(causes(&error)))
        })
    }

    fn settings(&self) -> reqwest::ClientBuilder {
        let settings = reqwest::Client::builder()
            .user_agent(&self.user_agent)
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_nodelay(true)
            .redirect(redirect::Policy::none())
            .dns_resolver(Arc::new(Resolver(self.reach)))
            .no_proxy();
        #[cfg(target_os = "linux")]
        let settings = settings.tcp_user_timeout(STALL_TIMEOUT);
        settings
    }
}

/// Makes ring the process's provider of cryptography: it builds with a C compiler alone.
fn install_ring() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        // An error means that the author has chosen another provider before, which is fine.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}

/// An error with its causes in one line, without the address.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some errors print their cause themselves.
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}
