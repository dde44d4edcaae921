//! The events that the plugin makes: what changed, what looks like a secret, what is damaged.

use postroom_sdk::{EmitError, NewEvent, Verdict};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    collection::Diff,
    vault::{Damage, Found, Version, names},
};

pub(crate) const CHANGED: &str = "backup_changed";
pub(crate) const DAMAGED: &str = "backup_damaged";
pub(crate) const SECRETS: &str = "backup_secrets";

/// Most of a difference that an event or an answer has, as JSON.
pub(crate) const DIFF_BYTES_MAX: usize = 256 * 1024;
/// Most of it as text for people.
pub(crate) const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Most damages that an event names.
const DAMAGES_MAX: usize = 100;

/// A difference, cut to what fits.
#[derive(Debug)]
pub(crate) struct Fitted {
    /// The changes, or the first of them.
    pub(crate) changes: Vec<Value>,
    /// How many were left out.
    pub(crate) left_out: usize,
}

/// The changes that fit into [`DIFF_BYTES_MAX`].
pub(crate) fn fit(diff: &Diff) -> Fitted {
    let mut left = DIFF_BYTES_MAX;
    let mut changes = Vec::new();
    for change in &diff.changes {
        // Who is told of a change need not be one who may see the secrets in it.
        let change = serde_json::to_value(change.without_secrets()).unwrap_or_default();
        let bytes = change.to_string().len();
        if bytes > left {
            break;
        }
        left -= bytes;
        changes.push(change);
    }
    Fitted { left_out: diff.changes.len() - changes.len() + diff.counted(), changes }
}

/// The text, or as many of its lines as fit.
pub(crate) fn fit_text(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        text.truncate(text.rfind('\n').unwrap_or_default());
        text.push_str("\n…\n");
    }
    text
}

/// A collection has changed. Made again for the same version it is the same event.
pub(crate) fn changed(before: &Version, version: &Version, diff: &Diff) -> Result<NewEvent, EmitError> {
    let fitted = fit(diff);
    let body = json!({
        "collection": about(version),
        "version": in_short(version),
        "before": in_short(before),
        "summary": diff.summary(),
        "changes": fitted.changes,
        "changes_left_out": fitted.left_out,
        "markdown": fit_text(diff.markdown_of(TEXT_BYTES_MAX)),
    });
    made(CHANGED, version, &version.id, &body)
}

/// A new version has what looks like secrets, which the one before had not.
pub(crate) fn secrets(version: &Version, new: &[Found]) -> Result<NewEvent, EmitError> {
    let body = json!({
        "collection": about(version),
        "version": in_short(version),
        "secrets": new,
        "redacted": version.redacted,
    });
    made(SECRETS, version, &version.id, &body)
}

/// Something of a collection is not as it was written; `day` names the day, so that it is told once a day.
pub(crate) fn damaged(
    key: &str,
    newest: Option<&Version>,
    damage: &[Damage],
    now_unix_ms: u64,
) -> Result<NewEvent, EmitError> {
    let listed: Vec<Value> = damage
        .iter()
        .take(DAMAGES_MAX)
        .map(|damage| json!({ "version": damage.version, "file": damage.file, "what": damage.what }))
        .collect();
    let body = json!({
        "collection": newest.map_or_else(|| json!({ "id": key }), about),
        "damaged": listed,
        "damages": damage.len(),
    });
    let day = &names::time(now_unix_ms)[..10];
    NewEvent::new(DAMAGED)
        .subject(key)
        .verdict(Verdict::Failed)
        .idempotency_key(format!("{DAMAGED} {key} {day}"))
        .json(&body)
}

fn made(kind: &str, version: &Version, id: &str, body: &impl Serialize) -> Result<NewEvent, EmitError> {
    let subject = version.collection.clone().or_else(|| version.name.clone()).unwrap_or_default();
    let key = format!("{kind} {subject} {id}");
    NewEvent::new(kind).subject(subject).idempotency_key(key).json(body)
}

fn about(version: &Version) -> Value {
    json!({ "id": version.collection, "name": version.name })
}

fn in_short(version: &Version) -> Value {
    json!({
        "id": version.id,
        "received_at": names::rfc3339(version.received_unix_ms),
        "sha256": version.sha256,
        "bytes": version.bytes,
        "counts": version.counts,
        "event_id": version.event_id,
    })
}

#[cfg(test)]
mod tests;
