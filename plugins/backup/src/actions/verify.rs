//! The action `verify`: whether every version is as it was written.

use postroom_sdk::{Action, ActionCall, ActionError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::meant;
use crate::{chores, plugin::Backup, vault::Damage};

/// Most damages of one answer.
const DAMAGES_MAX: usize = 1000;

/// The action `verify`.
pub(crate) struct Verify;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The collection's id, with or without the owner before it; all unless it is said.
    collection: Option<String>,
}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// Whether everything is as it was written.
    ok: bool,
    /// How many collections were looked at.
    collections: usize,
    /// How many versions were read.
    versions: usize,
    /// How many bytes were read.
    bytes: u64,
    /// How many of the versions are as they were written, but nobody here has the key to them.
    not_decrypted: usize,
    /// What is damaged, the first thousand.
    damaged: Vec<Broken>,
    /// How many there are in all.
    damages: usize,
}

/// Something that is damaged.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Broken {
    /// The collection.
    collection: String,
    /// The version; absent when a file about versions is damaged.
    version: Option<String>,
    /// The file, below the root.
    file: Option<String>,
    /// What is wrong with it.
    what: String,
}

impl Action<Backup> for Verify {
    const NAME: &str = "verify";
    const TITLE: &str = "Check versions";
    const DESCRIPTION: &str = "Reads every version and checks that it is there, whole and as it was received";
    type Input = Input;
    type Output = Answer;

    async fn run(backup: &Backup, input: Input, call: &ActionCall) -> Result<Answer, ActionError> {
        let keys = meant(backup, input.collection.as_deref()).await?;
        let mut answer = Answer {
            ok: true,
            collections: keys.len(),
            versions: 0,
            bytes: 0,
            not_decrypted: 0,
            damaged: Vec::new(),
            damages: 0,
        };
        for key in keys {
            let verified = backup.vault.verify(&key).await?;
            chores::tell(call.host(), &backup.vault, &key, &verified.damaged).await;
            answer.versions += verified.versions;
            answer.bytes += verified.bytes;
            answer.not_decrypted += verified.not_decrypted;
            answer.damages += verified.damaged.len();
            let broken = verified.damaged.into_iter().map(|Damage { version, file, what }| Broken {
                collection: key.clone(),
                version,
                file,
                what,
            });
            answer.damaged.extend(broken);
        }
        answer.damaged.truncate(DAMAGES_MAX);
        answer.ok = answer.damages == 0;
        Ok(answer)
    }
}
