//! The schemas of the document as JSON Schema, closed: in a test, today's answers hold what the document names and
//! nothing else.

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

pub(super) struct Schemas(Value);

impl Schemas {
    /// Takes the schemas of a document.
    pub(super) fn of(document: &Value) -> Self {
        let mut components = document["components"].clone();
        let schemas = components["schemas"].as_object_mut().expect("a document has schemas");
        schemas.values_mut().for_each(close);
        Self(components)
    }

    /// What checks a value against `schema`, which may refer to the others.
    pub(super) fn validator(&self, schema: &Value) -> Validator {
        let whole = json!({"allOf": [schema], "components": self.0});
        jsonschema::options()
            // The schemas of OpenAPI 3.0 are those of this draft, but for words that say nothing about a value.
            .with_draft(Draft::Draft4)
            .should_validate_formats(true)
            .build(&whole)
            .expect("the schemas of the document are schemas")
    }
}

/// A client must take fields and words that come later; a test must not.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.contains_key("properties") && !object.contains_key("additionalProperties") {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
            // Beside a pattern the words are examples.
            if !object.contains_key("pattern")
                && let Some(words) = object.remove("x-extensible-enum")
            {
                object.insert("enum".to_owned(), words);
            }
            object.values_mut().for_each(close);
        }
        Value::Array(parts) => parts.iter_mut().for_each(close),
        _ => {}
    }
}
