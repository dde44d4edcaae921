use serde_json::{Value, json};

use super::compare;

#[track_caller]
fn check(present: Value, version: Value, summary: &str) {
    let collection = |url: Value| {
        let schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
        let item = json!({ "name": "Get", "request": { "method": "GET", "url": url } });
        json!({ "collection": { "info": { "name": "Shop", "schema": schema }, "item": [item] } }).to_string()
    };
    let diff = compare(collection(present).as_bytes(), collection(version).as_bytes()).unwrap();
    assert_eq!(diff.summary(), summary);
}

#[test]
fn an_address_in_pieces_is_the_same_as_its_text() {
    let text = json!("https://x.example/a?b=1");
    let pieces = json!({
        "raw": "https://x.example/a?b=1", "protocol": "https", "host": ["x", "example"], "path": ["a"],
        "query": [{ "key": "b", "value": "1", "disabled": false, "description": null }]
    });
    check(pieces.clone(), text.clone(), "no changes");
    check(text, pieces, "no changes");
}

#[test]
fn what_no_text_says_is_a_change() {
    for pieces in [
        json!({ "raw": "https://x.example/a", "query": [{ "key": "b", "value": "1", "disabled": true }] }),
        json!({ "raw": "https://x.example/a", "query": [{ "key": "b", "description": "what it is" }] }),
        json!({ "raw": "https://x.example/a", "variable": [{ "key": "a", "value": "1" }] }),
        json!({ "raw": "https://x.example/b" }),
    ] {
        check(pieces, json!("https://x.example/a"), "1 request changed");
    }
}
