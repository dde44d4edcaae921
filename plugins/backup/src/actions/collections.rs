//! The action `collections`: what there are backups of.

use postroom_sdk::{Action, ActionCall, ActionError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Shown;
use crate::plugin::Backup;

/// The action `collections`.
pub(crate) struct Collections;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// The collections, the one that changed last first.
    collections: Vec<Kept>,
    /// Where they are.
    storage: String,
}

/// A collection.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Kept {
    /// By which the other actions know it.
    collection: String,
    /// How many versions there are.
    versions: usize,
    /// How much their bodies take in the storage.
    stored_bytes: u64,
    /// The newest version.
    newest: Option<Shown>,
}

impl Action<Backup> for Collections {
    const NAME: &str = "collections";
    const TITLE: &str = "List collections";
    const DESCRIPTION: &str = "Lists the collections that there are versions of";
    type Input = Input;
    type Output = Answer;

    async fn run(backup: &Backup, _: Input, _: &ActionCall) -> Result<Answer, ActionError> {
        let mut collections = backup.vault.collections().await?;
        collections
            .sort_by_key(|it| std::cmp::Reverse(it.newest.as_ref().map(|newest| newest.received_unix_ms)));
        let collections = collections
            .into_iter()
            .map(|it| Kept {
                collection: it.key,
                versions: it.versions,
                stored_bytes: it.stored_bytes,
                newest: it.newest.map(Shown::from),
            })
            .collect();
        Ok(Answer { collections, storage: backup.place.clone() })
    }
}
