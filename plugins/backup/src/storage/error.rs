//! Why a storage did not do what it was asked, in the words of the operator.

use std::{io, time::Duration};

use postroom_sdk::Failure;
use thiserror::Error;

/// A step that failed. Messages are for people and hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum StorageError {
    /// Something has this name already, and [`Write::New`](super::Write::New) was asked for.
    #[error("something has this name already")]
    Exists,
    #[error("there is no room: {why}; make room there, or keep fewer versions")]
    Full { why: String },
    /// The service knows us not, or lets us not do this.
    #[error("access was refused: {why}; check `{setting}`, and what it may do there")]
    Denied { setting: &'static str, why: String },
    /// The place where everything should be is missing: a bucket, a container, a root folder.
    #[error("{what} is not there: make it, or correct `{setting}`")]
    NotFound { setting: &'static str, what: String },
    /// The service asks for a pause of `after`.
    #[error("the service asks for a pause: {why}")]
    RateLimited { after: Duration, why: String },
    /// The service has trouble of its own.
    #[error("the service is busy: {why}")]
    Busy { after: Option<Duration>, why: String },
    /// No answer; `code` is `connect`, `timeout` or `transport`.
    #[error("the storage cannot be reached: {why}")]
    Unreachable { code: String, why: String },
    /// Nothing will work until this setting is changed.
    #[error("{why}: correct `{setting}`")]
    Misconfigured { setting: &'static str, why: String },
    /// What was given back is not what was kept.
    #[error("what the storage gave back is damaged: {why}")]
    Corrupt { why: String },
    /// Anything else, which may pass; `code` is for programs.
    #[error("{why}")]
    Other { code: String, why: String },
}

impl StorageError {
    pub(crate) fn other(code: &str, why: impl Into<String>) -> Self {
        Self::Other { code: code.to_owned(), why: why.into() }
    }

    /// An error of the local file system; `doing` is like "write to".
    pub(crate) fn io(doing: &str, path: &std::path::Path, source: &io::Error) -> Self {
        let why = format!("cannot {doing} {}: {source}", path.display());
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::Full { why }
            }
            io::ErrorKind::PermissionDenied => Self::other("permission_denied", why),
            io::ErrorKind::ReadOnlyFilesystem => Self::other("read_only", why),
            _ => Self::other("io", why),
        }
    }

    /// The failure of a request that got no answer.
    pub(crate) fn no_answer(failure: Failure) -> Self {
        match failure {
            Failure::Retry { code, message, .. } => Self::Unreachable { code, why: message },
            Failure::Misconfigured { code, message } => Self::Misconfigured {
                setting: if code == "not_granted" { "grant" } else { "storage" },
                why: message,
            },
            other => Self::other("http", other.to_string()),
        }
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        let message = error.to_string();
        match error {
            StorageError::Exists => Self::permanent("exists", message),
            StorageError::Full { .. } => Self::retry("storage_full", message),
            StorageError::Denied { .. } => Self::misconfigured("denied", message),
            StorageError::NotFound { .. } => Self::misconfigured("not_found", message),
            StorageError::RateLimited { after, .. } => Self::rate_limited(after, message),
            StorageError::Busy { after: Some(after), .. } => Self::retry_after(after, "busy", message),
            StorageError::Busy { after: None, .. } => Self::retry("busy", message),
            StorageError::Unreachable { code, .. } => Self::retry(code, message),
            StorageError::Misconfigured { setting, .. } => Self::misconfigured(code_of(setting), message),
            StorageError::Corrupt { .. } => Self::retry("corrupt", message),
            StorageError::Other { code, .. } => Self::retry(code, message),
        }
    }
}

/// A setting as the code of a failure, which has no room for upper case and the like.
fn code_of(setting: &str) -> String {
    setting
        .chars()
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_'))
        .collect()
}
