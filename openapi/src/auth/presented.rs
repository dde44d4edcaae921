//! What a request presents to say who asks.

use poem::http::{HeaderMap, header};

use super::{Credential, bearer};

/// All that a request presents. What is here was presented, and whether it is any good is asked next: a credential that is
/// not good is a refusal, whatever stands beside it.
pub(super) struct Presented {
    /// Of `Authorization: Bearer`.
    pub(super) key: Option<Credential>,
    /// Of the session's cookie.
    pub(super) session: Option<Credential>,
}

/// The name of the session's cookie.
pub(crate) const SESSION_COOKIE: &str = "postroom_session";

/// Something is presented that is no credential of ours, or two of one sort: no one could tell which one counts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unclear;

impl Presented {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Unclear> {
        Ok(Self { key: key(headers)?, session: session(headers)? })
    }
}

/// The API key alone.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<Credential>, Unclear> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(_), None) => bearer(headers).map(Some).ok_or(Unclear),
        (Some(_), Some(_)) => Err(Unclear),
    }
}

fn session(headers: &HeaderMap) -> Result<Option<Credential>, Unclear> {
    let mut all = headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|cookies| cookies.as_bytes().split(|byte| *byte == b';'));
    let mut ours = all.by_ref().filter_map(|cookie| {
        let (name, value) = cookie.trim_ascii().split_at_checked(SESSION_COOKIE.len())?;
        (name == SESSION_COOKIE.as_bytes()).then(|| value.strip_prefix(b"="))?
    });
    match (ours.next(), ours.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let value = str::from_utf8(value).map_err(|_| Unclear)?;
            Ok(Some(Credential::new(value)))
        }
        (Some(_), Some(_)) => Err(Unclear),
    }
}

/// The session's cookie of a request that was let in.
pub(crate) fn session_cookie(headers: &HeaderMap) -> Option<Credential> {
    session(headers).ok().flatten()
}

#[cfg(test)]
mod tests;
