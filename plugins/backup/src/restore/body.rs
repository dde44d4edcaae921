//! What Postman takes, out of any version.

use postroom_sdk::Bytes;
use serde_json::{Map, Value, json};

use super::{error::Error, tail};
use crate::collection::{self, Format, Summary, convert_to_v2_1, scan, to_value, without_ids};

/// Most that Postman takes: "100 MB". If that is meant in thousands, Postman itself refuses what is between the two.
pub(super) const BYTES_MAX: usize = 100 * 1024 * 1024;
/// What stands around the collection in the body of a request.
const AROUND: (&[u8], &[u8]) = (b"{\"collection\":", b"}");
/// The one that Postman's API asks for: v2.1 has other addresses too.
const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
/// Postman takes no collection without a name.
const NAMELESS: &str = "Untitled";

/// What becomes of the ids in a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ids {
    /// They are those of the collection that is replaced: what has one stays what it is.
    Keep,
    /// Postman refuses the ids of another collection.
    Remove,
}

impl Ids {
    pub(super) fn for_target(uid: &str, version: &Summary) -> Self {
        match version.id.as_deref() {
            Some(id) if id.eq_ignore_ascii_case(tail(uid)) => Self::Keep,
            _ => Self::Remove,
        }
    }
}

/// The body of a request that restores.
pub(super) struct Prepared {
    pub(super) json: Bytes,
    pub(super) name: String,
    pub(super) keeps_ids: bool,
    format: Format,
}

impl Prepared {
    /// Notes what people may wonder about.
    pub(super) fn note(&self, notes: &mut Vec<String>) {
        match self.format {
            Format::V2_1 => {}
            Format::Unknown => {
                notes.push("converted to v2.1, the format that Postman's API takes".to_owned())
            }
            other => {
                notes.push(format!("converted from {other} to v2.1, the format that Postman's API takes"))
            }
        }
    }
}

/// Makes the body of a request.
pub(super) fn prepare(version: Bytes, ids: Ids, name: Option<String>) -> Result<Prepared, Error> {
    let format = scan(&version)?.summary.format;
    let mut collection = convert_to_v2_1(to_value(&version)?)?;
    let bytes = version.len();
    // A large one is in memory three times otherwise.
    drop(version);
    mend(&mut collection, ids);
    if ids == Ids::Remove {
        without_ids(&mut collection);
    }
    let name = describe(&mut collection, name);
    let mut json = Vec::with_capacity(bytes);
    json.extend(AROUND.0);
    serde_json::to_writer(&mut json, &collection).map_err(|_| Error::Interrupted)?;
    json.extend(AROUND.1);
    if json.len() > BYTES_MAX {
        return Err(Error::TooLarge { bytes: json.len() });
    }
    Ok(Prepared { json: json.into(), name, keeps_ids: ids == Ids::Keep, format })
}

/// Gives the collection its name, and takes out what Postman notes about it.
fn describe(collection: &mut Value, name: Option<String>) -> String {
    let Some(info) = collection.get_mut("info").and_then(Value::as_object_mut) else { return String::new() };
    for stamp in ["updatedAt", "createdAt", "lastUpdatedBy"] {
        info.shift_remove(stamp);
    }
    let own = || info.get("name").and_then(Value::as_str).filter(|name| !name.trim().is_empty());
    let name = name.or_else(|| own().map(str::to_owned)).unwrap_or_else(|| NAMELESS.to_owned());
    info.insert("name".to_owned(), json!(name));
    info.insert("schema".to_owned(), json!(SCHEMA));
    name
}

/// Puts right what readers of collections understand and Postman's API does not: a script alone, where a list of them should
/// be, and early names of variables, which would be refused as ids, and lost when ids are taken out.
fn mend(value: &mut Value, ids: Ids) {
    match value {
        Value::Object(object) => {
            if let Some(event) = object.get_mut("event").filter(|event| event.get("listen").is_some()) {
                *event = json!([event.take()]);
            }
            if let (Ids::Remove, Some(Value::Array(variables))) = (ids, object.get_mut("variable")) {
                variables.iter_mut().filter_map(Value::as_object_mut).for_each(name_variable);
            }
            let inner = object.values_mut().filter(|value| value.is_object() || value.is_array());
            inner.for_each(|value| mend(value, ids));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| mend(value, ids)),
        _ => {}
    }
}

fn name_variable(variable: &mut Map<String, Value>) {
    if !variable.contains_key("key")
        && let Some(id @ Value::String(_)) = variable.shift_remove("id")
    {
        variable.insert("key".to_owned(), id);
    }
}

/// Whether an answer is a collection and no page.
pub(super) fn is_collection(answer: &[u8]) -> bool {
    collection::scan(answer).is_ok_and(|scanned| scanned.summary.id.is_some())
}
