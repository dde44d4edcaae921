use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use super::{document, text};

/// Each operation as (method and path, operation).
pub(crate) fn operations(document: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((format!("{} {path}", method.to_uppercase()), operation.clone()));
        }
    }
    found
}

#[test]
fn the_committed_document_is_the_one_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("postroom.json");
    if std::env::var_os("POSTROOM_BLESS").is_some() {
        fs::write(&path, text()).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text(),
        "openapi/postroom.json is out of date: run this test with POSTROOM_BLESS=1 and read the difference"
    );
}

#[test]
fn the_operations_are_these() {
    let found: Vec<String> = operations(&document())
        .into_iter()
        .map(|(at, operation)| format!("{} {at}", operation["operationId"].as_str().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            "receiveHook POST /hooks/{source}",
            "listEvents GET /api/v1/events",
            "getEvent GET /api/v1/events/{id}",
            "downloadEventBody GET /api/v1/events/{id}/body",
            "listDeliveries GET /api/v1/deliveries",
            "getDelivery GET /api/v1/deliveries/{id}",
            "retryDelivery POST /api/v1/deliveries/{id}/retry",
            "cancelDelivery POST /api/v1/deliveries/{id}/cancel",
            "createReplay POST /api/v1/replays",
            "listReplays GET /api/v1/replays",
            "getReplay GET /api/v1/replays/{id}",
            "cancelReplay POST /api/v1/replays/{id}/cancel",
            "listMonitors GET /api/v1/monitors",
            "getMonitor GET /api/v1/monitors/{uid}",
            "forgetMonitor DELETE /api/v1/monitors/{uid}",
            "listMonitorRuns GET /api/v1/monitors/{uid}/runs",
            "muteMonitor POST /api/v1/monitors/{uid}/mute",
            "unmuteMonitor DELETE /api/v1/monitors/{uid}/mute",
            "listIncidents GET /api/v1/incidents",
            "getIncident GET /api/v1/incidents/{id}",
            "listSources GET /api/v1/sources",
            "getSource GET /api/v1/sources/{name}",
            "listRoutes GET /api/v1/routes",
            "explainRoutes POST /api/v1/routes/explain",
            "getRoute GET /api/v1/routes/{name}",
            "getConfiguration GET /api/v1/config",
            "validateConfiguration POST /api/v1/config/validate",
            "getStats GET /api/v1/stats",
            "listDeadLetters GET /api/v1/dead-letters",
            "listDestinations GET /api/v1/destinations",
            "getDestination GET /api/v1/destinations/{name}",
            "pauseDestination POST /api/v1/destinations/{name}/pause",
            "resumeDestination POST /api/v1/destinations/{name}/resume",
            "listDestinationActions GET /api/v1/destinations/{name}/actions",
            "runDestinationAction POST /api/v1/destinations/{name}/actions/{action}",
            "listPlugins GET /api/v1/plugins",
            "getPlugin GET /api/v1/plugins/{id}",
            "reloadConfiguration POST /api/v1/config/reload",
            "reloadDestination POST /api/v1/destinations/{name}/reload",
            "listKeys GET /api/v1/keys",
            "createKey POST /api/v1/keys",
            "revokeKey DELETE /api/v1/keys/{name}",
            "listAuditEntries GET /api/v1/audit",
            "createSession POST /api/v1/session",
            "getSession GET /api/v1/session",
            "endSession DELETE /api/v1/session",
            "followChanges GET /api/v1/stream",
            "getLiveness GET /health/live",
            "getReadiness GET /health/ready",
            "getMetrics GET /metrics",
        ]
    );
}

#[test]
fn operation_ids_are_unique_and_make_good_method_names() {
    let mut ids = BTreeSet::new();
    for (at, operation) in operations(&document()) {
        let id =
            operation["operationId"].as_str().unwrap_or_else(|| panic!("{at} has no operationId")).to_owned();
        assert!(id.starts_with(|c: char| c.is_ascii_lowercase()), "{id} is not lowerCamel");
        assert!(id.chars().all(|c| c.is_ascii_alphanumeric()), "{id} is not lowerCamel");
        assert!(ids.insert(id), "{at} has the operationId of another operation");
    }
    // Generators make methods with these endings beside each operation's own.
    for id in &ids {
        for ending in ["Raw", "WithHttpInfo", "Async"] {
            assert!(
                !ids.contains(&format!("{id}{ending}")),
                "{id}{ending} clashes with {id} in generated clients"
            );
        }
    }
}

#[test]
fn everything_is_described() {
    let document = document();
    for (at, operation) in operations(&document) {
        for what in ["/summary", "/description", "/tags/0"] {
            assert!(is_said(operation.pointer(what)), "{at} has no {what}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(is_said(parameter.get("description")), "{at}: {parameter} is not described");
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(is_said(response.get("description")), "{at}: answer {status} is not described");
        }
    }
    for tag in document["tags"].as_array().unwrap() {
        assert!(is_said(tag.get("description")), "{tag} is not described");
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(is_said(schema.get("description")), "{name} is not described");
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            assert!(is_said(schema.get("description")), "{name}.{field} is not described");
        }
    }
}

#[track_caller]
fn is_said(text: Option<&Value>) -> bool {
    text.and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty())
}

#[test]
fn every_operation_says_who_may_call_it() {
    for (at, operation) in operations(&document()) {
        let expected = match at.as_str() {
            "GET /health/live" | "GET /health/ready" => json!([]),
            "POST /hooks/{source}" => {
                json!([{"sourceTokenQuery": []}, {"sourceTokenBearer": []}, {"sourceTokenBasic": []}])
            }
            "POST /api/v1/session" => json!([{"apiKey": []}]),
            _ => json!([{"apiKey": []}, {"sessionCookie": []}]),
        };
        assert_eq!(operation["security"], expected, "{at}");
    }
}

#[test]
fn every_operation_has_one_success_and_the_same_errors() {
    let problem = json!({"schema": {"$ref": "#/components/schemas/Problem"}});
    for (at, operation) in operations(&document()) {
        let responses = operation["responses"].as_object().unwrap();
        assert_eq!(responses.keys().filter(|status| status.starts_with('2')).count(), 1, "{at}");
        assert_eq!(responses.len(), 3, "{at}");
        for range in ["4XX", "5XX"] {
            let content = &responses[range]["content"];
            assert_eq!(content["application/problem+json"], problem, "{at} {range}");
            assert_eq!(content["application/json"], problem, "{at} {range}");
        }
    }
}

/// Visits every schema inside `value`, with a path to it.
fn visit(value: &Value, path: &str, check: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(object) => {
            check(path, value);
            object.iter().for_each(|(key, inner)| visit(inner, &format!("{path}/{key}"), check));
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, path, check)),
        _ => {}
    }
}

#[test]
fn numbers_are_of_formats_that_every_generator_knows() {
    visit(&document(), "", &mut |path, value| {
        if value["type"] == "integer" {
            assert!(value["format"] == "int32" || value["format"] == "int64", "{path}: {value}");
            for bound in ["minimum", "maximum"] {
                assert!(value.get(bound).is_none_or(Value::is_i64), "{path}: {value}");
            }
        }
    });
}

#[test]
fn objects_are_named_and_unions_stay_in_the_request() {
    let document = document();
    visit(&document["paths"], "", &mut |path, value| {
        assert!(value.get("properties").is_none(), "{path} has a schema without a name");
    });
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
        assert!(schema.get("oneOf").is_none() || name == "PostmanWebhook", "{name} is a union");
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            visit(schema, field, &mut |path, value| {
                assert!(value.get("properties").is_none(), "{name}.{path} has a schema without a name");
            });
        }
    }
}

#[test]
fn the_version_is_the_programs() {
    let document = document();
    assert_eq!(document["openapi"], "3.0.3");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}
