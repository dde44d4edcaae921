//! Looks whether something is a JSON Schema 2020-12: whether each of its words has a value that it can have.
//!
//! A word that JSON Schema does not know is no fault, for it passes over those too.

use serde_json::{Map, Value};

use super::{below, fault};
use crate::config_fault::ConfigFault;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

/// What a word of JSON Schema says.
#[derive(Debug, Clone, Copy)]
enum Form {
    Flag,
    Text,
    /// Texts, each once.
    Texts,
    /// A list of texts for each of some names.
    NamedTexts,
    Count,
    Number,
    AboveZero,
    List,
    Type,
    Dialect,
    Reference,
    Schema,
    Schemas,
    NamedSchemas,
}

const WORDS: [(&str, Form); 54] = [
    ("$schema", Form::Dialect),
    ("$id", Form::Text),
    ("$anchor", Form::Text),
    ("$dynamicAnchor", Form::Text),
    ("$ref", Form::Reference),
    ("$dynamicRef", Form::Text),
    ("$comment", Form::Text),
    ("$defs", Form::NamedSchemas),
    ("title", Form::Text),
    ("description", Form::Text),
    ("deprecated", Form::Flag),
    ("readOnly", Form::Flag),
    ("writeOnly", Form::Flag),
    ("examples", Form::List),
    ("type", Form::Type),
    ("enum", Form::List),
    ("format", Form::Text),
    ("multipleOf", Form::AboveZero),
    ("minimum", Form::Number),
    ("maximum", Form::Number),
    ("exclusiveMinimum", Form::Number),
    ("exclusiveMaximum", Form::Number),
    ("minLength", Form::Count),
    ("maxLength", Form::Count),
    ("pattern", Form::Text),
    ("contentEncoding", Form::Text),
    ("contentMediaType", Form::Text),
    ("contentSchema", Form::Schema),
    ("minItems", Form::Count),
    ("maxItems", Form::Count),
    ("uniqueItems", Form::Flag),
    ("minContains", Form::Count),
    ("maxContains", Form::Count),
    ("contains", Form::Schema),
    ("items", Form::Schema),
    ("prefixItems", Form::Schemas),
    ("unevaluatedItems", Form::Schema),
    ("minProperties", Form::Count),
    ("maxProperties", Form::Count),
    ("required", Form::Texts),
    ("dependentRequired", Form::NamedTexts),
    ("properties", Form::NamedSchemas),
    ("patternProperties", Form::NamedSchemas),
    ("dependentSchemas", Form::NamedSchemas),
    ("propertyNames", Form::Schema),
    ("additionalProperties", Form::Schema),
    ("unevaluatedProperties", Form::Schema),
    ("allOf", Form::Schemas),
    ("anyOf", Form::Schemas),
    ("oneOf", Form::Schemas),
    ("not", Form::Schema),
    ("if", Form::Schema),
    ("then", Form::Schema),
    ("else", Form::Schema),
];

/// What keeps `schema` from being one; empty when it is. The paths lead into the schema.
pub(crate) fn form_faults(schema: &Value) -> Vec<ConfigFault> {
    let mut forms = Forms { root: schema, faults: Vec::new() };
    forms.schema(schema, "");
    forms.faults
}

struct Forms<'a> {
    root: &'a Value,
    faults: Vec<ConfigFault>,
}

impl Forms<'_> {
    fn schema(&mut self, schema: &Value, path: &str) {
        match schema {
            Value::Object(members) => {
                for (word, form) in WORDS {
                    if let Some(value) = members.get(word) {
                        self.word(value, form, &below(path, word));
                    }
                }
            }
            Value::Bool(_) => {}
            _ => self.add(path, "expected a schema: an object, true or false"),
        }
    }

    fn word(&mut self, value: &Value, form: Form, path: &str) {
        let expected = match form {
            Form::Schema => return self.schema(value, path),
            Form::Schemas => return self.schemas(value, path),
            Form::NamedSchemas => return self.named(value, path, Self::schema),
            Form::NamedTexts => {
                return self.named(value, path, |forms, value, path| forms.word(value, Form::Texts, path));
            }
            Form::Flag if !value.is_boolean() => "true or false",
            Form::Text | Form::Reference if !value.is_string() => "a text",
            Form::Texts if !are_texts_each_once(value) => "a list of texts, each once",
            Form::Count if !is_count(value) => "a whole number from 0",
            Form::Number if !value.is_number() => "a number",
            Form::AboveZero if value.as_f64().is_none_or(|number| number <= 0.0) => "a number above 0",
            Form::List if !value.is_array() => "a list",
            Form::Type if !is_type(value) => {
                "one of null, boolean, integer, number, string, array and object, or a list of them"
            }
            Form::Dialect if value.as_str().is_none_or(|text| text.trim_end_matches('#') != DIALECT) => {
                return self.add(path, &format!("expected {DIALECT:?}"));
            }
            Form::Reference if self.leads_nowhere(value) => {
                return self.add(path, &format!("{value} leads nowhere"));
            }
            _ => return,
        };
        self.add(path, &format!("expected {expected}"));
    }

    fn schemas(&mut self, value: &Value, path: &str) {
        match value.as_array().map(Vec::as_slice) {
            None | Some([]) => self.add(path, "expected a list of schemas that is not empty"),
            Some(schemas) => {
                for (index, schema) in schemas.iter().enumerate() {
                    self.schema(schema, &below(path, &index.to_string()));
                }
            }
        }
    }

    fn named(&mut self, value: &Value, path: &str, each: fn(&mut Self, &Value, &str)) {
        let Some(members) = value.as_object() else { return self.add(path, "expected an object") };
        for (name, member) in members {
            each(self, member, &below(path, name));
        }
    }

    /// Whether a reference is to a place in the whole, and nothing is there. What is elsewhere cannot be looked at.
    fn leads_nowhere(&self, reference: &Value) -> bool {
        let place = reference.as_str().and_then(|text| text.strip_prefix('#'));
        let place = place.filter(|place| place.starts_with('/') && !place.contains('%'));
        place.is_some_and(|place| self.root.pointer(place).is_none())
    }

    fn add(&mut self, path: &str, message: &str) {
        self.faults.push(fault(path, message));
    }
}

fn is_type(value: &Value) -> bool {
    let is_name = |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
    match value {
        Value::Array(names) => !names.is_empty() && are_texts_each_once(value) && names.iter().all(is_name),
        _ => is_name(value),
    }
}

fn is_count(value: &Value) -> bool {
    value.is_u64() || value.as_f64().is_some_and(|number| number >= 0.0 && number.fract() == 0.0)
}

fn are_texts_each_once(value: &Value) -> bool {
    let Some(texts) = value.as_array() else { return false };
    let mut seen = Map::new();
    texts
        .iter()
        .all(|text| text.as_str().is_some_and(|text| seen.insert(text.to_owned(), Value::Null).is_none()))
}

#[cfg(test)]
mod tests;
