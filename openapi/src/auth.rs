//! Who is asking: API keys for the API, tokens for the hooks.

use std::fmt;

use poem::{
    http::HeaderMap,
    web::headers::{
        Authorization, HeaderMapExt as _,
        authorization::{Basic, Bearer},
    },
};

mod guard;

pub(crate) use guard::{AdminKey, ApiKey, OperatorKey, SCHEME as API_KEY_SCHEME, caller_now};

/// A secret as a caller presented it: an API key or a source's token. Does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl Credential {
    /// Wraps what was presented.
    #[must_use]
    pub fn new(presented: impl Into<String>) -> Self {
        Self(presented.into())
    }

    /// The secret itself, to compare in constant time. Never log, store or echo what this gives.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(***)")
    }
}

/// The owner of an API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The key's name in the configuration.
    pub name: String,
    /// What the key allows.
    pub role: Role,
}

/// What an API key allows; each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads everything.
    Viewer,
    /// Also acts on deliveries and destinations.
    Operator,
    /// Also changes the configuration.
    Admin,
}

/// The credential of `Authorization: Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<Credential> {
    let authorization = headers.typed_get::<Authorization<Bearer>>()?;
    Some(Credential::new(authorization.token()))
}

/// The password of `Authorization: Basic`. The user name is free: forms that ask for one get any.
pub(crate) fn basic_password(headers: &HeaderMap) -> Option<Credential> {
    let authorization = headers.typed_get::<Authorization<Basic>>()?;
    Some(Credential::new(authorization.password()))
}

#[cfg(test)]
mod tests;
