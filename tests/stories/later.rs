//! What an answer of today looks like from a gateway of tomorrow, as far as the document lets it grow.

use serde_json::{Value, json};

/// The word that no client of today has heard of.
const WORD: &str = "of_tomorrow";

/// Puts a new word wherever a list of words may grow, and a new field into every object that has named fields.
pub(super) fn grow(document: &Value, schema: &Value, value: &mut Value) {
    let schema = resolve(document, schema);
    if schema.get("x-extensible-enum").is_some() {
        *value = json!(WORD);
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| grow(document, &schema["items"], item)),
        Value::Object(fields) => {
            let named = schema["properties"].as_object();
            for (name, field) in &mut *fields {
                let of_field = named.and_then(|named| named.get(name));
                grow(document, of_field.unwrap_or(&schema["additionalProperties"]), field);
            }
            if named.is_some() {
                fields.insert("field_of_tomorrow".to_owned(), json!({ "holds": ["something", 1, null] }));
            }
        }
        _ => {}
    }
}

/// Follows references, also those that have a description beside them.
fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")).and_then(Value::as_str);
    let named = reference.and_then(|reference| document.pointer(reference.strip_prefix('#')?));
    named.map_or(schema, |named| resolve(document, named))
}

/// The schema of the JSON that an operation answers with, if the document has the operation and its answer is JSON.
pub(super) fn schema_of_answer<'a>(
    document: &'a Value,
    method: &str,
    path: &str,
    status: u16,
) -> Option<&'a Value> {
    let fits = |template: &str| {
        let mut parts = path.split('/');
        template
            .split('/')
            .all(|wanted| parts.next().is_some_and(|part| wanted.starts_with('{') || wanted == part))
            && parts.next().is_none()
    };
    let (_, operations) = document["paths"].as_object()?.iter().find(|(template, _)| fits(template))?;
    let answers = &operations[method.to_lowercase()]["responses"];
    let answer = answers.get(status.to_string()).or_else(|| answers.get(format!("{}XX", status / 100)))?;
    answer["content"]["application/json"].get("schema")
}

#[cfg(test)]
mod tests;
