//! Which headers may be configured.

use thiserror::Error;

/// These belong to the connection, which the client manages, or would contradict the body that is sent.
const OF_THE_CONNECTION: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Only the plugin sets these: the endpoint must be able to rely on them.
const OWN_PREFIX: &str = "postroom-";

/// Why a header cannot be configured. The value is never shown, because it may be secret.
#[derive(Debug, PartialEq, Eq, Error)]
pub(crate) enum HeaderError {
    #[error("not the name of a header: use letters, digits and '-'")]
    BadName,
    #[error("this header belongs to the connection and cannot be set: leave it out")]
    OfTheConnection,
    #[error("headers that begin with `Postroom-` are set by the gateway: choose another name")]
    Own,
    #[error(
        "the value has a line break or another character that HTTP does not allow: check where it comes from"
    )]
    BadValue,
}

pub(crate) fn check_name(name: &str) -> Result<(), HeaderError> {
    let lower = name.to_ascii_lowercase();
    if name.is_empty() || !name.bytes().all(is_token_byte) {
        Err(HeaderError::BadName)
    } else if OF_THE_CONNECTION.contains(&lower.as_str()) {
        Err(HeaderError::OfTheConnection)
    } else if lower.starts_with(OWN_PREFIX) {
        Err(HeaderError::Own)
    } else {
        Ok(())
    }
}

pub(crate) fn check_value(value: &str) -> Result<(), HeaderError> {
    // Letters outside ASCII are legal, though only the endpoint knows how to read them.
    let allowed = |byte: u8| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
    if value.bytes().all(allowed) { Ok(()) } else { Err(HeaderError::BadValue) }
}

/// The letters of a token in RFC 9110, section 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
