//! The action `restore`: a version goes back into Postman, as a new collection or over the one that is there.

use postroom_sdk::{Action, ActionCall, ActionError, Failure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Shown;
use crate::{
    events,
    plugin::Backup,
    restore::{Error, Rehearsed, Restored, Session, Target},
};

/// The action `restore`.
pub(crate) struct Restore;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The collection's id, with or without the owner before it.
    collection: String,
    /// Which version; the newest unless it is said.
    version: Option<String>,
    /// Replace the collection that is in Postman. Without it a new one is made beside it.
    #[serde(default)]
    over: bool,
    /// Only with `over`: which collection is replaced, such as "12345-c3ec8bf7-…"; the one that the version is of unless it
    /// is said.
    target: Option<String>,
    /// Only without `over`: the id of the workspace that the new collection goes to; the one of the settings unless it is
    /// said.
    workspace: Option<String>,
    /// Another name than the version has.
    name: Option<String>,
    /// Write nothing; tell what differs from the collection that is in Postman.
    #[serde(default)]
    dry_run: bool,
}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// By which the other actions know the collection.
    collection: String,
    /// The version.
    version: Shown,
    /// How it went.
    state: State,
    /// The collection in Postman: the one that was made or replaced, or would be replaced. Absent when a new one would be
    /// made.
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    /// The name that it has there.
    name: String,
    /// How much is sent to Postman.
    bytes: u64,
    /// Whether folders, requests and examples keep their ids, and so their comments and links.
    keeps_ids: bool,
    /// The task at Postman, when it replaces in the background.
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    /// What is good to know.
    notes: Vec<String>,
    /// What the restore would change in Postman. Absent when it was done, and when the collection is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<Difference>,
}

/// How far a restore has come.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum State {
    /// It is in Postman.
    Done,
    /// Postman has it and was still at work when the time was up.
    Running,
    /// Nothing was written.
    DryRun,
}

/// From what is in Postman to the version.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Difference {
    /// In a line.
    summary: String,
    /// One by one.
    changes: Vec<Value>,
    /// How many changes did not fit into the answer.
    changes_left_out: usize,
    /// As text.
    text: String,
    /// As Markdown.
    markdown: String,
}

impl Action<Backup> for Restore {
    const NAME: &str = "restore";
    const TITLE: &str = "Restore a version";
    const DESCRIPTION: &str =
        "Puts a version back into Postman: as a new collection, or over the one that is there";
    // With `over` it replaces what people have made since.
    const DANGER: bool = true;
    type Input = Input;
    type Output = Answer;

    async fn run(backup: &Backup, input: Input, call: &ActionCall) -> Result<Answer, ActionError> {
        let Some(postman) = &backup.postman else {
            let why = "there is no key for Postman's API: set `postman.api_key`, or write the version to a file and \
                import that in Postman";
            return Err(Failure::misconfigured("postman", why).into());
        };
        let target = target(&input)?;
        let session = Session::new(postman.key(call.host())?, call.time_left());
        let collection = backup.vault.find(&input.collection).await?;
        let version = backup.vault.version(&collection, input.version.as_deref()).await?;
        let body = backup.vault.body(&collection, &version).await?;
        let redacted = version.redacted;
        let version_id = version.id.clone();
        let mut answer = if input.dry_run {
            let rehearsed = postman.rehearse(&session, body, &target).await?;
            Answer::rehearsed(collection, version.into(), rehearsed)
        } else {
            let restored = postman.restore(&session, body, &target).await?;
            let into = restored.uid.as_deref().unwrap_or("a collection whose id Postman did not tell");
            call.log().info(format_args!("restored version {version_id} of {collection} to {into}"));
            Answer::restored(collection, version.into(), restored)
        };
        if redacted {
            let note = "secrets were taken out of this version before it was kept: set them again in Postman";
            answer.notes.push(note.to_owned());
        }
        Ok(answer)
    }
}

fn target(input: &Input) -> Result<Target, ActionError> {
    let name = input.name.clone().filter(|name| !name.trim().is_empty());
    match (input.over, &input.target, &input.workspace) {
        (false, Some(_), _) => {
            Err(ActionError::input("/target", "is for `over` alone: a new collection gets an id of its own"))
        }
        (true, _, Some(_)) => Err(ActionError::input(
            "/workspace",
            "is for a new collection: with `over` it stays in its workspace",
        )),
        (true, target, None) => Ok(Target::Over { collection: target.clone(), name }),
        (false, None, workspace) => Ok(Target::New { workspace: workspace.clone(), name }),
    }
}

impl Answer {
    fn restored(collection: String, version: Shown, restored: Restored) -> Self {
        Self {
            collection,
            version,
            state: if restored.is_done { State::Done } else { State::Running },
            uid: restored.uid,
            name: restored.name,
            bytes: restored.bytes,
            keeps_ids: restored.keeps_ids,
            task: restored.task,
            notes: restored.notes,
            difference: None,
        }
    }

    fn rehearsed(collection: String, version: Shown, rehearsed: Rehearsed) -> Self {
        let difference = rehearsed.difference.map(|diff| {
            let fitted = events::fit(&diff);
            Difference {
                summary: diff.summary(),
                changes: fitted.changes,
                changes_left_out: fitted.left_out,
                text: events::fit_text(diff.text()),
                markdown: events::fit_text(diff.markdown()),
            }
        });
        Self {
            collection,
            version,
            state: State::DryRun,
            uid: rehearsed.uid,
            name: rehearsed.name,
            bytes: rehearsed.bytes,
            keeps_ids: rehearsed.keeps_ids,
            task: None,
            notes: rehearsed.notes,
            difference,
        }
    }
}

impl From<Error> for ActionError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Key | Error::Forbidden { .. } | Error::NotPostman { .. } | Error::Misconfigured(_) => {
                Failure::misconfigured("postman", message).into()
            }
            Error::NotThere { .. } | Error::NoWorkspace { .. } => Self::not_found(message),
            Error::RateLimited { .. }
            | Error::Month
            | Error::Unavailable { .. }
            | Error::OutOfTime { .. } => Self::unavailable(message),
            Error::Unreadable(_)
            | Error::NoCollection(_)
            | Error::NoId
            | Error::TooLarge { .. }
            | Error::Refused { .. }
            | Error::MayBeThere { .. }
            | Error::TaskFailed { .. } => Self::conflict(message),
            Error::Interrupted => Self::failed(message),
        }
    }
}
