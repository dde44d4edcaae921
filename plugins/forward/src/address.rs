//! The endpoint's address, which may be a secret as a whole: many services put a token into it.

use postroom_sdk::Secret;
use thiserror::Error;
use url::Url;

/// Parts shorter than this are words such as `hooks`; hiding them would only make answers unreadable.
const SECRET_BYTES_MIN: usize = 8;

/// A checked address. `Debug` does not show it.
#[derive(Debug)]
pub(crate) struct Address(Secret);

/// Why an address cannot be used. It is never shown, because it may be secret.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("not an http or https address: write it like \"https://example.com/hook\"")]
pub(crate) struct NotHttp;

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, NotHttp> {
        // A file often ends in a line break, which the parser passes over.
        match Url::parse(url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Self(Secret::new(url))),
            _ => Err(NotHttp),
        }
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What of the address an answer may repeat: servers like to name the path that they do not know.
    pub(crate) fn traces(&self) -> Vec<Secret> {
        let parts = self.expose().split(['/', '?', '&', '=', '#', '@', ':']);
        let parts = parts.skip(1).filter(|part| part.len() >= SECRET_BYTES_MIN);
        [self.expose()].into_iter().chain(parts).map(Secret::new).collect()
    }
}

#[cfg(test)]
mod tests;
