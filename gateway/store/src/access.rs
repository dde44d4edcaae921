//! Who may use the API beside those of the configuration, and what was changed by it.

use futures_util::future::BoxFuture;
use postroom_core::time::Timestamp;

use crate::{
    audit::{AuditEntry, AuditFilter, AuditRecord},
    error::StoreError,
    page::{Page, PageRequest},
};

/// What an API key allows. The names are stored, so they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRole {
    /// Reads.
    Viewer,
    /// Also acts on deliveries and destinations.
    Operator,
    /// Does everything.
    Admin,
}

impl KeyRole {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for KeyRole {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        let known = [Self::Viewer, Self::Operator, Self::Admin];
        known.into_iter().find(|role| role.as_str() == name).ok_or(UnknownRole)
    }
}

/// No role has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownRole;

/// An API key that was made at run time. The key itself is nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Tells keys apart.
    pub name: String,
    /// What it allows.
    pub role: KeyRole,
    /// Of the key.
    pub sha256: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// From when on it is nobody's; never when absent.
    pub expires_at: Option<Timestamp>,
}

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredKey")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// When a key was used last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The key's name.
    pub name: String,
    /// Whether it is a key of the configuration, which may have the name of a [`StoredKey`].
    pub configured: bool,
    /// When.
    pub at: Timestamp,
}

/// What is kept of those who use the API. As with [`Store`](crate::Store), what is answered is durable.
pub trait Access {
    /// Reads all keys, by name.
    fn api_keys(&self) -> BoxFuture<'_, Result<Vec<StoredKey>, StoreError>>;

    /// Keeps a new key. `false`: there is one of this name, which stays.
    fn add_api_key(&self, key: StoredKey) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Removes a key, and when it was used. `false`: there is none of this name. Refused, it may be gone all the same.
    fn remove_api_key(&self, name: String) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Reads when keys were used last.
    fn key_uses(&self) -> BoxFuture<'_, Result<Vec<KeyUse>, StoreError>>;

    /// Keeps when keys were used last.
    fn keep_key_uses(&self, uses: Vec<KeyUse>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Adds an entry to the audit log; beyond a million the oldest go. Waits for its turn however much waits already.
    /// Refused, it may be there all the same: it is true.
    fn add_audit(&self, entry: AuditEntry) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Lists entries of the audit log, newest first.
    fn audit_log(
        &self,
        filter: AuditFilter,
        page: PageRequest,
    ) -> BoxFuture<'_, Result<Page<AuditRecord>, StoreError>>;
}
