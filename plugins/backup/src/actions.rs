//! What people can have the plugin do beside keeping: look at versions, compare, check, prune and mend them.

mod collections;
mod diff;
mod prune;
mod repair;
mod restore;
mod show;
mod verify;
mod versions;

use postroom_sdk::{ActionError, Actions};
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use self::{repair::Uploads, show::Held};
use crate::{
    plugin::{Backup, failure},
    vault::{Counts, Error, Found, Version, names},
};

pub(crate) fn all() -> Actions<Backup> {
    Actions::none()
        .with::<collections::Collections>()
        .with::<versions::Versions>()
        .with::<show::Show>()
        .with::<diff::Compare>()
        .with::<verify::Verify>()
        .with::<prune::Prune>()
        .with::<repair::Repair>()
        .with::<restore::Restore>()
}

/// A version, as answers have it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Shown {
    /// What it is called: the time and the start of its hash.
    id: String,
    /// When the gateway received it.
    #[schemars(extend("format" = "date-time"))]
    received_at: String,
    /// How often the same was received again.
    seen: u32,
    /// When it, or the same, was received last.
    #[schemars(extend("format" = "date-time"))]
    seen_at: String,
    /// The name that the collection had.
    name: Option<String>,
    /// The collection format: v1, v2.0, v2.1 or unknown.
    format: String,
    /// How much is in it.
    counts: Counts,
    /// Its length.
    bytes: u64,
    /// How much it takes in the storage.
    stored_bytes: u64,
    /// SHA-256 of its bytes.
    sha256: String,
    /// SHA-256 of what it says, without generated ids.
    canonical: Option<String>,
    /// The event that brought it.
    event_id: String,
    /// The version before it, when it came.
    before: Option<String>,
    /// What it changed.
    changes: Option<String>,
    /// What looks like a secret in it.
    secrets: Vec<Found>,
    /// Whether secrets were taken out before it was kept.
    redacted: bool,
    /// Where its body is, below the root.
    file: String,
}

impl From<Version> for Shown {
    fn from(version: Version) -> Self {
        Self {
            received_at: names::rfc3339(version.received_unix_ms),
            seen: version.seen,
            seen_at: names::rfc3339(version.seen_unix_ms),
            id: version.id,
            name: version.name,
            format: version.format,
            counts: version.counts,
            bytes: version.bytes,
            stored_bytes: version.stored.bytes,
            sha256: version.sha256,
            canonical: version.canonical,
            event_id: version.event_id,
            before: version.before,
            changes: version.changes,
            secrets: version.secrets,
            redacted: version.redacted,
            file: version.stored.file,
        }
    }
}

impl From<Error> for ActionError {
    fn from(error: Error) -> Self {
        match error {
            Error::NoCollection(_) | Error::NoVersion { .. } => Self::not_found(error.to_string()),
            Error::Damaged { .. } | Error::Unreadable(_) | Error::KeepsAll => {
                Self::conflict(error.to_string())
            }
            error => failure(&error).into(),
        }
    }
}

/// The collections that are meant: the one that is named, or all.
async fn meant(backup: &Backup, collection: Option<&str>) -> Result<Vec<String>, ActionError> {
    Ok(match collection {
        Some(collection) => vec![backup.vault.find(collection).await?],
        None => backup.vault.keys().await?,
    })
}

#[cfg(test)]
mod tests;
