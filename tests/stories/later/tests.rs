use serde_json::json;

use super::{grow, schema_of_answer};

#[test]
fn what_may_grow_has_grown_and_nothing_else() {
    let document = json!({
        "paths": {
            "/things": { "get": { "responses": {
                "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Page" } } } },
                "4XX": { "content": { "application/json": { "schema": { "type": "object" } } } },
            } } },
            "/things/{id}": { "post": { "responses": {} } },
        },
        "components": { "schemas": {
            "Page": { "properties": { "items": { "type": "array", "items": { "$ref": "#/components/schemas/Thing" } } } },
            "Thing": { "properties": {
                "id": { "type": "string" },
                "kind": { "allOf": [{ "$ref": "#/components/schemas/Kind" }], "description": "What it is." },
                "labels": { "type": "object", "additionalProperties": { "type": "string" } },
            } },
            "Kind": { "type": "string", "x-extensible-enum": ["a"] },
        } },
    });
    let mut answer = json!({ "items": [{ "id": "1", "kind": "a", "labels": { "kind": "a" } }] });
    grow(&document, schema_of_answer(&document, "GET", "/things", 200).unwrap(), &mut answer);
    let new = json!({ "holds": ["something", 1, null] });
    let thing =
        json!({ "id": "1", "kind": "of_tomorrow", "labels": { "kind": "a" }, "field_of_tomorrow": new });
    assert_eq!(answer, json!({ "items": [thing], "field_of_tomorrow": new }));

    assert!(schema_of_answer(&document, "GET", "/things", 404).is_some());
    for (method, path, status) in
        [("GET", "/things", 500), ("GET", "/thing", 200), ("POST", "/things/1", 200)]
    {
        assert_eq!(schema_of_answer(&document, method, path, status), None, "{path}");
    }
}
