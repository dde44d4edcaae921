//! Whether the gateway reads a schema as its author means it.
//!
//! It lifts secrets out of the settings and makes paths absolute where the schema says so, and follows `properties`,
//! `additionalProperties`, `items` and what is combined to get there. A secret anywhere else would stand in the settings
//! in clear, and in what the gateway shows of them.

use serde_json::Value;

use super::COMBINED;

/// Keywords whose value is no schema, whatever it looks like.
const NO_SCHEMAS: [&str; 5] = ["default", "const", "enum", "examples", "required"];

/// What the author has to write in another way, a line each.
pub(super) fn faults(schema: &Value, manifest: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    hidden(schema, "", is_meant_for_the_gateway(schema), &mut faults);
    for folder in manifest["filesystem"].as_array().into_iter().flatten() {
        let path = folder["path"].as_str().unwrap_or_default();
        if let Some(keys) = path.strip_prefix("{config.").and_then(|path| path.strip_suffix('}')) {
            faults.extend(folder_fault(schema, keys));
        }
    }
    faults
}

/// Finds secrets and paths below words that the gateway does not follow. `in_all` says whether there are any in the whole.
fn hidden(schema: &Value, place: &str, in_all: bool, faults: &mut Vec<String>) {
    for (word, below) in schema.as_object().into_iter().flatten() {
        match word.as_str() {
            "properties" => {
                for (name, property) in below.as_object().into_iter().flatten() {
                    hidden(property, &format!("{place}/{name}"), in_all, faults);
                }
            }
            "additionalProperties" => hidden(below, &format!("{place}/*"), in_all, faults),
            "items" => hidden(below, &format!("{place}/0"), in_all, faults),
            word if COMBINED.contains(&word) => {
                for choice in below.as_array().into_iter().flatten() {
                    hidden(choice, place, in_all, faults);
                }
            }
            word if NO_SCHEMAS.contains(&word) => {}
            // Where it leads somewhere else, `$defs` tells.
            word if is_meant_for_the_gateway(below) || (word == "$ref" && below == "#" && in_all) => {
                let place = if place.is_empty() { "the settings" } else { place };
                let instead = match word {
                    "prefixItems" => "a struct in place of the tuple",
                    "patternProperties" => "a map whose keys are text",
                    "$defs" | "$ref" => "a type that does not contain itself",
                    _ => "another type",
                };
                faults.push(format!(
                    "{place}: a secret or a path stands below `{word}`, where the gateway does not look: use {instead}"
                ));
            }
            _ => {}
        }
    }
}

/// Whether a secret or a path is in there.
fn is_meant_for_the_gateway(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => {
            members.get("writeOnly").is_some_and(|value| value == true)
                || members.get("format").is_some_and(|value| value == "path")
                || members.values().any(is_meant_for_the_gateway)
        }
        Value::Array(items) => items.iter().any(is_meant_for_the_gateway),
        _ => false,
    }
}

/// What keeps the folder that a setting names from being granted.
fn folder_fault(schema: &Value, keys: &str) -> Option<String> {
    let asked = format!("`filesystem` asks for {{config.{keys}}}");
    let property = keys.split('.').try_fold(schema, |schema, key| schema["properties"].get(key));
    let Some(property) = property else { return Some(format!("{asked}, and there is no such setting")) };
    if property["format"] != "path" {
        return Some(format!(
            "{asked}, which is no path for the gateway: put #[schemars(extend(\"format\" = \"path\"))] on the field, so \
             that a relative one is made absolute"
        ));
    }
    property.get("default").map(|_| {
        format!(
            "{asked}, which has a default, and only what stands in the configuration is granted: make the setting \
             required, or an Option without a default"
        )
    })
}

#[cfg(test)]
mod tests;
