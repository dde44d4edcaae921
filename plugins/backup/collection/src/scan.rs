//! What a backup is, in one pass and without a tree in memory.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    canonical::{self, Entry, Hash, Observer, Value, find},
    json::{Reader, Unreadable, collection, lossy},
    place::Place,
};

/// The versions of Postman's collection format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Format {
    #[serde(rename = "v1")]
    V1,
    #[serde(rename = "v2.0")]
    V2_0,
    #[serde(rename = "v2.1")]
    V2_1,
    #[serde(rename = "unknown")]
    Unknown,
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::V1 => "v1",
            Self::V2_0 => "v2.0",
            Self::V2_1 => "v2.1",
            Self::Unknown => "unknown",
        })
    }
}

/// What a collection says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Postman's id of the collection, without the owner before it.
    pub id: Option<String>,
    /// The number of the owner, which only the API's form has.
    pub owner: Option<String>,
    pub name: Option<String>,
    pub format: Format,
    pub counts: Counts,
}

/// How many there are of what people make.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub folders: u32,
    pub requests: u32,
    pub examples: u32,
    pub scripts: u32,
    /// Of the collection, its folders and requests; the variables of a path are part of its request.
    pub variables: u32,
}

/// What one pass over a backup finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned {
    pub summary: Summary,
    /// SHA-256 of the bytes as they are, also of what is around the collection.
    pub exact: Hash,
    /// What the collection says, without what Postman generates: two backups with the same one differ in nothing that
    /// people made.
    pub canonical: Hash,
}

/// Reads a backup.
///
/// # Errors
/// When the bytes are no JSON object in UTF-8, or one that is too deep.
pub fn scan(bytes: &[u8]) -> Result<Scanned, Unreadable> {
    let mut reader = Reader::new(collection(bytes)?);
    let mut found = Found::default();
    let value = canonical::value(&mut reader, Place::Collection, &mut found)?;
    reader.end()?;
    let Value::Object(canonical) = value else { return Err(Unreadable::NoObject) };
    Ok(Scanned { summary: found.summary(), exact: Sha256::digest(bytes).into(), canonical })
}

/// What the ids of one object are, in the order in which they count.
#[derive(Debug, Default)]
struct Names {
    name: Option<String>,
    ids: [Option<String>; 3],
    schema: Option<String>,
}

#[derive(Debug, Default)]
struct Found {
    info: Option<Names>,
    root: Names,
    is_v1: bool,
    counts: Counts,
}

impl Observer for Found {
    fn object(&mut self, place: Place, members: &[Entry<'_>]) {
        let counts = &mut self.counts;
        match place {
            Place::Info => self.info = Some(Names::of(members)),
            Place::Collection => {
                self.root = Names::of(members);
                self.is_v1 = find(members, "requests").or_else(|| find(members, "order")).is_some();
            }
            Place::Item if matches!(find(members, "item"), Some(Value::Array(_))) => counts.folders += 1,
            Place::Folder1 => counts.folders += 1,
            Place::Item => counts.requests += 1,
            Place::Request1 => {
                counts.requests += 1;
                let scripts = ["tests", "preRequestScript"].map(|key| find(members, key));
                let scripts = scripts.iter().filter(|script| matches!(script, Some(Value::Scalar(text)) if text.len() > 2 && text.starts_with('"')));
                counts.scripts += u32::try_from(scripts.count()).unwrap_or_default();
            }
            Place::Example | Place::Example1 => counts.examples += 1,
            Place::Script => counts.scripts += 1,
            Place::Variable => counts.variables += 1,
            _ => {}
        }
    }
}

impl Names {
    fn of(members: &[Entry<'_>]) -> Self {
        let text = |key: &str| match find(members, key)? {
            Value::Scalar(token) => Some(lossy(token)?.into_owned()).filter(|text| !text.is_empty()),
            Value::Array(_) | Value::Object(_) => None,
        };
        Self { name: text("name"), ids: ["_postman_id", "uid", "id"].map(text), schema: text("schema") }
    }
}

impl Found {
    fn summary(self) -> Summary {
        let info = self.info.as_ref();
        let ids = info.into_iter().chain([&self.root]).flat_map(|names| &names.ids).flatten();
        let (mut id, mut owner) = (None, None);
        for (head, tail) in ids.map(|id| owned(id)) {
            id = id.or(Some(tail));
            owner = owner.or(head);
        }
        let schema = info.and_then(|names| names.schema.as_deref());
        let is = |version: &str| schema.is_some_and(|schema| schema.contains(version));
        let format = match () {
            () if is("/v2.1.") => Format::V2_1,
            () if is("/v2.0.") => Format::V2_0,
            () if is("/v1.") || schema.is_none() && self.is_v1 => Format::V1,
            () => Format::Unknown,
        };
        Summary {
            id: id.map(str::to_owned),
            owner: owner.map(str::to_owned),
            name: info.and_then(|names| names.name.clone()).or_else(|| self.root.name.clone()),
            format,
            counts: self.counts,
        }
    }
}

/// The number of an owner and the id behind it.
fn owned(id: &str) -> (Option<&str>, &str) {
    match id.split_once('-') {
        // A UUID may begin with digits too.
        Some((owner, rest)) if is_number(owner) && is_uuid(rest) => (Some(owner), rest),
        _ => (None, id),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[cfg(test)]
mod tests;
