use serde_json::{Value, json};

use super::finalize;

/// Finalizes a document with one operation and one schema, and compares the value at `pointer`.
#[track_caller]
fn check(operation: Value, schema: Value, pointer: &str, expected: Value) {
    let document = finalize(json!({
        "openapi": "3.0.0",
        "paths": {"/a": {"get": operation}},
        "x-used": {"$ref": "#/components/schemas/Thing"},
        "components": {"schemas": {"Thing": schema}},
    }));
    assert_eq!(document.pointer(pointer), Some(&expected), "{document:#}");
}

const SCHEMA: &str = "/components/schemas/Thing";

#[test]
fn the_version_is_one_that_generators_read() {
    check(json!({}), json!({}), "/openapi", json!("3.0.3"));
}

#[test]
fn media_types_lose_their_parameters() {
    check(
        json!({"responses": {"200": {"description": "x", "content": {"text/plain; version=0.0.4": {}, "a/b": {}}}}}),
        json!({}),
        "/paths/~1a/get/responses/200/content",
        json!({"text/plain": {}, "a/b": {}}),
    );
}

#[test]
fn bytes_may_have_any_media_type() {
    let bytes = json!({"schema": {"type": "string", "format": "binary"}});
    check(
        json!({"responses": {"200": {"description": "x", "content": {"application/octet-stream": bytes}}}}),
        json!({}),
        "/paths/~1a/get/responses/200/content",
        json!({"application/octet-stream": bytes, "*/*": {"schema": {}}}),
    );
}

#[test]
fn a_schema_that_nothing_refers_to_is_left_out() {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let document = finalize(json!({
        "openapi": "3.0.0",
        "paths": {"/a": {"get": {"responses": {"200": {"description": "x", "content": {
            "application/json": {"schema": reference("Used")}
        }}}}}},
        "components": {"schemas": {
            "Used": {"type": "object", "properties": {"inner": reference("Inner")}},
            "Inner": {"type": "object"},
            "Unused": {"type": "object", "properties": {"other": reference("OnlyOfUnused")}},
            "OnlyOfUnused": {"type": "object"},
        }},
    }));
    let kept: Vec<&String> = document["components"]["schemas"].as_object().unwrap().keys().collect();
    assert_eq!(kept, ["Used", "Inner"]);
}

#[test]
fn unsigned_numbers_become_signed_ones() {
    for (format, signed) in
        [("uint8", "int32"), ("uint16", "int32"), ("uint32", "int64"), ("uint64", "int64")]
    {
        check(
            json!({}),
            json!({"type": "integer", "format": format}),
            SCHEMA,
            json!({"type": "integer", "format": signed, "minimum": 0}),
        );
    }
    check(
        json!({}),
        json!({"type": "integer", "format": "uint32", "minimum": 1.0, "maximum": 500.0}),
        SCHEMA,
        json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": 500}),
    );
}

#[test]
fn signed_numbers_and_others_stay() {
    for schema in [
        json!({"type": "integer", "format": "int32"}),
        json!({"type": "number", "format": "double", "minimum": 1.5}),
        json!({"type": "string", "format": "uint32"}),
    ] {
        check(json!({}), schema.clone(), SCHEMA, schema);
    }
}

#[test]
fn a_described_reference_is_still_one_type() {
    check(
        json!({}),
        json!({"allOf": [{"$ref": "#/x"}, {"description": "d"}], "description": "d"}),
        SCHEMA,
        json!({"allOf": [{"$ref": "#/x"}], "description": "d"}),
    );
}

#[test]
fn an_enum_is_open_in_answers_and_closed_in_parameters() {
    let schema = json!({"type": "string", "enum": ["a", "b"]});
    let operation = json!({"parameters": [{"name": "p", "schema": {"$ref": "#/components/schemas/Thing"}}]});
    check(
        operation.clone(),
        schema.clone(),
        SCHEMA,
        json!({"type": "string", "x-extensible-enum": ["a", "b"]}),
    );
    check(operation, schema.clone(), "/paths/~1a/get/parameters/0/schema", schema);
}

#[test]
fn what_a_request_body_holds_is_closed_and_a_union_of_bodies_is_not() {
    let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}});
    let operation = json!({"requestBody": {"content": content}});
    let thing = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    check(operation.clone(), thing, "/components/schemas/Thing/additionalProperties", json!(false));
    let union = json!({"oneOf": [{"$ref": "#/components/schemas/Other"}]});
    check(operation, union.clone(), SCHEMA, union);
}

#[test]
fn an_operation_without_security_is_said_to_be_public() {
    check(json!({}), json!({}), "/paths/~1a/get/security", json!([]));
    check(json!({"security": [{"k": []}]}), json!({}), "/paths/~1a/get/security", json!([{"k": []}]));
}

#[test]
fn an_answer_is_described_by_what_it_holds() {
    let content =
        json!({"application/json; charset=utf-8": {"schema": {"$ref": "#/components/schemas/Thing"}}});
    let thing = json!({"type": "object", "description": "A thing."});
    let at = "/paths/~1a/get/responses/200/description";
    for (response, expected) in [
        (json!({"description": "", "content": content}), "A thing."),
        (json!({"description": ""}), "Get it"),
        (json!({"description": "Own."}), "Own."),
    ] {
        let operation = json!({"summary": "Get it", "responses": {"200": response}});
        check(operation, thing.clone(), at, json!(expected));
    }
}

#[test]
fn no_request_has_the_name_of_what_makes_something_in_go() {
    let document = finalize(json!({
        "openapi": "3.0.0",
        "paths": {"/a": {"get": {"requestBody": {"$ref": "#/components/schemas/NewThing"}}}},
        "x-used": [{"$ref": "#/components/schemas/Thing"}, {"$ref": "#/components/schemas/NewOther"}],
        "components": {"schemas": {"NewThing": {"a": 1}, "Thing": {"b": 2}, "NewOther": {"c": 3}}},
    }));
    assert_eq!(
        document["components"]["schemas"],
        json!({"ThingRequest": {"a": 1}, "Thing": {"b": 2}, "NewOther": {"c": 3}})
    );
    let reference = &document["paths"]["/a"]["get"]["requestBody"]["$ref"];
    assert_eq!(reference, "#/components/schemas/ThingRequest");
}

#[test]
fn answers_to_what_only_reads_have_a_tag() {
    let answer = json!({"description": "x", "content": {"application/json": {}}});
    let document = finalize(json!({
        "paths": {
            "/api/v1/a": {"get": {"responses": {"200": answer}}, "post": {"responses": {"200": answer}}},
            "/api/v1/b": {"post": {"responses": {"200": answer}}},
            "/b": {"get": {"responses": {"200": answer}}},
        },
        "components": {"schemas": {}},
    }));
    let tag = |path: &str| document.pointer(&format!("/paths/{path}/responses/200/headers/ETag/schema/type"));
    assert_eq!(tag("~1api~1v1~1a/get"), Some(&json!("string")));
    assert_eq!([tag("~1api~1v1~1a/post"), tag("~1api~1v1~1b/post"), tag("~1b/get")], [None; 3]);
    assert_eq!(document["paths"]["/api/v1/b"].get("get"), None);
}
