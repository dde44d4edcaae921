use serde_json::json;

use super::*;

#[track_caller]
fn said(schema: &Value, expected: &[&str]) {
    let said: Vec<String> = form_faults(schema).iter().map(ToString::to_string).collect();
    assert_eq!(said, expected, "{schema}");
}

#[test]
fn a_schema_with_every_word_is_one() {
    said(
        &json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "x", "$comment": "", "title": "A",
            "$defs": { "name": { "type": "string", "minLength": 1, "maxLength": 80.0, "pattern": "^a" } },
            "type": ["object", "null"], "properties": {
                "name": { "$ref": "#/$defs/name" }, "other": { "$ref": "https://example.com/schema#/no/where" },
                "list": { "items": { "enum": [1, "a", null] }, "prefixItems": [true], "uniqueItems": true },
                "number": { "exclusiveMinimum": -1.5, "multipleOf": 0.5, "default": [] },
            },
            "required": ["name"], "dependentRequired": { "a": ["b", "c"] }, "additionalProperties": false,
            "oneOf": [{}, { "const": null }], "if": {}, "then": true, "x-of-somebody": 7,
        }),
        &[],
    );
    said(&json!(true), &[]);
}

#[test]
fn a_word_with_a_value_that_it_cannot_have_is_told_with_its_place() {
    let types = "one of null, boolean, integer, number, string, array and object, or a list of them";
    for (schema, expected) in [
        (json!("string"), "expected a schema: an object, true or false"),
        (json!({ "type": "text" }), &*format!("/type: expected {types}")),
        (json!({ "type": [] }), &*format!("/type: expected {types}")),
        (json!({ "type": ["string", "string"] }), &*format!("/type: expected {types}")),
        (json!({ "required": true }), "/required: expected a list of texts, each once"),
        (json!({ "required": ["a", "a"] }), "/required: expected a list of texts, each once"),
        (
            json!({ "dependentRequired": { "a": "b" } }),
            "/dependentRequired/a: expected a list of texts, each once",
        ),
        (json!({ "minimum": "1" }), "/minimum: expected a number"),
        (json!({ "exclusiveMaximum": true }), "/exclusiveMaximum: expected a number"),
        (json!({ "multipleOf": 0 }), "/multipleOf: expected a number above 0"),
        (json!({ "minLength": -1 }), "/minLength: expected a whole number from 0"),
        (json!({ "maxItems": 1.5 }), "/maxItems: expected a whole number from 0"),
        (json!({ "title": 7 }), "/title: expected a text"),
        (json!({ "writeOnly": "true" }), "/writeOnly: expected true or false"),
        (json!({ "enum": "a" }), "/enum: expected a list"),
        (json!({ "anyOf": [] }), "/anyOf: expected a list of schemas that is not empty"),
        (json!({ "allOf": {} }), "/allOf: expected a list of schemas that is not empty"),
        (json!({ "items": [{}] }), "/items: expected a schema: an object, true or false"),
        (json!({ "properties": [] }), "/properties: expected an object"),
        (
            json!({ "properties": { "a/b": { "items": { "type": 7 } } } }),
            &*format!("/properties/a~1b/items/type: expected {types}"),
        ),
        (json!({ "$ref": "#/$defs/nothing" }), "/$ref: \"#/$defs/nothing\" leads nowhere"),
        (json!({ "$ref": 7 }), "/$ref: expected a text"),
        (
            json!({ "$schema": "http://json-schema.org/draft-07/schema#" }),
            "/$schema: expected \"https://json-schema.org/draft/2020-12/schema\"",
        ),
    ] {
        said(&schema, &[expected]);
    }
}
