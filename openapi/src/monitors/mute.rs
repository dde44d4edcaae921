//! Wishes to hear nothing of a monitor.

use poem_openapi::{Object, types::Example};

use crate::time::Timestamp;

/// Longest reason of a mute.
pub(super) const REASON_CHARS_MAX: usize = 200;

/// Somebody wants to hear nothing of a monitor for a while.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Mute {
    /// When it ends.
    pub until: Timestamp,
    /// The name of the API key by which somebody wants it.
    pub by: String,
    /// Why, in their words.
    pub reason: Option<String>,
}

/// A mute to begin: `until` a moment or `for_s` seconds, one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none, deny_unknown_fields, example)]
pub struct NewMute {
    /// When it ends, at most 365 days ahead.
    pub until: Option<Timestamp>,
    /// How many seconds it lasts.
    #[oai(validator(minimum(value = "1"), maximum(value = "31536000")))]
    pub for_s: Option<u64>,
    /// Why, for those who wonder; at most 200 characters.
    pub reason: Option<String>,
}

impl Example for NewMute {
    fn example() -> Self {
        Self { until: None, for_s: Some(7200), reason: Some("deployment of the new checkout".to_owned()) }
    }
}

/// When a mute is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MuteUntil {
    /// At this moment.
    Moment(Timestamp),
    /// So many seconds from now.
    Seconds(u64),
}
