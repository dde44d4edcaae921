//! The action `collections`: what there are backups of.

use postroom_sdk::{Action, ActionCall, ActionError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Shown;
use crate::{plugin::Backup, vault::Collection};

/// Most collections of one answer.
const LIMIT_MAX: usize = 1000;
/// What an answer may take as JSON, unless one collection alone takes more: an action gives 4 MiB at most.
const ANSWER_BYTES_MAX: usize = 3 * 1024 * 1024;

/// The action `collections`.
pub(crate) struct Collections;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// How many are wanted, 1000 at most.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 1000))]
    limit: usize,
    /// Only those behind this one: the `next` of the answer before.
    after: Option<String>,
}

fn limit() -> usize {
    LIMIT_MAX
}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// The collections, in the order of what they are called here: it stays while they change.
    collections: Vec<Kept>,
    /// From where to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
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

    async fn run(backup: &Backup, input: Input, _: &ActionCall) -> Result<Answer, ActionError> {
        let mut keys = backup.vault.keys().await?;
        keys.retain(|key| input.after.as_ref().is_none_or(|after| key > after));
        let (all, limit) = (keys.len(), input.limit.clamp(1, LIMIT_MAX));
        keys.truncate(limit);
        let (mut collections, mut bytes) = (Vec::new(), 0);
        for found in backup.vault.collections(&keys).await? {
            let kept = Kept::from(found);
            bytes += serde_json::to_vec(&kept).map_or(0, |json| json.len());
            if bytes > ANSWER_BYTES_MAX && !collections.is_empty() {
                break;
            }
            collections.push(kept);
        }
        let is_end = collections.len() == all;
        let next = collections.last().filter(|_| !is_end).map(|last| last.collection.clone());
        Ok(Answer { collections, next, storage: backup.place.clone() })
    }
}

impl From<Collection> for Kept {
    fn from(found: Collection) -> Self {
        Self {
            collection: found.key,
            versions: found.versions,
            stored_bytes: found.stored_bytes,
            newest: found.newest.map(Shown::from),
        }
    }
}
