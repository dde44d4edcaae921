//! An HTTP client with the timeouts, limits and status mapping a plugin should have.
//!
//! Redirects are not followed: a redirect would take a body and perhaps a token to an address nobody configured.
//! Proxies of the environment are not used: where events go is the configuration's matter alone. Errors never hold the
//! address, because addresses of chat hooks and the like are secrets themselves. Only the public internet is reached
//! unless the plugin says otherwise: see [`Reach`].
//!
//! ```
//! use postroom_sdk::{CreateError, Host, http::{HttpClient, Reach}};
//!
//! fn client(host: &Host) -> Result<HttpClient, CreateError> {
//!     // The operator alone says where to, and that may well be on this machine.
//!     let builder = HttpClient::builder(host, "pager", env!("CARGO_PKG_VERSION")).reach(Reach::Private);
//!     Ok(builder.timeout(std::time::Duration::from_secs(5)).build()?)
//! }
//! ```

mod client;
mod excerpt;
mod reach;
mod request;
mod response;
mod retry_after;

pub use reqwest::Method;

pub use self::{
    client::{HttpClient, HttpClientBuilder, HttpClientError},
    reach::Reach,
    request::{RequestBuilder, no_answer},
    response::Response,
};

#[cfg(test)]
mod tests;
