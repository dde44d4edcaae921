//! Which settings of a plugin may be shown, by what its schema says of them.
//!
//! A plugin's author marks secrets with `"writeOnly": true`, and the mark may stand anywhere that JSON Schema allows. So a
//! value is shown only where the schema describes it in words that are all understood here.

use serde_json::{Map, Value};

/// Words by which a schema holds for a value, or for a part of it, in ways that are not followed.
const NOT_FOLLOWED: [&str; 16] = [
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
    "additionalItems",
    "contains",
    "dependencies",
    "dependentSchemas",
    "else",
    "extends",
    "if",
    "not",
    "patternProperties",
    "prefixItems",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Words whose schemas hold for the same value.
const BESIDE: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// All that a schema says of one value that may be shown.
#[derive(Debug)]
pub(super) struct Described<'a>(Vec<&'a Map<String, Value>>);

impl<'a> Described<'a> {
    /// By these schemas together. `None` if one of them hides the value, or none describes it.
    pub(super) fn by(schemas: impl IntoIterator<Item = &'a Value>) -> Option<Self> {
        let mut schemas: Vec<_> = schemas.into_iter().collect();
        let mut described = Vec::new();
        while let Some(schema) = schemas.pop() {
            let words = match schema {
                Value::Object(words) => words,
                Value::Bool(_) => continue,
                _ => return None,
            };
            if words.iter().any(|(word, value)| hides(word, value)) {
                return None;
            }
            for word in BESIDE {
                match words.get(word) {
                    Some(Value::Array(beside)) => schemas.extend(beside),
                    Some(_) => return None,
                    None => {}
                }
            }
            if !words.is_empty() {
                described.push(words);
            }
        }
        (!described.is_empty()).then_some(Self(described))
    }

    /// The entry with this key.
    pub(super) fn entry(&self, key: &str) -> Option<Self> {
        let of_key = |words: &&'a Map<String, Value>| {
            let named = words.get("properties").and_then(|properties| properties.get(key));
            named.or_else(|| words.get("additionalProperties"))
        };
        Self::by(self.0.iter().filter_map(of_key))
    }

    /// Each item.
    pub(super) fn item(&self) -> Option<Self> {
        Self::by(self.0.iter().filter_map(|words| words.get("items")))
    }
}

/// Whether this word of a schema says that the value is a secret, or may say so.
fn hides(word: &str, value: &Value) -> bool {
    match word {
        "writeOnly" => *value != false,
        // A truth, such as that nothing more is allowed, marks nothing.
        _ => NOT_FOLLOWED.contains(&word) && !value.is_boolean(),
    }
}

#[cfg(test)]
mod tests;
