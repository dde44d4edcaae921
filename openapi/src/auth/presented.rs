//! What a request presents to say who asks.

use poem::http::{HeaderMap, header};

use super::{Credential, bearer};

/// All that a request presents. What is here was presented, and whether it is any good is asked next: a credential that is
/// not good is a refusal, whatever stands beside it.
pub(super) struct Presented {
    /// Of `Authorization: Bearer`.
    pub(super) key: Option<Credential>,
}

/// Something is presented that is no credential of ours, or two of one sort: no one could tell which one counts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unclear;

impl Presented {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Unclear> {
        Ok(Self { key: key(headers)? })
    }
}

fn key(headers: &HeaderMap) -> Result<Option<Credential>, Unclear> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(_), None) => bearer(headers).map(Some).ok_or(Unclear),
        (Some(_), Some(_)) => Err(Unclear),
    }
}

#[cfg(test)]
mod tests;
