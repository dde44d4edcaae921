//! The action `diff`: what changed between two versions.

use postroom_sdk::{Action, ActionCall, ActionError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Shown;
use crate::{events, plugin::Backup};

/// The action `diff`.
pub(crate) struct Compare;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The collection's id, with or without the owner before it.
    collection: String,
    /// The earlier version; the one before the later unless it is said.
    before: Option<String>,
    /// The later version; the newest unless it is said.
    after: Option<String>,
}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// By which the other actions know the collection.
    collection: String,
    /// The earlier version.
    before: Shown,
    /// The later version.
    after: Shown,
    /// What changed, in a line.
    summary: String,
    /// What changed, one by one.
    changes: Vec<Value>,
    /// How many changes did not fit into the answer.
    changes_left_out: usize,
    /// What changed, as text.
    text: String,
    /// What changed, as Markdown.
    markdown: String,
}

impl Action<Backup> for Compare {
    const NAME: &str = "diff";
    const TITLE: &str = "Compare versions";
    const DESCRIPTION: &str = "Tells what changed between two versions, without ids that Postman generates";
    type Input = Input;
    type Output = Answer;

    async fn run(backup: &Backup, input: Input, _: &ActionCall) -> Result<Answer, ActionError> {
        let collection = backup.vault.find(&input.collection).await?;
        let after = backup.vault.version(&collection, input.after.as_deref()).await?;
        let before = match input.before {
            Some(before) => backup.vault.version(&collection, Some(&before)).await?,
            None => {
                let versions = backup.vault.versions(&collection).await?;
                let before = versions.into_iter().rev().find(|it| it.id < after.id);
                before.ok_or_else(|| ActionError::not_found(format!("there is none before {}", after.id)))?
            }
        };
        let diff = backup.vault.diff(&collection, &before, &after).await?;
        let fitted = events::fit(&diff);
        Ok(Answer {
            collection,
            before: before.into(),
            after: after.into(),
            summary: diff.summary(),
            changes: fitted.changes,
            changes_left_out: fitted.left_out,
            text: events::fit_text(diff.text_of(events::TEXT_BYTES_MAX)),
            markdown: events::fit_text(diff.markdown_of(events::TEXT_BYTES_MAX)),
        })
    }
}
