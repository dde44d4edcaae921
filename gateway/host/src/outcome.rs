//! Makes an outcome of what a plugin reported, which is input like any other.

use std::time::Duration;

use postroom_core::{
    limits,
    outcome::{Outcome, OutcomeKind},
};
use serde::de::IgnoredAny;

use crate::mask::Mask;

/// Longest code kept, in bytes.
pub(crate) const CODE_BYTES_MAX: usize = 64;

/// An outcome as the plugin gave it: copied and cut, not yet believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// `POSTROOM_OUT_*`, or anything else.
    pub(crate) kind: u32,
    /// 0 when the plugin asks for no wait.
    pub(crate) retry_after_ms: u64,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) record_json: String,
}

/// Why a record is left out of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordFault {
    #[error("the record has more than {} bytes", limits::RECORD_BYTES_MAX)]
    TooLarge,
    #[error("the record is not a JSON object, or no longer one without the secrets in it")]
    NotAnObject,
}

impl Report {
    /// The outcome that counts, and why its record was left out if it was.
    ///
    /// Texts lose their secrets first, so that every check sees what is kept. A kind that this gateway does not know is a retry: the contract says so, and it loses nothing.
    pub(crate) fn accept(&self, mask: &Mask) -> (Outcome, Option<RecordFault>) {
        let kind = match self.kind {
            postroom_abi::POSTROOM_OUT_DELIVERED => OutcomeKind::Delivered,
            postroom_abi::POSTROOM_OUT_SKIPPED => OutcomeKind::Skipped,
            postroom_abi::POSTROOM_OUT_RATE_LIMITED => OutcomeKind::RateLimited,
            postroom_abi::POSTROOM_OUT_PERMANENT => OutcomeKind::Permanent,
            postroom_abi::POSTROOM_OUT_MISCONFIGURED => OutcomeKind::Misconfigured,
            _ => OutcomeKind::Retry,
        };
        let waits = matches!(kind, OutcomeKind::Retry | OutcomeKind::RateLimited) && self.retry_after_ms > 0;
        let (record_json, fault) = match accept_record(&self.record_json, mask) {
            Ok(record_json) => (record_json, None),
            Err(fault) => (None, Some(fault)),
        };
        let outcome = Outcome {
            kind,
            retry_after: waits.then(|| Duration::from_millis(self.retry_after_ms)),
            code: clean_code(&mask.text(&self.code, CODE_BYTES_MAX)),
            message: mask.one_line(&self.message, limits::MESSAGE_BYTES_MAX),
            record_json,
        };
        (outcome, fault)
    }
}

fn accept_record(record: &str, mask: &Mask) -> Result<Option<String>, RecordFault> {
    if record.is_empty() {
        return Ok(None);
    }
    if record.len() > limits::RECORD_BYTES_MAX {
        return Err(RecordFault::TooLarge);
    }
    // No record is cut: one that is too large has just been refused.
    let record = mask.text(record, usize::MAX);
    let object = record.trim_ascii_start().starts_with('{');
    match serde_json::from_str::<IgnoredAny>(&record) {
        Ok(_) if object => Ok(Some(record.into_owned())),
        _ => Err(RecordFault::NotAnObject),
    }
}

/// Codes become labels of metrics and keys of filters: other characters than `[a-z0-9_.]` are replaced.
fn clean_code(code: &str) -> String {
    code.chars()
        .take(CODE_BYTES_MAX)
        .map(|c| if matches!(c, 'a'..='z' | '0'..='9' | '_' | '.') { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests;
