//! Secrets that people left in a collection. What is found is named by its place; the value is never kept.

mod judge;
mod places;
mod tokens;
mod walk;

use std::{borrow::Cow, ops::Range};

use serde::Serialize;

use self::walk::{FINDINGS_MAX, Walk};
pub(crate) use self::{
    judge::{Siblings, judge},
    places::Role,
    tokens::without_tokens,
};
use crate::{
    json::{Reader, collection},
    place::Place,
};

/// What stands in place of a secret.
pub(crate) const REDACTED: &str = "[redacted]";

/// A secret and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which rule found it, such as `github-token`.
    pub rule: &'static str,
    /// JSON pointer, from the collection on.
    pub path: String,
    /// For people: `request Login › header Authorization`.
    pub place: String,
    pub confidence: Confidence,
}

/// How sure a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// It looks like a secret, or stands where one would.
    Medium,
    /// Nothing else has this form.
    High,
}

/// Finds secrets: tokens of well-known services wherever they are, and in authorization, headers and variables what has
/// the name or the look of one. References to variables, `{{token}}`, are no secrets.
///
/// What cannot be read as a collection is looked through as text. No more than the first 1000 are told.
#[must_use]
pub fn secrets(bytes: &[u8]) -> Vec<Finding> {
    found(bytes).0
}

/// Replaces the secrets that [`secrets`] finds by `[redacted]`. All other bytes stay as they are.
#[must_use]
pub fn redact(bytes: &[u8]) -> (Vec<u8>, Vec<Finding>) {
    let (findings, spans) = found(bytes);
    (replaced(bytes, spans), findings)
}

fn found(bytes: &[u8]) -> (Vec<Finding>, Vec<Range<usize>>) {
    let read = collection(bytes).and_then(|text| {
        let mut walk = Walk::default();
        let mut reader = Reader::new(text);
        walk.value(&mut reader, Place::Collection, Role::Plain)?;
        reader.end()?;
        Ok((walk.finish(), text.as_ptr() as usize - bytes.as_ptr() as usize))
    });
    if let Ok(((findings, spans), offset)) = read {
        let spans = spans.into_iter().map(|span| span.start + offset..span.end + offset);
        return (findings, spans.collect());
    }
    let tokens = tokens::tokens(bytes);
    let findings = tokens.iter().take(FINDINGS_MAX).map(|&(rule, _)| Finding {
        rule,
        path: String::new(),
        place: "text that is no collection".to_owned(),
        confidence: Confidence::High,
    });
    (findings.collect(), tokens.iter().map(|(_, span)| span.clone()).collect())
}

/// A value without the secrets in it, which has this place and role.
pub(crate) fn hidden(text: &str, place: Place, role: Role) -> Cow<'_, str> {
    let mut walk = Walk::default();
    if walk.value(&mut Reader::new(text), place, role).is_err() {
        return Cow::Borrowed(text);
    }
    let (_, spans) = walk.finish();
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    // Secrets begin and end at characters, so this is text still.
    Cow::Owned(String::from_utf8_lossy(&replaced(text.as_bytes(), spans)).into_owned())
}

/// The bytes with a mark in place of each span.
pub(crate) fn replaced(bytes: &[u8], mut spans: Vec<Range<usize>>) -> Vec<u8> {
    spans.sort_by_key(|span| (span.start, span.end));
    let mut result = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for span in spans {
        // Of two rules that found the same, the longer span counts.
        if span.start >= at {
            result.extend_from_slice(&bytes[at..span.start]);
            result.extend_from_slice(REDACTED.as_bytes());
        }
        at = at.max(span.end);
    }
    result.extend_from_slice(&bytes[at..]);
    result
}

#[cfg(test)]
mod tests;
