//! The accepted event as a value.

mod kind;

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

pub use self::kind::{EmittedKind, EmittedKindError, Kind, MadeKind};
use crate::{
    id::{EventId, SourceName},
    time::Timestamp,
};

/// What a monitor run says about the monitored API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Failed tests and errors are both counted, and both are zero.
    Passed,
    /// At least one failed test or error.
    Failed,
    /// The run carries no usable failure counter. Never taken for passed: a renamed counter must not resolve incidents.
    Unknown,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 3] = [Self::Passed, Self::Failed, Self::Unknown];

    /// The name used in configuration, API and store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Verdict {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text).ok_or(UnknownName { what: "verdict" })
    }
}

/// A text that names no member of a closed set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what}")]
pub struct UnknownName {
    /// What was asked for: "kind", "verdict" …
    pub what: &'static str,
}

/// What the body says about itself: the few fields that routes match on and lists show.
/// Texts are as sent, blanks included; [`display_name`] trims them for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The monitor's name.
    pub monitor_name: Option<String>,
    /// The monitor's id without owner prefix.
    pub monitor_id: Option<String>,
    /// The collection's name.
    pub collection_name: Option<String>,
    /// The collection's id without owner prefix.
    pub collection_id: Option<String>,
    /// The environment's name.
    pub environment_name: Option<String>,
    /// The environment's id without owner prefix.
    pub environment_id: Option<String>,
    /// An activity's action, an open set: "create", "update" …
    pub action: Option<String>,
    /// What an activity touched, an open set: "request", "folder" …
    pub model: Option<String>,
}

/// An accepted event, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Our id; Postman sends none.
    pub id: EventId,
    /// When the gateway had the whole body; Postman sends no time.
    pub received_at: Timestamp,
    /// The source it came in by; of one that a plugin made, `destination:` and the name of the plugin's destination.
    pub source: SourceName,
    /// What it is.
    pub kind: Kind,
    /// What it is about: the monitor's or collection's id. Absent when the body names none.
    pub subject: Option<String>,
    /// Events with the same key reach a destination in order, one at a time.
    pub ordering_key: Arc<str>,
    /// Only for monitor runs.
    pub verdict: Option<Verdict>,
    /// What the body says about itself.
    pub facts: Facts,
    /// Why the body was not recognised, or what was left out.
    pub note: Option<String>,
    /// Labels of the source and of the request's `label.*` parameters.
    pub labels: BTreeMap<String, String>,
    /// The request's Content-Type, as sent.
    pub content_type: Option<String>,
    /// Length of the body in bytes.
    pub body_bytes: u64,
    /// How many plugins stand behind it: 0 for what came in, and one more than the event has in whose delivery it was
    /// made for what a plugin made.
    pub hops: u8,
}

/// A name as people should see it: Postman keeps blanks around names ("End To End Tests ").
#[must_use]
pub fn display_name(name: &str) -> &str {
    name.trim()
}
