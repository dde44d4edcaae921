use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ConvertError, SCHEMA, convert_to_v2_1};
use crate::{
    Format, scan,
    testing::{BACKUP, NO_INFO, V1, WRAPPED, collections, corpus},
    to_value,
};

fn value(bytes: &[u8]) -> Value {
    to_value(bytes).unwrap()
}

fn converted(bytes: &[u8]) -> Value {
    convert_to_v2_1(value(bytes)).unwrap()
}

#[test]
fn parameters_of_authorization_become_a_list() {
    let backup = converted(BACKUP);
    assert_eq!(backup["info"]["schema"], SCHEMA);
    let list = json!([
        { "key": "value", "value": "{{api-key}}", "type": "string" },
        { "key": "key", "value": "X-Auth", "type": "string" },
    ]);
    assert_eq!(backup["auth"], json!({ "type": "apikey", "apikey": list }));
    let list = json!([
        { "key": "accessToken", "value": "{{token}}", "type": "string" },
        { "key": "addTokenTo", "value": "header", "type": "string" },
        { "key": "ttl", "value": 60, "type": "number" },
    ]);
    assert_eq!(backup["item"][0]["item"][1]["request"]["auth"], json!({ "type": "oauth2", "oauth2": list }));
    assert_eq!(backup["item"][1]["item"][0]["auth"], json!({ "type": "noauth" }));

    // Nothing else is different.
    let mut expected = value(BACKUP);
    expected["info"]["schema"] = json!(SCHEMA);
    expected["auth"] = backup["auth"].clone();
    expected["item"][0]["item"][1]["request"]["auth"] =
        backup["item"][0]["item"][1]["request"]["auth"].clone();
    assert_eq!(backup, expected);
}

#[test]
fn what_is_v2_1_stays_as_it_is() {
    assert_eq!(converted(WRAPPED), value(WRAPPED));
}

#[test]
fn what_has_no_info_gets_one() {
    let old = converted(NO_INFO);
    assert_eq!(old["info"], json!({ "name": "Inherited Entities", "schema": SCHEMA }));
    assert_eq!(old.get("name"), None);
    assert_eq!(old["auth"], value(NO_INFO)["auth"]);
    assert_eq!(old["item"], value(NO_INFO)["item"]);
}

#[test]
fn early_names_become_those_of_today() {
    let early = json!({
        "variables": [1],
        "info": { "name": "a" },
        "item": [{ "name": "b", "events": [], "request": { "headers": [], "url": { "variables": [2] } }, "responses": [] }]
    });
    let today = json!({
        "info": { "name": "a", "schema": SCHEMA },
        "variable": [1],
        "item": [{ "name": "b", "event": [], "request": { "header": [], "url": { "variable": [2] } }, "response": [] }]
    });
    assert_eq!(convert_to_v2_1(early).unwrap(), today);
}

#[test]
fn v1_becomes_a_tree() {
    let old = converted(V1);
    let expected = json!({
        "info": { "_postman_id": "e5f2e9cf-173b-c60a-7336-ac804a87d762", "name": "Old times",
            "description": "Saved long ago", "schema": SCHEMA },
        "item": [
            { "name": "F1", "id": "5b5b57f0-0b87-42d6-8268-e1550e13e1f0", "description": "first", "item": [
                { "name": "F2", "id": "b8b259fc-5e88-4aac-88b3-1adf205f7af2", "description": "", "item": [
                    { "name": "Form", "id": "f78296f9-baf2-446b-8450-fe6b982ba784", "request": {
                        "method": "PUT", "header": [],
                        "body": { "mode": "formdata",
                            "formdata": [{ "key": "file", "value": "a.png", "type": "file", "disabled": true }] },
                        "url": "https://example.com/form" }, "response": [] }
                ] },
                { "name": "Raw", "id": "73d22bec-5403-4fc8-bd1b-f5ec237c5d16",
                    "event": [
                        { "listen": "prerequest", "script": { "type": "text/javascript", "exec": ["var a = 1;", "var b = 2;"] } },
                        { "listen": "test", "script": { "type": "text/javascript", "exec": ["tests[\"ok\"] = true;"] } }
                    ],
                    "request": raw_request(),
                    "response": [{ "id": "4b1a", "name": "Fine", "originalRequest": raw_request(), "status": "OK", "code": 200,
                        "_postman_previewlanguage": "json", "header": [{ "key": "Content-Type", "value": "application/json" }],
                        "responseTime": 12, "body": "{}" }] }
            ] },
            { "name": "Top", "id": "b7b3ea2c-85e1-43bb-99e4-bb0a7b3bdfe1", "request": {
                "method": "GET", "header": [], "url": "https://example.com/get" }, "response": [] }
        ]
    });
    assert_eq!(old, expected);
}

fn raw_request() -> Value {
    json!({
        "auth": { "type": "basic", "basic": [
            { "key": "username", "value": "shop", "type": "string" },
            { "key": "password", "value": "{{password}}", "type": "string" }
        ] },
        "method": "POST",
        "header": [
            { "key": "Accept", "value": "application/json" },
            { "key": "X-Off", "value": "1", "disabled": true }
        ],
        "body": { "mode": "raw", "raw": "{\"a\": 1}" },
        "url": { "raw": "https://example.com/raw/:id", "protocol": "https", "host": ["example", "com"],
            "path": ["raw", ":id"], "variable": [{ "key": "id", "value": "7" }] }
    })
}

#[test]
fn nothing_of_v1_is_lost_that_no_list_names() {
    let request = |id: &str| json!({ "id": id, "name": id, "url": "x" });
    let folders = json!([
        { "id": "a", "name": "a", "order": ["1", "1", "gone"], "folders_order": ["b"] },
        { "id": "b", "name": "b", "order": [], "folders_order": ["a", "b"] },
    ]);
    let old =
        json!({ "name": "v1", "order": [], "folders": folders, "requests": [request("1"), request("2")] });
    let new = convert_to_v2_1(old).unwrap().to_string();
    let counts = scan(new.as_bytes()).unwrap().summary.counts;
    assert_eq!((counts.folders, counts.requests), (2, 2), "{new}");
}

#[test]
fn a_chain_of_folders_does_not_get_too_deep() {
    let folders: Vec<Value> = (0..2000)
        .map(|at: u32| json!({ "id": at.to_string(), "name": "f", "folders_order": [(at + 1).to_string()] }))
        .collect();
    let new =
        convert_to_v2_1(json!({ "order": [], "folders_order": ["0"], "folders": folders, "requests": [] }));
    assert_eq!(scan(new.unwrap().to_string().as_bytes()).unwrap().summary.counts.folders, 2000);
}

#[test]
fn what_is_none_is_an_error() {
    for none in [json!([]), json!(null), json!({}), json!({ "item": {} }), json!({ "collection": {} })] {
        assert_eq!(convert_to_v2_1(none), Err(ConvertError::NoCollection));
    }
}

/// Every real collection keeps all of its parts, and a second conversion changes nothing.
#[test]
fn every_real_collection_is_converted() {
    for (name, bytes) in corpus() {
        if name == "empty" {
            continue;
        }
        let new = converted(&bytes);
        let old = scan(&bytes).unwrap().summary;
        let summary = scan(new.to_string().as_bytes()).unwrap().summary;
        assert_eq!(summary.format, Format::V2_1, "{name}");
        assert_eq!((&summary.id, &summary.name, summary.counts), (&old.id, &old.name, old.counts), "{name}");
        assert_eq!(convert_to_v2_1(new.clone()).unwrap(), new, "{name}");
    }
}

/// The same collection in both formats: our own, and that of Postman's converter if the corpus is there.
#[test]
fn it_means_what_the_same_collection_says_in_v2_1() {
    let corpus = corpus();
    let find = |version: &str| {
        let files = corpus.iter().filter(|(name, _)| name.contains(&format!("{version}-helpers")));
        files.map(|(_, bytes)| &bytes[..]).collect::<Vec<_>>()
    };
    let (olds, news) = (find("v2.0.0"), find("v2.1.0"));
    assert!(!olds.is_empty() && olds.len() == news.len());
    for (old, new) in olds.into_iter().zip(news) {
        check_meaning(&converted(old), &value(new));
    }
}

#[track_caller]
fn check_meaning(ours: &Value, theirs: &Value) {
    assert_eq!(ours["info"]["schema"], theirs["info"]["schema"]);
    let items = |value: &Value| value["item"].as_array().unwrap().clone();
    assert_eq!(items(ours).len(), items(theirs).len());
    for (ours, theirs) in items(ours).iter().zip(&items(theirs)) {
        // The second file has names of early days and addresses as text.
        assert_eq!(ours["event"], *theirs.get("events").unwrap_or(&theirs["event"]));
        let (ours, theirs) = (&ours["request"], &theirs["request"]);
        assert_eq!(ours["method"], theirs["method"]);
        assert_eq!(ours["body"], theirs["body"]);
        assert_eq!(ours["url"].get("raw").unwrap_or(&ours["url"]), &theirs["url"]);
        assert_eq!(ours["auth"]["type"], theirs["auth"]["type"]);
        let kind = ours["auth"]["type"].as_str().unwrap();
        let parameters = |request: &Value| -> Vec<(Value, Value)> {
            let list = request["auth"][kind].as_array().unwrap().iter();
            let list = list.map(|parameter| (parameter["key"].clone(), parameter["value"].clone()));
            // These say how and when one request is signed; the second file was saved at another time.
            let passing =
                ["timestamp", "nonce", "addParamsToHeader", "addEmptyParamsToSign", "encodeOAuthSign"];
            list.filter(|(key, _)| kind != "oauth1" || !passing.contains(&key.as_str().unwrap())).collect()
        };
        assert_eq!(parameters(ours), parameters(theirs));
        assert!(!parameters(ours).is_empty());
    }
}

proptest! {
    #[test]
    fn only_authorization_and_the_schema_differ(collection in collections()) {
        let Ok(new) = convert_to_v2_1(collection.clone()) else {
            prop_assert!(!collection.get("item").is_some_and(Value::is_array));
            return Ok(());
        };
        let count = |value: &Value| scan(value.to_string().as_bytes()).unwrap().summary.counts;
        prop_assert_eq!(count(&collection), count(&new));
        prop_assert_eq!(&new["info"]["schema"], &json!(SCHEMA));
        prop_assert_eq!(convert_to_v2_1(new.clone()).unwrap(), new);
    }
}
