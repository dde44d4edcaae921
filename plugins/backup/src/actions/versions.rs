//! The action `versions`: the history of a collection.

use postroom_sdk::{Action, ActionCall, ActionError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Shown;
use crate::plugin::Backup;

/// Most versions of one answer.
const LIMIT_MAX: usize = 1000;

/// The action `versions`.
pub(crate) struct Versions;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The collection's id, with or without the owner before it.
    collection: String,
    /// How many are wanted, 1000 at most.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 1000))]
    limit: usize,
    /// Only those older than this version: the last one of the answer before.
    older_than: Option<String>,
}

fn limit() -> usize {
    100
}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// By which the other actions know the collection.
    collection: String,
    /// The versions, the newest first.
    versions: Vec<Shown>,
    /// How many there are in all.
    total: usize,
}

impl Action<Backup> for Versions {
    const NAME: &str = "versions";
    const TITLE: &str = "List versions";
    const DESCRIPTION: &str = "Lists the versions of a collection, the newest first";
    type Input = Input;
    type Output = Answer;

    async fn run(backup: &Backup, input: Input, _: &ActionCall) -> Result<Answer, ActionError> {
        let collection = backup.vault.find(&input.collection).await?;
        let versions = backup.vault.versions(&collection).await?;
        let total = versions.len();
        let older = versions.into_iter().rev();
        let older = older.filter(|it| input.older_than.as_ref().is_none_or(|than| it.id < *than));
        let versions = older.take(input.limit.clamp(1, LIMIT_MAX)).map(Shown::from).collect();
        Ok(Answer { collection, versions, total })
    }
}
