//! Who is asking: API keys for the API, tokens for the hooks.

use std::{fmt, net::IpAddr};

use poem::{
    Addr,
    http::HeaderMap,
    web::RemoteAddr,
    web::headers::{
        Authorization, HeaderMapExt as _,
        authorization::{Basic, Bearer},
    },
};
use poem_openapi::Enum;

use crate::audit::{AuditVia, Note};

mod guard;
mod origin;
mod presented;

pub(crate) use guard::{AdminKey, ApiKey, KeyOnly, OperatorKey, SCHEME as API_KEY_SCHEME, is_still_let_in};
pub(crate) use presented::{SESSION_COOKIE, session_cookie};

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

/// The owner of an API key, for one request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The key's name.
    pub name: String,
    /// What the key allows.
    pub role: Role,
    /// By which way they came.
    pub via: AuditVia,
    /// What the audit log is to say of this request.
    pub note: Note,
}

impl Caller {
    /// Somebody who shows an API key.
    #[must_use]
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self { name: name.into(), role, via: AuditVia::ApiKey, note: Note::default() }
    }

    /// The same, by a session that was begun with the key.
    #[must_use]
    pub fn by_session(self) -> Self {
        Self { via: AuditVia::Session, ..self }
    }
}

/// What an API key allows; each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[oai(rename_all = "snake_case")]
pub enum Role {
    /// Reads everything.
    Viewer,
    /// Also acts on deliveries and destinations.
    Operator,
    /// Also changes the configuration.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        })
    }
}

/// The address at the other end of a connection.
pub(crate) fn peer(remote: &RemoteAddr) -> Option<IpAddr> {
    match &remote.0 {
        Addr::SocketAddr(address) => Some(address.ip()),
        _ => None,
    }
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
