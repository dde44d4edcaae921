//! Reads single fields leniently: Postman's spellings differ, and strangers send anything.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::scan::Raw;
use crate::limits::FACT_BYTES_MAX;

/// The text of a JSON string, cut to [`FACT_BYTES_MAX`]; `None` for anything else and for a blank string.
pub(super) fn text(raw: Raw<'_>) -> Option<String> {
    text_of(raw.json())
}

fn text_of(json: &str) -> Option<String> {
    if !json.starts_with('"') {
        return None;
    }
    let mut text: String = serde_json::from_str(json).ok()?;
    text.truncate(text.floor_char_boundary(FACT_BYTES_MAX));
    (!text.trim().is_empty()).then_some(text)
}

/// An id without owner prefix: `127862-711a2044-c4fc-441b-b169-233c07489031` → `711a2044-…`.
///
/// Only a whole UUID behind the prefix counts: the first group of a plain UUID can be all digits too.
pub(super) fn id(raw: Raw<'_>) -> Option<String> {
    text(raw).map(without_owner)
}

fn without_owner(id: String) -> String {
    match id.split_once('-') {
        Some((owner, rest)) if is_number(owner) && uuid::Uuid::try_parse(rest).is_ok() => rest.to_owned(),
        _ => id,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A JSON object as raw values by key; a repeated key counts with its last value.
#[derive(Debug, Default)]
pub(super) struct Object<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Object<'a> {
    /// Reads `raw`; anything but an object is empty.
    pub(super) fn of(raw: Raw<'a>) -> Self {
        serde_json::from_str(raw.json()).unwrap_or_default()
    }

    /// The object under `key`; empty when there is none.
    pub(super) fn object(&self, key: &str) -> Object<'a> {
        self.0.get(key).and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.0.get(key).and_then(|value| text_of(value.get()))
    }

    pub(super) fn id(&self, key: &str) -> Option<String> {
        self.text(key).map(without_owner)
    }

    /// A counter under the first of `keys` that holds one: a number, or a string that is a number.
    pub(super) fn counter(&self, keys: &[&str]) -> Option<f64> {
        keys.iter().find_map(|key| {
            let json = self.0.get(*key)?.get();
            let number: f64 = match text_of(json) {
                Some(text) => text.trim().parse().ok()?,
                None => json.parse().ok()?,
            };
            (number.is_finite() && number >= 0.0).then_some(number)
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut object = Object::default();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    object.0.insert(key, value);
                }
                Ok(object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}
