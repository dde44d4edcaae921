//! What is written about versions. All of it is only ever added, so it can be joined in any order.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::collection::{self, Summary};

/// One version of a collection. Its record is a file of these fields, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    /// `{utc time}-{start of the hash}`.
    pub(crate) id: String,
    /// When the gateway received it.
    pub(crate) received_unix_ms: u64,
    /// When the record was written. Of two records of one version the later counts.
    pub(crate) written_unix_ms: u64,
    /// The SHA-256 of the body, in hex.
    pub(crate) sha256: String,
    /// The SHA-256 of what the body says, without generated ids; absent when it cannot be read as JSON.
    pub(crate) canonical: Option<String>,
    /// The length of the body.
    pub(crate) bytes: u64,
    pub(crate) name: Option<String>,
    pub(crate) collection: Option<String>,
    /// `v1`, `v2.0`, `v2.1` or `unknown`.
    pub(crate) format: String,
    pub(crate) counts: Counts,
    pub(crate) event_id: String,
    /// What looked like a secret, without its value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) secrets: Vec<Found>,
    /// Whether secrets were taken out before it was kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) redacted: bool,
    /// The version that it followed, when it was written.
    pub(crate) before: Option<String>,
    /// What it changed, in a line.
    pub(crate) changes: Option<String>,
    /// Where its body is.
    pub(crate) stored: Stored,
    /// How often it was received again, and when last. Not part of the record.
    #[serde(skip)]
    pub(crate) seen: u32,
    #[serde(skip)]
    pub(crate) seen_unix_ms: u64,
}

/// Where a body is, and how it lies there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// Path below the root. How it is encoded is in its name: `.zst`, `.age`, both or none.
    pub(crate) file: String,
    pub(crate) bytes: u64,
    /// Of the file as it lies there, so that it can be checked without a key.
    pub(crate) sha256: String,
}

/// How much is in a collection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(inline)]
pub(crate) struct Counts {
    pub(crate) folders: u32,
    pub(crate) requests: u32,
    pub(crate) examples: u32,
    pub(crate) scripts: u32,
    pub(crate) variables: u32,
}

/// Something that looks like a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(inline)]
pub(crate) struct Found {
    /// What kind of secret it looks like.
    pub(crate) rule: String,
    /// Where it is.
    pub(crate) place: String,
}

/// A version was received once more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) version: String,
    pub(crate) seen_unix_ms: u64,
    pub(crate) event_id: String,
    /// Of the body that was received: it may have other generated ids.
    pub(crate) sha256: String,
}

/// A version was pruned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gone {
    pub(crate) version: String,
    pub(crate) gone_unix_ms: u64,
}

/// Many of these in one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pack {
    pub(crate) made_unix_ms: u64,
    /// The files whose content it has, and which may be deleted once it has been there for a while.
    pub(crate) of: BTreeSet<String>,
    pub(crate) versions: Vec<Version>,
    pub(crate) seen: BTreeMap<String, BTreeSet<u64>>,
    pub(crate) gone: BTreeMap<String, u64>,
}

/// The content of one file about versions.
#[derive(Debug)]
pub(crate) enum Content {
    Version(Arc<Version>),
    Seen(Seen),
    Gone(Gone),
    Pack(Pack),
}

impl Content {
    /// Reads a file; `None` for a name that is nobody's here.
    pub(crate) fn read(name: &str, bytes: &[u8]) -> Option<Result<Self, String>> {
        let stem = name.strip_suffix(".json")?;
        let (stem, kind) = stem.rsplit_once('.')?;
        Some(match kind {
            "pack" => parse(bytes).map(Self::Pack),
            "seen" => parse(bytes).map(Self::Seen),
            "gone" => parse(bytes).map(Self::Gone),
            _ => parse(bytes).and_then(|version: Version| {
                if version.id != stem || !version.sha256.is_ascii() || version.sha256.len() != 64 {
                    return Err("it is about another version than its name says".to_owned());
                }
                Ok(Self::Version(Arc::new(version)))
            }),
        })
    }
}

fn parse<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

impl Version {
    /// Where this record stands among those of the same version: the greatest counts.
    pub(crate) fn rank(&self) -> (u64, &str) {
        (self.written_unix_ms, &self.stored.file)
    }
}

impl From<&Summary> for Counts {
    fn from(summary: &Summary) -> Self {
        let collection::Counts { folders, requests, examples, scripts, variables } = summary.counts;
        Self { folders, requests, examples, scripts, variables }
    }
}
