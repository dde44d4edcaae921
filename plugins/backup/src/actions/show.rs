//! The action `show`: one version, with its body or a part of it.

mod held;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use postroom_sdk::{Action, ActionCall, ActionError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use self::held::Held;
use super::Shown;
use crate::plugin::Backup;

/// Most of a body in one answer: as text it may double, and in base64 it grows by a third.
const TEXT_BYTES_MAX: usize = 1024 * 1024;
const PART_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The action `show`.
pub(crate) struct Show;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The collection's id, with or without the owner before it.
    collection: String,
    /// Which version; the newest unless it is said.
    version: Option<String>,
    /// From which byte on a part of the body is wanted, in base64. Without it the body comes as text, if it is short enough.
    offset: Option<u64>,
    /// How many bytes of it, 2097152 at most.
    #[serde(default = "length")]
    #[schemars(range(min = 0, max = 2_097_152))]
    length: usize,
}

fn length() -> usize {
    PART_BYTES_MAX
}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// By which the other actions know the collection.
    collection: String,
    /// The version.
    version: Shown,
    /// The collection as it was received; absent when it is longer than 1 MiB, and when a part was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// The part that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<Part>,
}

/// A part of a body.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Part {
    /// Where it begins.
    offset: u64,
    /// Its bytes.
    base64: String,
    /// Where the next part begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

impl Action<Backup> for Show {
    const NAME: &str = "show";
    const TITLE: &str = "Show a version";
    const DESCRIPTION: &str = "Shows a version of a collection and its body, a long one in parts";
    type Input = Input;
    type Output = Answer;

    async fn run(backup: &Backup, input: Input, _: &ActionCall) -> Result<Answer, ActionError> {
        let collection = backup.vault.find(&input.collection).await?;
        let version = backup.vault.version(&collection, input.version.as_deref()).await?;
        let (mut body, mut part) = (None, None);
        if let Some(offset) = input.offset {
            let whole = match backup.shown.get(&version.sha256) {
                Some(held) => held,
                None => backup.vault.body(&collection, &version).await?,
            };
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(whole.len());
            let end = start.saturating_add(input.length.min(PART_BYTES_MAX)).min(whole.len());
            let next = (end < whole.len()).then_some(end as u64);
            match next {
                Some(_) => backup.shown.hold(&version.sha256, &whole),
                None => backup.shown.forget(),
            }
            part =
                Some(Part { offset: start as u64, base64: BASE64_STANDARD.encode(&whole[start..end]), next });
        } else if version.bytes <= TEXT_BYTES_MAX as u64 {
            let whole = backup.vault.body(&collection, &version).await?;
            body = String::from_utf8(whole.to_vec()).ok();
        }
        Ok(Answer { collection, version: version.into(), body, part })
    }
}
