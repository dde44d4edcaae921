use serde_json::json;

use super::*;

/// Whether the value at `keys` below a plugin's settings may be shown by `schema`; `[]` is an item.
#[track_caller]
fn check(schema: Value, keys: &str, is_shown: bool) {
    let root = Described::by([&schema]);
    let found = keys.split('.').fold(root, |at, key| match key {
        "[]" => at?.item(),
        key => at?.entry(key),
    });
    assert_eq!(found.is_some(), is_shown, "{keys} by {schema}");
}

#[test]
fn what_a_property_describes_is_shown() {
    let text = json!({ "type": "string" });
    check(json!({ "properties": { "a": text } }), "a", true);
    check(json!({ "properties": { "a": { "properties": { "b": text } } } }), "a.b", true);
    check(json!({ "properties": { "a": { "additionalProperties": text } } }), "a.b", true);
    check(json!({ "properties": { "a": { "items": text } } }), "a.[]", true);
    check(json!({ "properties": { "a": { "type": "string", "oneOf": [{ "const": "b" }] } } }), "a", true);
    check(json!({ "oneOf": [{ "properties": { "a": text } }, { "properties": { "b": text } }] }), "a", true);
    check(json!({ "properties": { "a": text }, "unevaluatedProperties": false }), "a", true);
    check(json!({ "$defs": { "T": { "writeOnly": true } }, "properties": { "a": text } }), "a", true);
    check(json!({ "properties": { "a": { "writeOnly": false } } }), "a", true);
}

#[test]
fn what_nothing_describes_is_hidden() {
    for schema in [
        json!({}),
        json!(true),
        json!(5),
        json!({ "properties": { "b": { "type": "string" } } }),
        json!({ "properties": { "a": true } }),
        json!({ "properties": { "a": {} } }),
        json!({ "properties": { "a": "string" } }),
        json!({ "properties": 5 }),
        json!({ "type": "object", "additionalProperties": true }),
    ] {
        check(schema, "a", false);
    }
    check(json!({ "properties": { "a": { "type": "object" } } }), "a.b", false);
    check(json!({ "properties": { "a": { "type": "array" } } }), "a.[]", false);
}

#[test]
fn what_is_marked_or_may_be_is_hidden_with_all_below_it() {
    let (text, secret) = (json!({ "type": "string" }), json!({ "writeOnly": true }));
    for of_a in [
        secret.clone(),
        json!({ "writeOnly": true, "type": "object", "properties": { "b": text } }),
        json!({ "writeOnly": "yes", "properties": { "b": text } }),
        json!({ "$ref": "#/$defs/T", "properties": { "b": text } }),
        json!({ "anyOf": [{ "$ref": "#/$defs/T" }, { "properties": { "b": text } }] }),
        json!({ "properties": { "b": text }, "allOf": [{ "anyOf": [{ "properties": { "b": secret } }] }] }),
        json!({ "properties": { "b": text }, "oneOf": [{ "additionalProperties": secret }] }),
        json!({ "properties": { "b": text }, "patternProperties": { "^b": secret } }),
        json!({ "properties": { "b": text }, "then": { "properties": { "b": secret } } }),
        json!({ "properties": { "b": text }, "anyOf": { "0": secret } }),
    ] {
        check(json!({ "properties": { "a": of_a } }), "a.b", false);
    }
    check(json!({ "properties": { "a": { "items": [text] } } }), "a.[]", false);
    check(json!({ "properties": { "a": { "items": text, "prefixItems": [secret] } } }), "a.[]", false);
    check(json!({ "writeOnly": true, "properties": { "a": text } }), "a", false);
}
