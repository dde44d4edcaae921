//! How an attempt ended, in the author's words.

use std::time::Duration;

use serde_json::{Map, Value, json};
use thiserror::Error;

/// A good end: the remote side has the event, or it was left out on purpose.
///
/// ```
/// use postroom_sdk::Outcome;
///
/// let outcome = Outcome::delivered()
///     .with_message("opened incident 17")
///     .with_ref("pager", "17", "https://pager.example/17");
/// # drop(outcome);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Outcome {
    pub(crate) skipped: bool,
    pub(crate) message: String,
    record: Map<String, Value>,
    refs: Vec<Value>,
}

impl Outcome {
    /// The remote side has it.
    pub fn delivered() -> Self {
        Self { skipped: false, message: String::new(), record: Map::new(), refs: Vec::new() }
    }

    /// Left out on purpose, because of `why`; counted apart from delivered.
    pub fn skipped(why: impl Into<String>) -> Self {
        Self { skipped: true, message: why.into(), ..Self::delivered() }
    }

    /// Adds a sentence for people, without secrets. At most 4 KiB are kept.
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Adds what the remote side gave back, shown in the gateway's history; without secrets, at most 64 KiB.
    ///
    /// The members of an object are added to the record; any other value becomes its member `value`.
    pub fn with_record(mut self, record: Value) -> Self {
        match record {
            Value::Object(members) => self.record.extend(members),
            Value::Null => {}
            other => drop(self.record.insert("value".to_owned(), other)),
        }
        self
    }

    /// Adds a thing in another system that this event led to, such as an incident: the record's `refs`.
    ///
    /// An empty `url` is left out.
    pub fn with_ref(mut self, system: &str, id: &str, url: &str) -> Self {
        let mut reference = json!({ "system": system, "id": id });
        if !url.is_empty() {
            reference["url"] = url.into();
        }
        self.refs.push(reference);
        self
    }

    /// The record as one JSON object; `None` when nothing was recorded.
    pub(crate) fn record(mut self) -> Option<Value> {
        if !self.refs.is_empty() {
            self.record.insert("refs".to_owned(), Value::Array(self.refs));
        }
        (!self.record.is_empty()).then_some(Value::Object(self.record))
    }
}

/// A bad end, by what should happen next. Messages are for people and never hold secrets.
///
/// ```
/// use std::time::Duration;
///
/// use postroom_sdk::Failure;
///
/// fn failure(status: u16, wait: Option<Duration>) -> Failure {
///     match status {
///         402 => Failure::misconfigured("unpaid", "the subscription has ended: renew it"),
///         status => Failure::from_status(status, wait, "the pager refused the page"),
///     }
/// }
/// # assert!(matches!(failure(429, Some(Duration::from_secs(9))), Failure::RateLimited { .. }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// May work later: the gateway tries again after its back-off, or after `after`.
    #[error("{message}")]
    Retry {
        /// How long the remote side asked to wait.
        after: Option<Duration>,
        /// Stable, for programs: `[a-z0-9_.]{0,64}`.
        code: String,
        /// What happened.
        message: String,
    },
    /// The remote side asks for a pause: the destination waits, and no attempt is counted.
    #[error("{message}")]
    RateLimited {
        /// How long to wait.
        after: Duration,
        /// What happened.
        message: String,
    },
    /// Will never work for this event: it becomes a dead letter.
    #[error("{message}")]
    Permanent {
        /// Stable, for programs: `[a-z0-9_.]{0,64}`.
        code: String,
        /// What happened.
        message: String,
    },
    /// Will not work until the operator changes something: the destination waits, and nothing is lost.
    #[error("{message}")]
    Misconfigured {
        /// Stable, for programs: `[a-z0-9_.]{0,64}`.
        code: String,
        /// What happened and what to do about it.
        message: String,
    },
}

impl Failure {
    /// A failure that may pass.
    pub fn retry(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Retry { after: None, code: code.into(), message: message.into() }
    }

    /// A failure that may pass, not before `after`.
    pub fn retry_after(after: Duration, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Retry { after: Some(after), code: code.into(), message: message.into() }
    }

    /// The remote side asks for a pause of `after`.
    pub fn rate_limited(after: Duration, message: impl Into<String>) -> Self {
        Self::RateLimited { after, message: message.into() }
    }

    /// A failure that no further attempt can mend.
    pub fn permanent(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Permanent { code: code.into(), message: message.into() }
    }

    /// A failure that the operator has to mend.
    pub fn misconfigured(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Misconfigured { code: code.into(), message: message.into() }
    }

    /// The one mapping from HTTP statuses that are no success; `retry_after` is what the answer asked for.
    ///
    /// | status | failure |
    /// |---|---|
    /// | 429 with `retry_after` | rate limited |
    /// | 408, 425, 429, 5xx | retry |
    /// | 401, 403 | misconfigured |
    /// | 3xx | misconfigured: redirects are not followed, so the address in the settings is out of date |
    /// | other 4xx | permanent |
    /// | anything else | retry |
    ///
    /// A plugin that knows its remote side better matches on the status first and leaves the rest to this.
    pub fn from_status(status: u16, retry_after: Option<Duration>, message: impl Into<String>) -> Self {
        let (code, message) = (format!("http_{status}"), message.into());
        match (status, retry_after) {
            (429, Some(after)) => Self::RateLimited { after, message },
            (408 | 425 | 429, _) => Self::Retry { after: retry_after, code, message },
            (300..=399 | 401 | 403, _) => Self::Misconfigured { code, message },
            (400..=499, _) => Self::Permanent { code, message },
            _ => Self::Retry { after: retry_after, code, message },
        }
    }
}

#[cfg(test)]
mod tests;
