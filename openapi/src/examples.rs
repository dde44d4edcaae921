//! What the document shows beside what it says: bodies as Postman sends them, and answers of a real gateway.
//!
//! The answers are written by the test that asks a gateway for everything (`tests/it/contract.rs`, with
//! `POSTROOM_BLESS=1`), so that none is what somebody thinks an answer looks like.

use serde_json::{Map, Value, json};

/// By name: a summary and the body.
const REQUESTS: &str = include_str!("examples/requests.json");
/// By the operation's id: what it answers when all is well.
const ANSWERS: &str = include_str!("examples/answers.json");

/// Adds the examples to a document.
///
/// # Panics
/// When a file of examples is no JSON object, which a test sees.
pub(crate) fn add(document: &mut Value) {
    let requests: Value = serde_json::from_str(REQUESTS).expect("the file is JSON");
    let answers: Map<String, Value> = serde_json::from_str(ANSWERS).expect("the file is JSON");
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    for operation in paths.filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        if id == "receiveHook" {
            operation["requestBody"]["content"]["application/json"]["examples"] = requests.clone();
        }
        let responses = operation["responses"].as_object_mut();
        for (status, response) in responses.into_iter().flatten() {
            let Some(content) = response.get_mut("content").and_then(Value::as_object_mut) else { continue };
            if let Some(media_type) = content.get_mut("application/json")
                && let Some(answer) = answers.get(&id)
                && status.starts_with('2')
            {
                media_type["example"] = answer.clone();
            }
        }
    }
    document["components"]["schemas"]["Problem"]["example"] = refusal();
}

/// What any operation may answer.
fn refusal() -> Value {
    json!({
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "code": "invalid_parameter",
        "detail": "there is no parameter `sate`; did you mean `state`?",
        "request_id": "b7e281522b69444d-d",
    })
}
