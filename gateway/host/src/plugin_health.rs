//! How a plugin says that it is.

use postroom_core::time::Timestamp;
use serde_json::{Map, Value};

use crate::{mask::Mask, native::Status};

/// Most of a detail that is kept, in bytes.
pub(crate) const DETAIL_BYTES_MAX: usize = 8 * 1024;

/// How a plugin says that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginHealth {
    /// The answer in one word.
    pub state: HealthState,
    /// What the plugin adds to it, without its secrets. An object.
    pub detail: Option<Map<String, Value>>,
    /// Since when it has said so.
    pub since: Timestamp,
}

/// The answer of a plugin's `health`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HealthState {
    /// Well.
    Ok,
    /// Something that it needs is not there.
    Unavailable,
    /// The operator has to change the settings.
    Misconfigured,
}

impl HealthState {
    /// The name used in the API and the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unavailable => "unavailable",
            Self::Misconfigured => "misconfigured",
        }
    }
}

/// An answer as the plugin gave it: not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HealthReport {
    /// `POSTROOM_OK`, `POSTROOM_E_*`, or anything else.
    pub(crate) status: i32,
    pub(crate) detail_json: String,
}

impl PluginHealth {
    /// What to make of an answer that came at `now`, after `before`. A status that says nothing of health, such as that of a
    /// panic, is told in the detail, unless the plugin told more.
    pub(crate) fn of(report: &HealthReport, mask: &Mask, before: Option<&Self>, now: Timestamp) -> Self {
        let state = match report.status {
            postroom_abi::POSTROOM_OK => HealthState::Ok,
            postroom_abi::POSTROOM_E_CONFIG => HealthState::Misconfigured,
            _ => HealthState::Unavailable,
        };
        let known = matches!(report.status, postroom_abi::POSTROOM_OK | postroom_abi::POSTROOM_E_CONFIG)
            || report.status == postroom_abi::POSTROOM_E_UNAVAILABLE;
        let detail = accept_detail(&report.detail_json, mask).or_else(|| {
            let message = format!("health() answered {}", Status(report.status));
            (!known).then(|| Map::from_iter([("message".to_owned(), message.into())]))
        });
        let since = before.filter(|before| before.state == state).map_or(now, |before| before.since);
        Self { state, detail, since }
    }

    /// The plugin's own words, for the log.
    pub(crate) fn message(&self) -> &str {
        self.detail.as_ref().and_then(|detail| detail.get("message")?.as_str()).unwrap_or_default()
    }
}

/// A detail without secrets; nothing of one that is too large or no object.
fn accept_detail(detail: &str, mask: &Mask) -> Option<Map<String, Value>> {
    if detail.len() > DETAIL_BYTES_MAX {
        return None;
    }
    serde_json::from_str(&mask.text(detail, usize::MAX)).ok()
}

#[cfg(test)]
mod tests;
