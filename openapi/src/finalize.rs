//! Puts right what poem-openapi writes, so that linters accept the document and generators make good clients of it.
//!
//! Each function is one rule. They only rewrite: what an operation means is said at the operation.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::stream::{self, EVENT_STREAM};

const VERSION: &str = "3.0.3";
/// Where the names of licences are explained. poem-openapi takes no URL for one.
const LICENSES: &str = "https://spdx.org/licenses/";
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Applies every rule.
pub(crate) fn finalize(mut document: Value) -> Value {
    document["openapi"] = json!(VERSION);
    if let Some(license) = document.pointer_mut("/info/license").and_then(Value::as_object_mut) {
        license.insert("url".to_owned(), json!(LICENSES));
    }
    walk(&mut document, &mut |object| {
        plain_media_types(object);
        any_type_of_bytes(object);
        signed_integers(object);
        single_reference(object);
    });
    close_parameter_enums(&mut document);
    close_requests(&mut document);
    open_schema_enums(&mut document);
    requests_of_their_own_name(&mut document);
    say_public(&mut document);
    describe_responses(&mut document);
    drop_unused_schemas(&mut document);
    tag_answers(&mut document);
    say_events(&mut document);
    document
}

/// Visits every object, the inner ones first.
fn walk(value: &mut Value, rule: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(|inner| walk(inner, rule));
            rule(object);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, rule)),
        _ => {}
    }
}

/// `application/json; charset=utf-8` → `application/json`: generators look the media type up by name.
fn plain_media_types(object: &mut Map<String, Value>) {
    let Some(Value::Object(content)) = object.get_mut("content") else { return };
    *content = std::mem::take(content)
        .into_iter()
        .map(|(name, media_type)| match name.split_once(';') {
            Some((plain, _)) => (plain.trim_end().to_owned(), media_type),
            None => (name, media_type),
        })
        .collect();
}

/// Bytes that are given back as they came in have the media type that came with them.
fn any_type_of_bytes(object: &mut Map<String, Value>) {
    let Some(Value::Object(content)) = object.get_mut("content") else { return };
    if content.contains_key("application/octet-stream") {
        content.insert("*/*".to_owned(), json!({"schema": {}}));
    }
}

/// `uint32` is no format of OpenAPI's: unsigned numbers become signed ones of the next size that are at least 0. Bounds
/// of whole numbers are written as whole numbers.
fn signed_integers(schema: &mut Map<String, Value>) {
    if schema.get("type") != Some(&json!("integer")) {
        return;
    }
    for bound in ["minimum", "maximum", "multipleOf"] {
        if let Some(number) = schema.get(bound).and_then(Value::as_f64).and_then(whole) {
            schema.insert(bound.to_owned(), json!(number));
        }
    }
    let format = match schema.get("format").and_then(Value::as_str) {
        Some("uint8" | "uint16") => "int32",
        Some("uint32" | "uint64") => "int64",
        _ => return,
    };
    schema.insert("format".to_owned(), json!(format));
    schema.entry("minimum").or_insert(json!(0));
}

#[expect(clippy::cast_possible_truncation, reason = "only whole numbers that both types hold get there")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

/// `{allOf: [{$ref}, {description}], description}` → `{allOf: [{$ref}], description}`: the way to describe a reference
/// that generators do not take for a new type.
fn single_reference(schema: &mut Map<String, Value>) {
    let Some(Value::Array(parts)) = schema.get_mut("allOf") else { return };
    if parts.first().is_some_and(|first| first.get("$ref").is_some()) {
        parts.truncate(1);
    }
}

/// What a parameter takes is a closed set, so it is listed at the parameter. Words with a pattern beside them are not
/// all that it takes.
fn close_parameter_enums(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let mut listed = Vec::new();
    for_operations(document, |operation| {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            let many = parameter["schema"]["type"] == "array";
            let place = if many { "/schema/items" } else { "/schema" };
            let Some(described) = parameter.pointer_mut(place) else { continue };
            // One with a default is described as that and a reference.
            let reference = described.get("$ref").or_else(|| described.pointer("/allOf/0/$ref"));
            let reference = reference.and_then(Value::as_str).and_then(|text| text.rsplit('/').next());
            let default = described.get("default").cloned();
            let schema = reference.and_then(|name| schemas.get(name));
            let schema = schema.filter(|schema| schema.get("pattern").is_none());
            if let Some(values) = schema.and_then(|schema| schema.get("enum")) {
                listed.extend(reference.filter(|_| many).map(str::to_owned));
                *described = json!({"type": "string", "enum": values});
                if let Some(default) = default {
                    described["default"] = default;
                }
            }
        }
    });
    // What lists alone take is written out there, and nothing points to it any more.
    let text = document.to_string();
    listed.retain(|name| !text.contains(&format!("\"#/components/schemas/{name}\"")));
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| !listed.contains(name));
    }
}

/// What a request body holds is a closed set too: a field that is not known is refused.
fn close_requests(document: &mut Value) {
    let mut taken = Vec::new();
    for_operations(document, |operation| {
        let schema = operation.get("requestBody").map(|body| &body["content"]["application/json"]["schema"]);
        let reference = schema.and_then(|schema| schema["$ref"].as_str());
        taken.extend(reference.and_then(|text| text.rsplit('/').next()).map(str::to_owned));
    });
    for name in taken {
        let schema = &mut document["components"]["schemas"][name];
        if schema.get("properties").is_some() {
            schema["additionalProperties"] = json!(false);
        }
    }
}

/// What an answer holds is an open set: a client made from a closed one would fail on the first value added later.
fn open_schema_enums(document: &mut Value) {
    let schemas = document["components"]["schemas"].as_object_mut();
    for schema in
        schemas.into_iter().flat_map(|schemas| schemas.values_mut()).filter_map(Value::as_object_mut)
    {
        if let Some(values) = schema.remove("enum") {
            schema.insert("x-extensible-enum".to_owned(), values);
        }
    }
}

/// `NewReplay` → `ReplayRequest`: generators for Go give `Replay` a function `NewReplay` that makes one.
fn requests_of_their_own_name(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let renamed: HashMap<String, String> = schemas
        .keys()
        .filter_map(|name| {
            let made = name.strip_prefix("New").filter(|made| schemas.contains_key(*made))?;
            Some((name.clone(), format!("{made}Request")))
        })
        .collect();
    *schemas = std::mem::take(schemas)
        .into_iter()
        .map(|(name, schema)| (renamed.get(&name).cloned().unwrap_or(name), schema))
        .collect();
    walk(document, &mut |object| {
        let reference = object.get("$ref").and_then(Value::as_str);
        let moved = reference.and_then(|reference| {
            let (at, name) = reference.rsplit_once('/')?;
            Some(format!("{at}/{}", renamed.get(name)?))
        });
        if let Some(moved) = moved {
            object.insert("$ref".to_owned(), json!(moved));
        }
    });
}

/// Says of an operation without security that it is meant to be public.
fn say_public(document: &mut Value) {
    for_operations(document, |operation| {
        operation.entry("security").or_insert(json!([]));
    });
}

/// Gives an undescribed answer the description of what it holds.
fn describe_responses(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    for_operations(document, |operation| {
        let summary = operation.get("summary").cloned().unwrap_or_default();
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for response in responses.into_iter().flat_map(|responses| responses.values_mut()) {
            if response["description"] == "" {
                let reference = response["content"]["application/json"]["schema"]["$ref"].as_str();
                let name = reference.and_then(|text| text.rsplit('/').next());
                let of_schema = name.and_then(|name| schemas.get(name)?.get("description")).cloned();
                response["description"] = of_schema.unwrap_or_else(|| summary.clone());
            }
        }
    });
}

/// A schema that nothing refers to any more, such as the words of a parameter, only makes a type that nobody needs.
fn drop_unused_schemas(document: &mut Value) {
    loop {
        let mut used = HashSet::new();
        walk(document, &mut |object| {
            let reference = object.get("$ref").and_then(Value::as_str);
            used.extend(reference.and_then(|text| text.rsplit('/').next()).map(str::to_owned));
        });
        let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
        let before = schemas.len();
        schemas.retain(|name, _| used.contains(name));
        if schemas.len() == before {
            return;
        }
    }
}

/// Says of the answers that have an `ETag` that they do. The 304 is in words: an operation with two ways to succeed makes
/// generators give up.
fn tag_answers(document: &mut Value) {
    let paths = document["paths"].as_object_mut();
    for (_, item) in paths.into_iter().flatten().filter(|(path, _)| path.starts_with("/api/v1/")) {
        let Some(answer) = item.pointer_mut("/get/responses/200") else { continue };
        if answer.pointer("/content/application~1json").is_some() {
            answer["headers"]["ETag"] = json!({
                "description": "Tells this answer from others. Sent back as `If-None-Match`, an answer that is still the \
                    same is 304 without a body.",
                "schema": {"type": "string"},
            });
        }
    }
}

/// A stream of events is a string to a generator; what its messages hold stands beside it, by their topic.
fn say_events(document: &mut Value) {
    for_operations(document, |operation| {
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for response in responses.into_iter().flat_map(|responses| responses.values_mut()) {
            let content = response.get_mut("content").and_then(Value::as_object_mut);
            if let Some(stream) = content.and_then(|content| content.get_mut(EVENT_STREAM)) {
                stream["example"] = json!(stream::EXAMPLE);
                stream["x-event-schema"] = stream::schemas();
            }
        }
    });
}

fn for_operations(document: &mut Value, mut rule: impl FnMut(&mut Map<String, Value>)) {
    let paths = document["paths"].as_object_mut();
    for path in paths.into_iter().flat_map(|paths| paths.values_mut()) {
        for method in METHODS {
            if let Some(operation) = path.get_mut(method).and_then(Value::as_object_mut) {
                rule(operation);
            }
        }
    }
}

#[cfg(test)]
mod tests;
