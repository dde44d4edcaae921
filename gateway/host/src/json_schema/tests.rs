use serde_json::json;

use super::*;

fn said(value: &Value, schema: &Value) -> Vec<String> {
    faults(value, schema).iter().map(ToString::to_string).collect()
}

#[track_caller]
fn fits(schema: Value, values: impl IntoIterator<Item = Value>) {
    for value in values {
        assert_eq!(said(&value, &schema), Vec::<String>::new(), "{value} and {schema}");
    }
}

#[track_caller]
fn refused(schema: Value, value: Value, expected: &[&str]) {
    assert_eq!(said(&value, &schema), expected, "{value} and {schema}");
}

#[test]
fn types_are_told_apart() {
    fits(json!({ "type": "integer" }), [json!(7), json!(-7), json!(7.0)]);
    fits(json!({ "type": ["string", "null"] }), [json!("a"), json!(null)]);
    fits(json!({ "type": "number" }), [json!(7.5)]);
    fits(json!({}), [json!(null), json!([])]);
    fits(json!(true), [json!(1)]);
    fits(json!({ "type": "camel" }), [json!(1)]);
    refused(json!({ "type": "integer" }), json!(7.5), &["expected a whole number"]);
    refused(json!({ "type": ["string", "null"] }), json!(1), &["expected a text or null"]);
    refused(json!({ "type": "object" }), json!([]), &["expected an object"]);
    refused(json!(false), json!(1), &["is not taken here"]);
}

#[test]
fn members_are_required_known_and_looked_into() {
    let schema = json!({
        "type": "object",
        "properties": { "a/b": { "type": "string" }, "list": { "items": { "minimum": 3 }, "maxItems": 2 } },
        "required": ["a/b"],
        "additionalProperties": false,
    });
    fits(schema.clone(), [json!({ "a/b": "" }), json!({ "a/b": "", "list": [3, 4] })]);
    refused(schema.clone(), json!({}), &["/a~1b: is missing"]);
    refused(schema.clone(), json!({ "a/b": 1 }), &["/a~1b: expected a text"]);
    refused(schema.clone(), json!({ "a/b": "", "c": 1 }), &["/c: there is no such member"]);
    let many = json!({ "a/b": "", "list": [3, 4, 2] });
    refused(schema, many, &["/list: expected at most 2 items", "/list/2: expected at least 3"]);
    let open = json!({ "additionalProperties": { "type": "boolean" } });
    refused(open, json!({ "x": true, "y": 1 }), &["/y: expected true or false"]);
    let patterns = json!({ "patternProperties": { "^x-": {} }, "additionalProperties": false });
    fits(patterns, [json!({ "x-a": 1 })]);
}

#[test]
fn words_bounds_and_lengths_hold() {
    refused(json!({ "enum": ["fs", "s3"] }), json!("tape"), &["expected one of \"fs\", \"s3\""]);
    refused(json!({ "const": 1 }), json!(2), &["expected 1"]);
    refused(json!({ "exclusiveMinimum": 0, "maximum": 5 }), json!(0), &["expected more than 0"]);
    refused(json!({ "exclusiveMaximum": 5 }), json!(5), &["expected less than 5"]);
    refused(json!({ "minLength": 2, "maxLength": 3 }), json!("ä"), &["expected at least 2 characters"]);
    refused(json!({ "maxLength": 3 }), json!("abcd"), &["expected at most 3 characters"]);
    refused(json!({ "minItems": 1 }), json!([]), &["expected at least 1 items"]);
}

#[test]
fn forms_are_combined() {
    let number_or_text = json!([{ "type": "number" }, { "type": "string" }]);
    fits(json!({ "anyOf": number_or_text }), [json!(1), json!("a")]);
    refused(json!({ "anyOf": number_or_text }), json!(null), &["fits none of the forms that it may have"]);
    fits(json!({ "oneOf": number_or_text }), [json!(1)]);
    refused(json!({ "oneOf": [{}, {}] }), json!(1), &["fits more than one of the forms that it may have"]);
    refused(json!({ "allOf": [{ "minimum": 1 }, { "maximum": 3 }] }), json!(4), &["expected at most 3"]);
    refused(json!({ "not": { "type": "null" } }), json!(null), &["has a form that it may not have"]);
}

/// What is all wrong is told in part, and long words are cut.
#[test]
fn what_is_told_is_bounded() {
    let many = Value::from_iter(0..1000);
    assert_eq!(faults(&many, &json!({ "items": { "type": "string" } })).len(), FAULTS_MAX);
    let long = "a".repeat(100_000);
    let words: Vec<_> = (0..1000).map(|number| format!("{number}{long}")).collect();
    let schema = json!({ "additionalProperties": { "enum": words } });
    let [said] = &said(&json!({ long: 1 }), &schema)[..] else { panic!("one fault") };
    assert!(said.starts_with("/aaa") && said.contains("…: expected one of \"0aaa"), "{said}");
    assert!(said.len() < (WORDS_MAX + 2) * (SHOWN_CHARS_MAX + 8), "{} bytes", said.len());
}

/// Without a bound the last of these take from minutes to hours.
#[test]
fn what_would_take_too_long_is_refused() {
    let numbers = |to: usize| Value::from_iter(0..to);
    let text = |end: usize| format!("{}{end:04}", "a".repeat(60_000));
    let texts = Value::from_iter((0..100).map(text));
    let other_texts: Vec<_> = (100..200).map(text).collect();
    let list = |last: usize| Value::from_iter((0..2_000).chain([last]));
    let lists = Value::from_iter((0..100).map(list));
    let other_lists: Vec<_> = (100..200).map(list).collect();
    let objects = Value::from_iter(vec![json!({ "a": 1 }); 1_000]);
    for (what, value, schema) in [
        ("schemas", numbers(20_000), json!({ "items": { "allOf": vec![json!({}); 1_000] } })),
        ("words", json!(vec![-1; 20_000]), json!({ "items": { "not": { "enum": numbers(40_000) } } })),
        ("texts", texts.clone(), json!({ "items": { "not": { "enum": other_texts } } })),
        ("lists", lists, json!({ "items": { "not": { "enum": other_lists } } })),
        ("lengths", texts, json!({ "items": { "allOf": vec![json!({ "minLength": 1 }); 100] } })),
        ("names", objects, json!({ "items": { "required": vec!["a"; 10_000] } })),
    ] {
        assert_eq!(said(&value, &schema), ["too much to be checked against the schema"], "{what}");
    }
    // Long keys are passed, and not written out.
    let key = "k".repeat(10_000);
    let deep = (0..100).fold(numbers(100_000), |value, _| json!({ key.clone(): value }));
    let schema = (0..100).fold(json!({ "items": {} }), |schema, _| json!({ "additionalProperties": schema }));
    fits(schema, [deep]);
}
