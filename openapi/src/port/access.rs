//! Who may use the API, and what they do.

use std::{future::Future, net::IpAddr, time::Duration};

use super::{ActionError, ReadError};
use crate::{
    audit::{AuditEntry, AuditFilter, NewAuditEntry},
    auth::{Caller, Credential},
    keys::{CreatedKey, KeyInfo, NewKey},
    page::{Page, PageRequest},
    session::{NewSession, Session},
};

/// Those who use the API.
pub trait Access: Clone + Send + Sync + 'static {
    /// Finds whose API key this is. Must take the same time for every wrong key. `peer` is the address of the connection.
    ///
    /// # Errors
    /// See [`AccessRefusal`].
    fn authenticate(
        &self,
        key: &Credential,
        peer: Option<IpAddr>,
    ) -> impl Future<Output = Result<Caller, AccessRefusal>> + Send;

    /// Finds whose session this is: the owner of the key that it was begun with, as the key allows now.
    ///
    /// # Errors
    /// See [`AccessRefusal`].
    fn authenticate_session(
        &self,
        cookie: &Credential,
    ) -> impl Future<Output = Result<Caller, AccessRefusal>> + Send;

    /// Whether this API key still lets somebody in who was let in by it. It only looks: neither a use nor a failure is counted.
    fn still_stands(&self, key: &Credential) -> impl Future<Output = bool> + Send;

    /// Whether this session still lets somebody in who was let in by it. It only looks: the session is not used by that.
    fn session_still_stands(&self, cookie: &Credential) -> impl Future<Output = bool> + Send;

    /// Begins a session for whoever showed this key.
    ///
    /// # Errors
    /// See [`ActionError`].
    fn begin_session(
        &self,
        key: &Credential,
        by: &Caller,
    ) -> impl Future<Output = Result<NewSession, ActionError>> + Send;

    /// Says of a session how long it lasts; `None` when there is none.
    fn session(&self, cookie: &Credential) -> impl Future<Output = Option<Session>> + Send;

    /// Ends a session, and says what it was; `None` when there is none.
    fn end_session(&self, cookie: &Credential) -> impl Future<Output = Option<Session>> + Send;

    /// Lists all keys: those of the configuration in its order, then the others by name.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn keys(&self) -> impl Future<Output = Result<Vec<KeyInfo>, ReadError>> + Send;

    /// Makes a key.
    ///
    /// # Errors
    /// [`ActionError::Conflict`] when there is a key of this name.
    fn create_key(
        &self,
        new: NewKey,
        by: &Caller,
    ) -> impl Future<Output = Result<CreatedKey, ActionError>> + Send;

    /// Makes a key nobody's, before this returns. Says what it was; `None` when there is none of this name.
    ///
    /// # Errors
    /// [`ActionError::Conflict`] for a key of the configuration.
    fn revoke_key(
        &self,
        name: &str,
        by: &Caller,
    ) -> impl Future<Output = Result<Option<KeyInfo>, ActionError>> + Send;

    /// Keeps an entry of the audit log. The work begins with the call and goes on when the future is dropped; the future
    /// ends when the entry is durable, or could not be kept, which the log then says.
    fn audit(&self, entry: NewAuditEntry) -> impl Future<Output = ()> + Send;

    /// Lists entries of the audit log, newest first.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn audit_log(
        &self,
        filter: AuditFilter,
        page: PageRequest,
    ) -> impl Future<Output = Result<Page<AuditEntry>, ReadError>> + Send;
}

/// Why a key lets nobody in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefusal {
    /// It is nobody's.
    #[error("no such key")]
    Unknown,
    /// Too many wrong ones came from this address.
    #[error("too many requests with wrong keys come from this address")]
    TooManyFailures {
        /// When to send again.
        retry_after: Duration,
    },
    /// More is asked with it than may be.
    #[error("too many requests with this key")]
    TooManyRequests {
        /// When to send again.
        retry_after: Duration,
    },
}
