//! What a schema takes, in words for people; the library's own words speak of types of Rust.

use chrono::{DateTime, Utc};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use serde_json::Value;

use crate::nearest;

/// "a whole number from 1 to 500".
pub(crate) fn in_words(schema: &MetaSchemaRef, registry: &Registry) -> String {
    let parts = parts(schema, registry);
    let first = |ty: fn(&MetaSchema) -> bool| parts.iter().copied().find(|part| ty(part));
    if let Some(words) = first(|part| !part.enum_items.is_empty()) {
        let open = if is_open(words) { ", or the name of a kind that a plugin makes" } else { "" };
        let words: Vec<_> = words.enum_items.iter().filter_map(Value::as_str).collect();
        return format!("one of {}{open}", words.join(", "));
    }
    let bound = |of: fn(&MetaSchema) -> Option<f64>| parts.iter().find_map(|part| of(part));
    let ty = first(|part| !part.ty.is_empty());
    if let Some(each) = ty.filter(|part| part.ty == "array").and_then(|part| part.items.as_deref()) {
        let each = in_words(each, registry);
        return match each.strip_prefix("one of ") {
            Some(words) => format!("one or more of {words}"),
            None => format!("a list, each {each}"),
        };
    }
    match ty.map(|part| (part.ty, part.format)) {
        Some(("integer", _)) => match (bound(|part| part.minimum), bound(|part| part.maximum)) {
            (Some(least), Some(most)) => format!("a whole number from {least} to {most}"),
            _ => "a whole number".to_owned(),
        },
        Some(("string", Some("date-time"))) => "a moment, such as 2026-11-21T09:30:00Z".to_owned(),
        Some(("string", _)) => "a text".to_owned(),
        Some(("boolean", _)) => "true or false".to_owned(),
        Some(("object", _)) => "an object, { … }".to_owned(),
        _ => "another value".to_owned(),
    }
}

/// The first thing in `value` that the schema does not take; `field` is its path so far, empty for the whole.
pub(crate) fn fault(
    value: &Value,
    schema: &MetaSchemaRef,
    registry: &Registry,
    field: &str,
) -> Option<String> {
    let parts = parts(schema, registry);
    if parts.iter().all(|part| takes(part, value)) {
        return parts.iter().find_map(|part| fault_within(value.as_object()?, part, registry, field));
    }
    let what = if field.is_empty() { "the body".to_owned() } else { format!("field `{field}`") };
    Some(format!("{what}: expected {}", in_words(schema, registry)))
}

fn fault_within(
    fields: &serde_json::Map<String, Value>,
    schema: &MetaSchema,
    registry: &Registry,
    field: &str,
) -> Option<String> {
    let path = |name: &str| if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") };
    if schema.properties.is_empty() {
        return None;
    }
    let known = schema.properties.iter().map(|(name, _)| *name);
    if let Some(name) = fields.keys().find(|name| known.clone().all(|known| known != *name)) {
        return Some(format!("there is no field `{}`; {}", shown(&path(name)), nearest::hint(name, known)));
    }
    schema.properties.iter().find_map(|(name, schema_of)| match fields.get(*name) {
        // What may be left out may also be null.
        None | Some(Value::Null) if !schema.required.contains(name) => None,
        None => {
            Some(format!("field `{}` is missing: expected {}", path(name), in_words(schema_of, registry)))
        }
        Some(value) => fault(value, schema_of, registry, &path(name)),
    })
}

fn takes(schema: &MetaSchema, value: &Value) -> bool {
    let within = |number: f64| {
        schema.minimum.is_none_or(|least| number >= least) && schema.maximum.is_none_or(|most| number <= most)
    };
    let fits = match (schema.ty, value) {
        ("", _) | ("object", Value::Object(_)) | ("boolean", Value::Bool(_)) | ("array", Value::Array(_)) => {
            true
        }
        ("integer", Value::Number(number)) => number.is_i64() || number.is_u64(),
        ("string", Value::String(text)) => {
            schema.format != Some("date-time") || text.parse::<DateTime<Utc>>().is_ok()
        }
        _ => false,
    };
    fits && value.as_f64().is_none_or(within)
        && (schema.enum_items.is_empty() || is_open(schema) || schema.enum_items.contains(value))
}

/// Whether the words that it lists are not all. What else it takes has to fit the pattern, which its parser knows.
fn is_open(schema: &MetaSchema) -> bool {
    schema.pattern.is_some()
}

/// A schema with all that it is made of. A reference stands for what it names, and one that is merged with more, as by
/// a description, is a list of both.
fn parts<'a>(schema: &'a MetaSchemaRef, registry: &'a Registry) -> Vec<&'a MetaSchema> {
    let schema = match schema {
        MetaSchemaRef::Inline(schema) => &**schema,
        MetaSchemaRef::Reference(name) => match registry.schemas.get(name) {
            Some(schema) => schema,
            None => return Vec::new(),
        },
    };
    std::iter::once(schema).chain(schema.all_of.iter().flat_map(|part| parts(part, registry))).collect()
}

/// A name from outside: cut to a length that fits a sentence, and without control characters, which a terminal would
/// obey.
pub(crate) fn shown(name: &str) -> String {
    const CHARS_MAX: usize = 64;
    let mut characters = name.escape_debug();
    let mut text: String = characters.by_ref().take(CHARS_MAX).collect();
    if characters.next().is_some() {
        text.push('…');
    }
    text
}
