//! The action `prune`: what the retention does not keep goes.

use postroom_sdk::{Action, ActionCall, ActionError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::meant;
use crate::{
    plugin::Backup,
    retention::{Reason, Retention},
    vault::Error,
};

/// Most versions of one answer.
const VERSIONS_MAX: usize = 5000;

/// What is said where there are no rules.
const NO_RULES: &str = "every version stays, because the destination has no `retention`: set it, such as \
    `config = { retention = { last = 20, monthly = 12 } }`, and reload; a dry run takes rules to try as `retention`";

/// The action `prune`.
pub(crate) struct Prune;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The collection's id, with or without the owner before it; all unless it is said.
    collection: Option<String>,
    /// Only tell what would go.
    #[serde(default)]
    dry_run: bool,
    /// Other rules than those of the settings, to try them; for a dry run only.
    retention: Option<Retention>,
}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// Whether it only tells.
    dry_run: bool,
    /// The versions, the oldest first, at most 5000.
    versions: Vec<Fate>,
    /// How many versions go.
    gone: usize,
    /// How many stay.
    kept: usize,
    /// How many bodies were deleted, or would be: those of versions that went a day ago or more, and strays.
    bodies: usize,
    /// How much room that makes.
    freed_bytes: u64,
}

/// What becomes of a version.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Fate {
    /// The collection.
    collection: String,
    /// The version.
    version: String,
    /// Why it stays; it goes if there is nothing.
    kept_by: Vec<Reason>,
}

impl Action<Backup> for Prune {
    const NAME: &str = "prune";
    const TITLE: &str = "Prune versions";
    const DESCRIPTION: &str =
        "Removes the versions that the retention does not keep, and tells why the others stay";
    const DANGER: bool = true;
    type Input = Input;
    type Output = Answer;

    async fn run(backup: &Backup, input: Input, call: &ActionCall) -> Result<Answer, ActionError> {
        if input.retention.is_some() && !input.dry_run {
            return Err(ActionError::input(
                "/retention",
                "only for a dry run: what goes is a matter of the settings",
            ));
        }
        if backup.vault.keeps_all() {
            return Err(Error::KeepsAll.into());
        }
        let retention = input.retention.as_ref().or(backup.retention.as_ref());
        if retention.is_none_or(Retention::is_empty) {
            return Err(ActionError::conflict(NO_RULES));
        }
        let mut answer = Answer {
            dry_run: input.dry_run,
            versions: Vec::new(),
            gone: 0,
            kept: 0,
            bodies: 0,
            freed_bytes: 0,
        };
        for key in meant(backup, input.collection.as_deref()).await? {
            let now_unix_ms = call.host().now_unix_ms();
            let pruned = backup.vault.prune(&key, retention, now_unix_ms, input.dry_run).await?;
            answer.gone += pruned.gone.len();
            answer.kept += pruned.kept.len();
            answer.bodies += pruned.bodies;
            answer.freed_bytes += pruned.freed_bytes;
            let gone = pruned.gone.into_iter().map(|version| (version.id, Vec::new()));
            let kept = pruned.kept.into_iter().map(|(version, reasons)| (version.id.clone(), reasons));
            let mut fates: Vec<Fate> = gone
                .chain(kept)
                .map(|(version, kept_by)| Fate { collection: key.clone(), version, kept_by })
                .collect();
            fates.sort_by(|a, b| a.version.cmp(&b.version));
            answer.versions.extend(fates);
        }
        answer.versions.truncate(VERSIONS_MAX);
        Ok(answer)
    }
}
