//! Looking for secrets in what is to be kept.

use postroom_sdk::Bytes;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    collection,
    vault::{Error, Found, body::offload},
};

/// Most secrets that a record names.
const FOUND_MAX: usize = 200;

/// What is done about secrets in collections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Scan {
    /// They are named, without their values, in the version's record and by an event.
    #[default]
    Warn,
    /// The same, and they are taken out of what is kept.
    Redact,
    /// Nobody looks.
    Off,
}

/// A body after it was looked at.
#[derive(Debug)]
pub(crate) struct Looked {
    /// What is to be kept.
    pub(crate) body: Bytes,
    pub(crate) secrets: Vec<Found>,
    pub(crate) redacted: bool,
}

impl Scan {
    pub(crate) async fn look(self, body: Bytes) -> Result<Looked, Error> {
        if self == Self::Off {
            return Ok(Looked { body, secrets: Vec::new(), redacted: false });
        }
        offload(body.len(), move || {
            let (kept, findings) = match self {
                Self::Redact => collection::redact(&body),
                _ => (Vec::new(), collection::secrets(&body)),
            };
            let redacted = self == Self::Redact && !findings.is_empty();
            let mut secrets: Vec<Found> = findings
                .into_iter()
                .map(|finding| Found { rule: finding.rule.to_owned(), place: finding.place })
                .collect();
            secrets.sort_unstable();
            secrets.dedup();
            secrets.truncate(FOUND_MAX);
            // Without a secret the body stays as it was received, byte for byte.
            Looked { body: if redacted { kept.into() } else { body }, secrets, redacted }
        })
        .await
    }
}
