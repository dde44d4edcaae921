//! Where events go, and with which token. What the operator pastes is taken as it comes: a token, or the whole URL.

use postroom_sdk::Secret;
use thiserror::Error;
use url::Url;

const EVENTS_PATH: &str = "/functions/v1/events";

/// Where events go, and with which token.
#[derive(Debug)]
pub(crate) struct Address {
    /// Holds no token.
    pub(crate) endpoint: Url,
    pub(crate) token: Secret,
}

/// Why an address or a token cannot be used. None of the messages shows the value, which may be secret.
#[derive(Debug, PartialEq, Eq, Error)]
pub(crate) enum AddressError {
    #[error("not an http or https address: write it like \"https://api.itoc360.app\"")]
    NotHttp,
    #[error(
        "an address with a user, a query or a fragment: write only what stands before /functions/v1/events"
    )]
    NotBare,
    #[error(
        "the token is a URL, but none of an ITOC360 source: copy the webhook URL \
         https://…/functions/v1/events?token=… again, or the token alone"
    )]
    NotWebhookUrl,
    #[error("the token is empty: copy it from the source's page in ITOC360")]
    NoToken,
    #[error(
        "the token has blanks or characters that no token has: copy it again from the source's page in ITOC360"
    )]
    BadToken,
}

impl Address {
    /// Takes the secret as it was pasted. A whole URL brings its own address; a mere token goes to `endpoint`.
    pub(crate) fn new(endpoint: &Url, pasted: &Secret) -> Result<Self, AddressError> {
        // A file often ends in a line break.
        let pasted = pasted.expose().trim();
        if pasted.starts_with("https://") || pasted.starts_with("http://") {
            return Self::from_webhook_url(pasted);
        }
        Ok(Self { endpoint: endpoint.clone(), token: token(pasted)? })
    }

    fn from_webhook_url(pasted: &str) -> Result<Self, AddressError> {
        let mut endpoint = Url::parse(pasted).map_err(|_| AddressError::NotWebhookUrl)?;
        let has_user = !endpoint.username().is_empty() || endpoint.password().is_some();
        if has_user || !endpoint.path().ends_with(EVENTS_PATH) {
            return Err(AddressError::NotWebhookUrl);
        }
        let token = match endpoint.query_pairs().find(|(name, _)| name == "token") {
            Some((_, value)) => token(&value)?,
            None => return Err(AddressError::NotWebhookUrl),
        };
        endpoint.set_query(None);
        endpoint.set_fragment(None);
        Ok(Self { endpoint, token })
    }
}

/// The address that takes events, below `base_url`.
pub(crate) fn endpoint(base_url: &str) -> Result<Url, AddressError> {
    let mut url = Url::parse(base_url).map_err(|_| AddressError::NotHttp)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(AddressError::NotHttp);
    }
    let has_user = !url.username().is_empty() || url.password().is_some();
    if has_user || url.query().is_some() || url.fragment().is_some() {
        return Err(AddressError::NotBare);
    }
    let base = url.path().trim_end_matches('/');
    let path = format!("{}{EVENTS_PATH}", base.strip_suffix(EVENTS_PATH).unwrap_or(base));
    url.set_path(&path);
    Ok(url)
}

fn token(text: &str) -> Result<Secret, AddressError> {
    match text {
        "" => Err(AddressError::NoToken),
        text if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Secret::new(text)),
        _ => Err(AddressError::BadToken),
    }
}

#[cfg(test)]
mod tests;
