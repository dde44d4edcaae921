//! The action `repair`: a damaged version gets its body again, from whoever has it.
//!
//! The body comes with the call and not from a second storage: another destination may have it, which is another process with
//! keys of its own, or a person's disk. The hash in the record says whether it is the right one.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use postroom_sdk::{Action, ActionCall, ActionError, Bytes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    plugin::Backup,
    vault::{Mending, Version},
};

/// How many bodies may be on their way at once.
const UPLOADS_MAX: usize = 2;
/// How long the next part of one may take.
const PATIENCE_MS: u64 = 10 * 60 * 1000;

/// Bodies of which parts have come.
#[derive(Debug, Default)]
pub(crate) struct Uploads(Mutex<HashMap<(String, String), Upload>>);

#[derive(Debug)]
struct Upload {
    bytes: Vec<u8>,
    touched_unix_ms: u64,
}

/// The action `repair`.
pub(crate) struct Repair;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The collection's id, with or without the owner before it.
    collection: String,
    /// The version, as `verify` names it.
    version: String,
    /// The body, or a part of it, in base64; at most 700 KiB of it at once, as `show` of another destination gives it.
    base64: String,
    /// Where the part begins; parts come in order.
    #[serde(default)]
    offset: u64,
}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// Whether the version has its body again.
    repaired: bool,
    /// Where the next part has to begin; absent when there is nothing more to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
    /// What came of it.
    message: String,
}

impl Action<Backup> for Repair {
    const NAME: &str = "repair";
    const TITLE: &str = "Repair a version";
    const DESCRIPTION: &str = "Gives a damaged version its body again, from a copy that is somewhere else";
    type Input = Input;
    type Output = Answer;

    async fn run(backup: &Backup, input: Input, call: &ActionCall) -> Result<Answer, ActionError> {
        let collection = backup.vault.find(&input.collection).await?;
        let version = backup.vault.version(&collection, Some(&input.version)).await?;
        let part = BASE64_STANDARD
            .decode(&input.base64)
            .map_err(|error| ActionError::input("/base64", format!("no base64: {error}")))?;
        let now_unix_ms = call.host().now_unix_ms();
        let id = (collection.clone(), input.version);
        let (next, body) = backup.uploads.add(&id, &version, input.offset, &part, now_unix_ms)?;
        let Some(body) = body else {
            let message = format!("{next} of {} bytes are here", version.bytes);
            return Ok(Answer { repaired: false, next: Some(next), message });
        };
        let mended = backup.vault.mend(&collection, &version, body, now_unix_ms).await?;
        let (repaired, message) = match mended {
            Mending::Done => (true, "the version has its body again"),
            Mending::NotNeeded => (false, "the version is as it was written: there is nothing to repair"),
            Mending::OtherBody => {
                return Err(ActionError::conflict(
                    "this is not the body of the version: its hash is another",
                ));
            }
        };
        call.log().info(format_args!("repair of {} of {}: {message}", version.id, id.0));
        Ok(Answer { repaired, next: None, message: message.to_owned() })
    }
}

impl Uploads {
    /// Adds a part; gives where the next begins, and the body when it is whole.
    fn add(
        &self,
        id: &(String, String),
        version: &Version,
        offset: u64,
        part: &[u8],
        now_unix_ms: u64,
    ) -> Result<(u64, Option<Bytes>), ActionError> {
        let mut uploads = self.lock();
        uploads.retain(|_, upload| now_unix_ms.saturating_sub(upload.touched_unix_ms) < PATIENCE_MS);
        if offset == 0 {
            uploads.remove(id);
            if uploads.len() >= UPLOADS_MAX {
                return Err(ActionError::unavailable(
                    "other versions are being repaired: try again in a while",
                ));
            }
            uploads.insert(id.clone(), Upload { bytes: Vec::new(), touched_unix_ms: now_unix_ms });
        }
        let Some(upload) = uploads.get_mut(id).filter(|upload| upload.bytes.len() as u64 == offset) else {
            return Err(ActionError::input("/offset", "the part before it is not here: begin again with 0"));
        };
        upload.bytes.extend_from_slice(part);
        upload.touched_unix_ms = now_unix_ms;
        let next = upload.bytes.len() as u64;
        if next < version.bytes && !part.is_empty() {
            return Ok((next, None));
        }
        let upload = uploads.remove(id).map(|upload| upload.bytes.into());
        Ok((next, upload))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Upload>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
