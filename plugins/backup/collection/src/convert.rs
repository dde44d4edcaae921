//! Older formats become v2.1, the only one that Postman's API takes.

mod v1;

use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::place::Place;

/// What v2.1 says about itself.
const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";

/// Why a value cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConvertError {
    #[error("this is no collection: it has neither items nor requests")]
    NoCollection,
}

/// Converts a collection of any format; one of v2.1 is given back unchanged, out of the object that it may be wrapped in.
///
/// From v2.0 only authorization differs: its parameters become a list. What early files call `variables`, `events` and so
/// on gets the name that it has today. Collections without `info` are of v2, with their name at the top.
///
/// # Errors
/// When there are neither items nor requests.
pub fn convert_to_v2_1(collection: Value) -> Result<Value, ConvertError> {
    let Value::Object(mut collection) = collection else { return Err(ConvertError::NoCollection) };
    let is_own = ["info", "item", "requests", "order"].iter().any(|key| collection.contains_key(*key));
    if !is_own && let Some(Value::Object(inner)) = collection.get_mut("collection") {
        collection = std::mem::take(inner);
    }
    let schema = collection.get("info").and_then(|info| info.get("schema")).and_then(Value::as_str);
    if schema.is_some_and(|schema| schema.contains("/v2.1.")) {
        return Ok(Value::Object(collection));
    }
    if collection.get("item").is_some_and(Value::is_array) {
        let mut value = Value::Object(collection);
        upgrade(&mut value, Place::Collection);
        let Value::Object(mut collection) = value else { return Err(ConvertError::NoCollection) };
        describe(&mut collection);
        Ok(Value::Object(collection))
    } else if collection.contains_key("requests") || collection.contains_key("order") {
        Ok(v1::convert(&collection))
    } else {
        Err(ConvertError::NoCollection)
    }
}

/// Makes `info` what it is in v2.1.
fn describe(collection: &mut Map<String, Value>) {
    let mut info = match collection.shift_remove("info") {
        Some(Value::Object(info)) => info,
        _ => Map::new(),
    };
    for key in ["name", "description"] {
        if let Some(value) = collection.shift_remove(key) {
            info.entry(key).or_insert(value);
        }
    }
    info.entry("name").or_insert_with(|| json!(""));
    info.insert("schema".to_owned(), json!(SCHEMA));
    let rest = std::mem::take(collection);
    collection.insert("info".to_owned(), Value::Object(info));
    collection.extend(rest);
}

fn upgrade(value: &mut Value, place: Place) {
    match value {
        Value::Object(object) if place == Place::Auth => auth(object),
        Value::Object(object) => {
            let place = place.object();
            rename(object, place);
            for (key, value) in object {
                upgrade(value, place.member(key));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| upgrade(value, place.element())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Gives members the names that they have today.
fn rename(object: &mut Map<String, Value>, place: Place) {
    let names: &[(&str, &str)] = match place {
        Place::Collection => &[("variables", "variable"), ("events", "event")],
        Place::Item => &[("variables", "variable"), ("events", "event"), ("responses", "response")],
        Place::Request | Place::Example => &[("headers", "header")],
        Place::Url => &[("variables", "variable")],
        _ => &[],
    };
    for (early, today) in names {
        if object.contains_key(*early) && !object.contains_key(*today) {
            // In the place where it was.
            *object = std::mem::take(object)
                .into_iter()
                .map(|(key, value)| (if key == *early { (*today).to_owned() } else { key }, value))
                .collect();
        }
    }
}

/// Makes parameters a list.
fn auth(block: &mut Map<String, Value>) {
    for (key, parameters) in block {
        if let (true, Value::Object(object)) = (key != "type", &mut *parameters) {
            *parameters =
                std::mem::take(object).into_iter().map(|(key, value)| parameter(&key, value)).collect();
        }
    }
}

fn parameter(key: &str, value: Value) -> Value {
    let kind = match &value {
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::Null | Value::Array(_) | Value::Object(_) => "any",
    };
    json!({ "key": key, "value": value, "type": kind })
}

#[cfg(test)]
mod tests;
