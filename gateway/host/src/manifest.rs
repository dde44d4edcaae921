//! What a plugin says about itself, before any of its code runs.

mod actions;
mod asks;
mod makes;

use std::fmt;

use postroom_core::event::EmittedKind;
use serde_json::{Map, Value};

pub use self::actions::Action;
pub(crate) use self::asks::Asked;
pub use self::{
    asks::{Asks, FolderAsk, Place},
    makes::DeclaredMetric,
};

/// The plugin ABI of this gateway: a plugin built for the same major loads, whatever its minor.
pub const ABI: AbiVersion =
    AbiVersion { major: postroom_abi::POSTROOM_ABI_MAJOR, minor: postroom_abi::POSTROOM_ABI_MINOR };

/// Most deliveries that a plugin may ask to have in flight at once.
const CONCURRENCY_MAX: u64 = 1024;
const ID_BYTES_MAX: usize = 128;
const NAME_BYTES_MAX: usize = 80;
const VERSION_BYTES_MAX: usize = 64;

/// A checked manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Names the plugin in the configuration: `plugin = "itoc360"`.
    pub id: String,
    /// The name that people are shown.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// The ABI that the plugin was written for.
    pub abi: AbiVersion,
    /// Globs of the event kinds that the plugin understands; never empty.
    pub kinds: Vec<String>,
    /// Most deliveries in flight at once; `None` leaves it to the operator.
    pub concurrency: Option<u32>,
    /// JSON Schema of the destination's `config`.
    pub config_schema: Option<Value>,
    /// What it asks of the system.
    pub asks: Asks,
    /// The kinds of event that it makes itself.
    pub emits: Vec<EmittedKind>,
    /// What it measures.
    pub metrics: Vec<DeclaredMetric>,
    /// What people can have it do beside delivering.
    pub actions: Vec<Action>,
    /// The whole manifest as written, keys that this version does not know included.
    pub document: Map<String, Value>,
}

/// A version of the plugin ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbiVersion {
    /// Incompatible changes; also part of the symbol names.
    pub major: u16,
    /// Additions only.
    pub minor: u16,
}

impl fmt::Display for AbiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Why a manifest is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The text is not JSON.
    #[error("the manifest is not JSON: {reason}")]
    NotJson {
        /// The parser's words, with line and column.
        reason: String,
    },
    /// The text is JSON, but no object.
    #[error("the manifest is not a JSON object")]
    NotAnObject,
    /// A required key is absent.
    #[error("the manifest lacks {key:?}")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// A key has a value that cannot be used.
    #[error("the manifest's {key:?} is not {expected}")]
    Invalid {
        /// The key.
        key: &'static str,
        /// What stands there in a good manifest.
        expected: &'static str,
    },
    /// The plugin was written for another major of the ABI.
    #[error("needs plugin ABI {wanted}, this gateway speaks {ABI}: install a build of the plugin for ABI {}", ABI.major)]
    OtherAbi {
        /// The ABI that the plugin needs.
        wanted: AbiVersion,
    },
}

impl Manifest {
    /// Reads and checks the text of a manifest.
    ///
    /// # Errors
    /// Says the first thing that is wrong. Unknown keys are no fault: a newer SDK may write more.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let document = match serde_json::from_str(text) {
            Ok(Value::Object(document)) => document,
            Ok(_) => return Err(ManifestError::NotAnObject),
            Err(error) => return Err(ManifestError::NotJson { reason: error.to_string() }),
        };
        if required(&document, "manifest")?.as_u64() != Some(1) {
            return Err(invalid("manifest", "1, the format that this gateway reads"));
        }
        // Before the rest: a manifest for another ABI may well follow other rules.
        let abi = abi(&document)?;
        Ok(Self {
            id: id(&document)?,
            name: text_of(&document, "name", NAME_BYTES_MAX, "a text of 1 to 80 bytes")?,
            version: text_of(&document, "version", VERSION_BYTES_MAX, "a version such as \"1.2.0\"")?,
            abi,
            kinds: kinds(&document)?,
            concurrency: concurrency(&document)?,
            config_schema: match document.get("config_schema") {
                None => None,
                Some(schema @ Value::Object(_)) => Some(schema.clone()),
                Some(_) => return Err(invalid("config_schema", "a JSON Schema object")),
            },
            asks: Asks::read(&document)?,
            emits: makes::emits(&document)?,
            metrics: makes::metrics(&document)?,
            actions: actions::read(&document)?,
            document,
        })
    }

    /// How many deliveries may be in flight at once where the operator allows `allowed`: the smaller of the two.
    #[must_use]
    pub fn concurrency_within(&self, allowed: u32) -> u32 {
        self.concurrency.map_or(allowed, |wanted| wanted.min(allowed))
    }
}

fn abi(document: &Map<String, Value>) -> Result<AbiVersion, ManifestError> {
    let wanted = required(document, "abi")?
        .as_str()
        .and_then(|text| text.split_once('.'))
        .and_then(|(major, minor)| {
            Some(AbiVersion { major: major.parse().ok()?, minor: minor.parse().ok()? })
        })
        .ok_or_else(|| invalid("abi", "a version such as \"1.0\""))?;
    if wanted.major == ABI.major { Ok(wanted) } else { Err(ManifestError::OtherAbi { wanted }) }
}

fn id(document: &Map<String, Value>) -> Result<String, ManifestError> {
    let expected = "lower-case words joined by '.' or '-', at most 128 bytes";
    let id = text_of(document, "id", ID_BYTES_MAX, expected)?;
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if id.split(['.', '-']).all(word) { Ok(id) } else { Err(invalid("id", expected)) }
}

fn kinds(document: &Map<String, Value>) -> Result<Vec<String>, ManifestError> {
    let kinds: Option<Vec<String>> = required(document, "kinds")?.as_array().and_then(|kinds| {
        kinds.iter().map(|kind| kind.as_str().filter(|kind| !kind.is_empty()).map(str::to_owned)).collect()
    });
    kinds
        .filter(|kinds| !kinds.is_empty())
        .ok_or_else(|| invalid("kinds", "a list of kinds such as [\"monitor_run\"] or [\"*\"]"))
}

fn concurrency(document: &Map<String, Value>) -> Result<Option<u32>, ManifestError> {
    let Some(value) = document.get("concurrency") else { return Ok(None) };
    value
        .as_u64()
        .filter(|count| (1..=CONCURRENCY_MAX).contains(count))
        .and_then(|count| u32::try_from(count).ok())
        .map(Some)
        .ok_or_else(|| invalid("concurrency", "a whole number from 1 to 1024"))
}

fn text_of(
    document: &Map<String, Value>,
    key: &'static str,
    bytes_max: usize,
    expected: &'static str,
) -> Result<String, ManifestError> {
    required(document, key)?
        .as_str()
        .filter(|text| (1..=bytes_max).contains(&text.len()) && !text.contains(char::is_control))
        .map(str::to_owned)
        .ok_or_else(|| invalid(key, expected))
}

fn required<'a>(document: &'a Map<String, Value>, key: &'static str) -> Result<&'a Value, ManifestError> {
    document.get(key).ok_or(ManifestError::Missing { key })
}

const fn invalid(key: &'static str, expected: &'static str) -> ManifestError {
    ManifestError::Invalid { key, expected }
}

#[cfg(test)]
mod tests;
