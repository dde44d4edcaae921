//! How an attempt ended.

use std::{fmt, str::FromStr, time::Duration};

use crate::event::UnknownName;

/// The classes of outcome that a plugin can report; the same six as in `postroom_plugin.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeKind {
    /// The remote side has it.
    Delivered,
    /// Left out on purpose; counted apart from delivered.
    Skipped,
    /// Failed in a way that may pass: try again later.
    Retry,
    /// The remote side asks for a pause: the destination waits, and no attempt is counted.
    RateLimited,
    /// Will never work for this event: dead letter.
    Permanent,
    /// Will not work until someone changes the settings: the destination waits, and nothing is lost.
    Misconfigured,
}

impl OutcomeKind {
    /// Every kind of outcome.
    pub const ALL: [Self; 6] = [
        Self::Delivered,
        Self::Skipped,
        Self::Retry,
        Self::RateLimited,
        Self::Permanent,
        Self::Misconfigured,
    ];

    /// The name used in API, store and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Skipped => "skipped",
            Self::Retry => "retry",
            Self::RateLimited => "rate_limited",
            Self::Permanent => "permanent",
            Self::Misconfigured => "misconfigured",
        }
    }
}

impl fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OutcomeKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownName { what: "outcome" })
    }
}

/// What an attempt came to, in the plugin's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The class, which decides what happens next.
    pub kind: OutcomeKind,
    /// How long the remote side asked to wait; only for `Retry` and `RateLimited`.
    pub retry_after: Option<Duration>,
    /// A stable code for programs, `[a-z0-9_.]{0,64}`, such as `http_503`.
    pub code: String,
    /// A sentence for people, without secrets.
    pub message: String,
    /// What the remote side gave back, a JSON object; for example the id of the incident.
    pub record_json: Option<String>,
}

impl Outcome {
    /// An outcome without code, message or record.
    #[must_use]
    pub fn of(kind: OutcomeKind) -> Self {
        Self { kind, retry_after: None, code: String::new(), message: String::new(), record_json: None }
    }

    /// What its texts take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.code.len() + self.message.len() + self.record_json.as_ref().map_or(0, String::len)
    }

    /// A failure that may pass, with its code and message.
    #[must_use]
    pub fn retry(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), ..Self::of(OutcomeKind::Retry) }
    }
}
