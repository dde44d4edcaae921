use proptest::prelude::*;
use serde_json::{Value, json};

use super::without_ids;
use crate::{
    scan,
    testing::{WRAPPED, collections},
};

#[test]
fn ids_go_and_names_stay() {
    let mut value = json!({
        "info": { "_postman_id": "1", "uid": "2", "name": "a", "updatedAt": "t" },
        "item": [{ "id": "3", "uid": "4", "_": { "postman_id": "5" }, "name": "b", "item": [{
            "id": "6",
            "request": { "method": "GET", "url": { "raw": "x", "variable": [{ "id": "7", "key": "k" }] } },
            "response": [{ "id": "8", "_postman_id": "9", "responseTime": 10, "body": "{\"id\": 1}" }],
            "event": [{ "id": "11", "listen": "test", "script": { "id": "12", "exec": [] } }]
        }] }],
        "variable": [{ "id": "13", "key": "k", "value": "v" }, { "id": "name", "value": "v" }]
    });
    without_ids(&mut value);
    let expected = json!({
        "info": { "name": "a", "updatedAt": "t" },
        "item": [{ "_": {}, "name": "b", "item": [{
            "request": { "method": "GET", "url": { "raw": "x", "variable": [{ "key": "k" }] } },
            "response": [{ "responseTime": 10, "body": "{\"id\": 1}" }],
            "event": [{ "listen": "test", "script": { "exec": [] } }]
        }] }],
        "variable": [{ "key": "k", "value": "v" }, { "id": "name", "value": "v" }]
    });
    assert_eq!(value, expected);
}

#[test]
fn a_wrapped_collection_loses_them_too() {
    let mut value: Value = serde_json::from_slice(WRAPPED).unwrap();
    without_ids(&mut value);
    let text = value.to_string();
    assert!(text.starts_with("{\"collection\":{"), "{text}");
    for id in ["\"id\"", "uid", "_postman_id"] {
        assert!(!text.contains(id), "{text}");
    }
}

proptest! {
    #[test]
    fn what_it_says_stays(collection in collections()) {
        let mut other = collection.clone();
        without_ids(&mut other);
        let canonical = |value: &Value| scan(value.to_string().as_bytes()).unwrap().canonical;
        prop_assert_eq!(canonical(&collection), canonical(&other));
    }
}
