//! What was changed, by whom.

use std::str::FromStr;

use postroom_core::time::Timestamp;
use serde_json::{Map, Value};

/// Entries that there may be, however young they are: some 300 MB. Retention by size would remove events in their place.
pub(crate) const ENTRIES_MAX: i64 = 1_000_000;

/// By which way somebody came. The names are stored, so they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditVia {
    /// An API key.
    ApiKey,
    /// A session that was begun with one.
    Session,
    /// A signal to the process.
    Signal,
    /// A file that has changed.
    FileWatch,
}

/// What became of a change. The names are stored, so they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditOutcome {
    /// It was made.
    Done,
    /// It was refused: the role does not allow it, or things do not stand so.
    Refused,
    /// It was tried and could not be made.
    Failed,
    /// Whoever wanted it did not wait for the answer.
    Unknown,
}

/// A name that no version of the gateway writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownAuditName;

impl AuditVia {
    const ALL: [Self; 4] = [Self::ApiKey, Self::Session, Self::Signal, Self::FileWatch];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::Session => "session",
            Self::Signal => "signal",
            Self::FileWatch => "file_watch",
        }
    }
}

impl FromStr for AuditVia {
    type Err = UnknownAuditName;

    fn from_str(name: &str) -> Result<Self, UnknownAuditName> {
        Self::ALL.into_iter().find(|via| via.as_str() == name).ok_or(UnknownAuditName)
    }
}

impl AuditOutcome {
    const ALL: [Self; 4] = [Self::Done, Self::Refused, Self::Failed, Self::Unknown];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

impl FromStr for AuditOutcome {
    type Err = UnknownAuditName;

    fn from_str(name: &str) -> Result<Self, UnknownAuditName> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name).ok_or(UnknownAuditName)
    }
}

/// A change that somebody made, or wanted to make. Nothing of a secret is in it.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// When it ended.
    pub at: Timestamp,
    /// The name of the API key, or of what else wanted it.
    pub who: String,
    /// By which way.
    pub via: AuditVia,
    /// What was wanted, by the id of the operation of the API.
    pub operation: String,
    /// Of what.
    pub object: Option<String>,
    /// How it stood before, in small.
    pub before: Option<Map<String, Value>>,
    /// How it stands since, in small.
    pub after: Option<Map<String, Value>>,
    /// What became of it.
    pub outcome: AuditOutcome,
    /// The code of the problem that was answered.
    pub code: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
}

/// An entry with its number.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRecord {
    /// Grows from entry to entry.
    pub id: i64,
    /// The entry.
    pub entry: AuditEntry,
}

/// Which entries to list; what is not set does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Who it was.
    pub who: Option<String>,
    /// What was wanted.
    pub operation: Option<String>,
    /// At this moment or later.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}
