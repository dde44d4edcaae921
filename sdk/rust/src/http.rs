//! An HTTP client with the timeouts, limits and status mapping a plugin should have.
//!
//! Redirects are not followed: a redirect would take a body and perhaps a token to an address nobody configured.
//! Proxies of the environment are not used: where events go is the configuration's matter alone. Errors never hold the
//! address, because addresses of chat hooks and the like are secrets themselves.

mod client;
mod excerpt;
mod request;
mod response;
mod retry_after;

pub use reqwest::Method;

pub use self::{
    client::{HttpClient, HttpClientBuilder, HttpClientError},
    request::RequestBuilder,
    response::Response,
};

#[cfg(test)]
mod tests;
