//! One request to a webhook URL. The URL holds the token: it is never shown.

use std::{error::Error as _, time::Duration};

use reqwest::{Client, Url, header, redirect};
use serde_json::Value;

use super::tally::Reply;

const CONNECT_MAX: Duration = Duration::from_secs(5);
const REQUEST_MAX: Duration = Duration::from_secs(60);
/// A reply is a few hundred bytes; a wrong URL may answer with anything.
const REPLY_BYTES_MAX: usize = 64 * 1024;

/// Builds a client for `url`.
///
/// # Errors
/// When the URL needs the system's certificates and there are none.
pub(crate) fn client(url: &str) -> Result<Client, reqwest::Error> {
    // Fails only when a provider is there already, and any will do.
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut builder = Client::builder();
    if url.starts_with("http:") {
        // A client that trusts nobody needs no certificates: small containers have none.
        builder = builder.tls_certs_only([]);
    }
    builder
        // A proxy would get the token, and would keep the demo from its own gateway.
        .no_proxy()
        .connect_timeout(CONNECT_MAX)
        .timeout(REQUEST_MAX)
        // Following one would carry the body, and perhaps the token, to a place that nobody named.
        .redirect(redirect::Policy::none())
        .user_agent(concat!("postroom/", env!("CARGO_PKG_VERSION")))
        .build()
}

pub(super) async fn post(client: &Client, url: &Url, body: Vec<u8>) -> Reply {
    match try_post(client, url, body).await {
        Ok(reply) => reply,
        Err(error) => Reply::Unanswered { cause: cause(error) },
    }
}

async fn try_post(client: &Client, url: &Url, body: Vec<u8>) -> Result<Reply, reqwest::Error> {
    let request = client.post(url.clone()).header(header::CONTENT_TYPE, "application/json").body(body);
    let mut response = request.send().await?;
    let status = response.status().as_u16();
    let mut reply = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if reply.len() + chunk.len() > REPLY_BYTES_MAX {
            break;
        }
        reply.extend_from_slice(&chunk);
    }
    Ok(Reply::Answered { status, said: said(&reply) })
}

/// What a reply says, in a few words: what the gateway accepted, or what it objects to.
fn said(reply: &[u8]) -> String {
    let reply: Value = serde_json::from_slice(reply).unwrap_or_default();
    let text = |key: &str| reply[key].as_str();
    let said = match (text("event_id"), text("kind"), text("detail").or_else(|| text("title"))) {
        (Some(event), Some(kind), _) => {
            let deliveries = &reply["deliveries"];
            let count = deliveries.as_u64().or_else(|| deliveries.as_array().map(|list| list.len() as u64));
            let deliveries = count
                .map(|count| format!(", {count} {}", if count == 1 { "delivery" } else { "deliveries" }))
                .unwrap_or_default();
            format!("{kind}, event {event}{deliveries}")
        }
        (_, _, Some(objection)) => objection.to_owned(),
        _ => String::new(),
    };
    // A stranger's server must not write escape sequences to the terminal.
    said.replace(char::is_control, " ")
}

/// Why there is no answer, without the URL.
pub(crate) fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    match error.source() {
        Some(_) => format!("{error}: {innermost}"),
        None => error.to_string(),
    }
}
