//! Finds settings that are passed over without a word.
//!
//! A type with a flattened field takes every setting, keeps what it knows, and drops the rest where nobody sees it. The
//! schema of the type knows the names.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Fault, escaped, no_such_setting};

/// The settings in `config` that no field of `C` takes, whose schema this is; `config` has been read as a `C` before.
pub(super) fn unread<C: DeserializeOwned>(config: &Value, schema: &Value) -> Vec<Fault> {
    let mut unnamed = Vec::new();
    walk(config, schema, "", &mut unnamed);
    unnamed.retain(|pointer| !is_read::<C>(config, pointer));
    unnamed.into_iter().map(no_such_setting).collect()
}

/// Whether anything reads what stands at `pointer`, though the schema does not name it, as with an alias: then it does not
/// take just anything.
fn is_read<C: DeserializeOwned>(config: &Value, pointer: &str) -> bool {
    [json!({ "\0": [] }), json!("\0")].into_iter().any(|anything| {
        let mut changed = config.clone();
        if let Some(value) = changed.pointer_mut(pointer) {
            *value = anything;
        }
        serde_json::from_value::<C>(changed).is_err()
    })
}

/// Collects the places of settings that a closed schema does not name.
fn walk(value: &Value, schema: &Value, pointer: &str, unnamed: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (key, entry) in entries {
                let pointer = format!("{pointer}/{}", escaped(key));
                match named(schema, key).as_slice() {
                    [] if schema["additionalProperties"].is_object() => {
                        walk(entry, &schema["additionalProperties"], &pointer, unnamed);
                    }
                    [] if is_closed(schema) => unnamed.push(pointer),
                    [only] => walk(entry, only, &pointer, unnamed),
                    // Open, or named by several choices: it is not known which one is meant.
                    _ => {}
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &schema["items"], &format!("{pointer}/{index}"), unnamed);
            }
        }
        _ => {}
    }
}

/// What the schema, or a choice in it, says of a setting.
fn named<'a>(schema: &'a Value, key: &str) -> Vec<&'a Value> {
    let mut found: Vec<&Value> = schema["properties"].get(key).into_iter().collect();
    for word in ["allOf", "anyOf", "oneOf"] {
        for choice in schema[word].as_array().into_iter().flatten() {
            found.extend(named(choice, key));
        }
    }
    found
}

fn is_closed(schema: &Value) -> bool {
    schema["additionalProperties"] == false || schema["unevaluatedProperties"] == false
}

#[cfg(test)]
mod tests;
