use std::fs;

use serde_json::{Value, json};

use super::{admits, check, operations::breaks};
use crate::root;

fn document() -> Value {
    serde_json::from_str(&fs::read_to_string(root().join(super::TODAY)).unwrap()).unwrap()
}

/// Changes today's document, and expects exactly this to break.
#[track_caller]
fn broken(change: impl FnOnce(&mut Value), expected: &[&str]) {
    let (old, mut new) = (document(), document());
    change(&mut new);
    assert_eq!(breaks(&old, &new), expected);
}

/// The same, with the document that is changed as the older one.
#[track_caller]
fn broken_since(change: impl FnOnce(&mut Value), expected: &[&str]) {
    let (mut old, new) = (document(), document());
    change(&mut old);
    assert_eq!(breaks(&old, &new), expected);
}

fn remove(at: &mut Value, key: &str) {
    at.as_object_mut().unwrap().remove(key).unwrap();
}

const LIST: &str = "/api/v1/events";

#[test]
fn what_is_added_breaks_nothing() {
    broken(|_| {}, &[]);
    broken(
        |new| {
            new["paths"]["/api/v1/things"] = json!({"get": {"operationId": "listThings", "responses": {}}});
            new["paths"][LIST]["get"]["parameters"]
                .as_array_mut()
                .unwrap()
                .push(json!({"name": "n", "in": "query"}));
            new["components"]["schemas"]["Event"]["properties"]["more"] = json!({"type": "string"});
            new["components"]["schemas"]["Kind"]["x-extensible-enum"]
                .as_array_mut()
                .unwrap()
                .push(json!("new"));
            new["components"]["schemas"]["ReplayFilter"]["properties"]["more"] = json!({"type": "string"});
            new["info"]["version"] = json!("9.9.9");
        },
        &[],
    );
}

#[test]
fn what_callers_rely_on_is_missed() {
    broken(|new| remove(&mut new["paths"], "/health/live"), &["GET /health/live: is gone"]);
    broken(
        |new| new["paths"]["/health/live"]["get"]["operationId"] = json!("isAlive"),
        &["GET /health/live: is called \"isAlive\" now"],
    );
    broken(
        |new| new["paths"]["/health/live"]["get"]["security"] = json!([{"apiKey": []}]),
        &["GET /health/live: wants another credential"],
    );
    broken(
        |new| {
            let parameters = new["paths"][LIST]["get"]["parameters"].as_array_mut().unwrap();
            parameters.retain(|parameter| parameter["name"] != "subject");
            parameters.push(json!({"name": "n", "in": "query", "required": true}));
        },
        &[
            "GET /api/v1/events, parameter \"subject\": is gone",
            "GET /api/v1/events: must be given the new parameter \"n\"",
        ],
    );
    broken(
        |new| {
            let answers = new["paths"]["/health/live"]["get"]["responses"].as_object_mut().unwrap();
            let answer = answers.remove("200").unwrap();
            answers.insert("204".to_owned(), answer);
        },
        &["GET /health/live, answer 200: is gone", "GET /health/live: answers 204 too"],
    );
    broken(
        |new| {
            remove(
                &mut new["paths"]["/metrics"]["get"]["responses"]["200"]["content"],
                "application/openmetrics-text",
            )
        },
        &["GET /metrics, answer 200: is no application/openmetrics-text any more"],
    );
    broken(
        |new| {
            new["paths"]["/api/v1/destinations/{name}/actions/{action}"]["post"]["requestBody"]["required"] =
                json!(true)
        },
        &["POST /api/v1/destinations/{name}/actions/{action}, body: must be given now"],
    );
}

#[test]
fn what_readers_rely_on_is_missed() {
    broken(
        |new| remove(&mut new["components"]["schemas"]["Health"]["properties"], "version"),
        &["Health.version: is gone"],
    );
    broken(
        |new| new["components"]["schemas"]["Health"]["required"] = json!(["status", "version", "generation"]),
        &["Health.fingerprint: may be absent now"],
    );
    broken(
        |new| new["components"]["schemas"]["Event"]["properties"]["body_bytes"]["type"] = json!("string"),
        &["Event.body_bytes: type was \"integer\" and is \"string\""],
    );
    broken(
        |new| new["components"]["schemas"]["Event"]["properties"]["note"]["nullable"] = json!(true),
        &["Event.note: null is not what it was"],
    );
    broken_since(
        |old| old["components"]["schemas"]["Verdict"]["enum"] = json!(["passed"]),
        &["Verdict: words were [\"passed\"] and are null"],
    );
    broken(
        |new| new["components"]["schemas"]["Event"]["properties"]["body_bytes"]["minimum"] = json!(-1),
        &["Event.body_bytes: minimum was 0 and is -1"],
    );
}

#[test]
fn what_writers_rely_on_is_missed() {
    let state = |parameters: &mut Value| {
        let parameters = parameters.as_array_mut().unwrap();
        parameters.iter_mut().find(|parameter| parameter["name"] == "state").unwrap()["schema"]["enum"] =
            json!(["dead"]);
    };
    let old = document();
    let words = old["paths"]["/api/v1/deliveries"]["get"]["parameters"].as_array().unwrap();
    let words =
        words.iter().find(|parameter| parameter["name"] == "state").unwrap()["schema"]["enum"].to_string();
    broken(
        |new| state(&mut new["paths"]["/api/v1/deliveries"]["get"]["parameters"]),
        &[&format!("GET /api/v1/deliveries, parameter \"state\": words were {words} and are [\"dead\"]")],
    );
    let replays = &document()["paths"]["/api/v1/replays"]["post"]["requestBody"];
    let request = replays["content"]["application/json"]["schema"]["$ref"].as_str().unwrap();
    let request = request.rsplit('/').next().unwrap();
    broken(
        |new| new["components"]["schemas"][request]["required"] = json!(["filter", "per_second"]),
        &[&format!("{request}.per_second: must be given now")],
    );
    broken(
        |new| {
            new["components"]["schemas"][request]["properties"]["why"] = json!({"type": "string"});
            new["components"]["schemas"][request]["required"] = json!(["filter", "why"]);
        },
        &[&format!("{request}.why: is new, and must be given")],
    );
    broken_since(
        |old| remove(&mut old["components"]["schemas"][request], "additionalProperties"),
        &[&format!("{request}: takes no other fields any more")],
    );
    broken(
        |new| new["components"]["schemas"][request]["properties"]["per_second"]["minimum"] = json!(10),
        &[&format!("{request}.per_second: minimum was 1 and is 10")],
    );
    broken(
        |new| {
            new["components"]["schemas"]["PostmanWebhook"]["oneOf"].as_array_mut().unwrap().pop().unwrap();
        },
        &["PostmanWebhook: is a union that has lost a part"],
    );
}

#[test]
fn only_what_is_not_released_yet_admits_a_break() {
    assert!(admits("# Changelog\n\n## Unreleased\n\n- Breaking: events have no note.\n\n## 1.0.0\n"));
    assert!(!admits("# Changelog\n\n## Unreleased\n\n- More.\n\n## 1.0.0\n\n- Breaking: all.\n"));
}

#[test]
fn the_newest_release_counts_and_a_break_needs_its_word() {
    let folder = std::env::temp_dir().join(format!("postroom-compat-{}", std::process::id()));
    fs::create_dir_all(folder.join(super::RELEASED)).unwrap();
    let write = |path: &str, text: &str| fs::write(folder.join(path), text).unwrap();
    write(super::TODAY, r#"{"paths": {}}"#);
    write("CHANGELOG.md", "\n## Unreleased\n");
    assert!(check(&folder).unwrap().is_none());
    write("openapi/released/0.9.0.json", r#"{"paths": {}}"#);
    assert!(check(&folder).unwrap().unwrap().is_fit());
    write("openapi/released/0.10.0.json", r#"{"paths": {"/a": {"get": {}}}}"#);
    let verdict = check(&folder).unwrap().unwrap();
    assert_eq!((&verdict.version[..], &verdict.breaks[..]), ("0.10.0", &["GET /a: is gone".to_owned()][..]));
    assert!(!verdict.is_fit());
    write("CHANGELOG.md", "\n## Unreleased\n- breaking: /a is gone\n");
    assert!(check(&folder).unwrap().unwrap().is_fit());
    write("openapi/released/new.json", "{}");
    assert!(check(&folder).is_err());
    fs::remove_dir_all(&folder).unwrap();
}

/// What `cargo xtask compat` says, for every run of the tests.
#[test]
fn today_breaks_no_client_of_the_last_release_unawares() {
    if let Some(verdict) = check(root()).unwrap() {
        assert!(verdict.is_fit(), "since {}: {:#?}", verdict.version, verdict.breaks);
    }
}
