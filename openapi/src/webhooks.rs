//! The requests that Postroom itself makes, for whoever receives them: OpenAPI 3.0 has no place for them, so they stand
//! under `x-webhooks`, in the form that 3.1 gives `webhooks`.

use serde_json::{Value, json};

/// Adds the requests and their schemas to a document.
pub(crate) fn add(document: &mut Value) {
    document["x-webhooks"] = json!({"event": {"post": event()}});
    document["components"]["schemas"]["Told"] = told();
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

/// What the plugin `forward` sends.
fn event() -> Value {
    let header = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "header", "required": true, "description": description, "schema": schema});
    let text = || json!({"type": "string"});
    json!({
        "tags": ["Events"],
        "operationId": "eventForwarded",
        "security": [],
        "summary": "Take an event",
        "description": "What the plugin `forward` posts to the `url` of its settings: each event of its routes at least \
            once, in order within a lane. An event that comes again has the same id.",
        "parameters": [
            header("Postroom-Event-Id", "The event's id, the same in every attempt.", text()),
            header("Postroom-Event-Kind", "The event's kind, such as `monitor_run`.", text()),
            header("Postroom-Attempt", "1 for the first attempt, 2 for the next.",
                json!({"type": "integer", "format": "int32", "minimum": 1})),
            header("Idempotency-Key", "The event's id, unless the settings say otherwise.", text()),
        ],
        "requestBody": {
            "description": "The body with the Content-Type it came with; `application/json` when it had none.",
            "required": true,
            "content": {"application/json": {"schema": {"oneOf": [reference("PostmanWebhook"), reference("Told")]}}},
        },
        "responses": {
            "2XX": {"description": "Taken: the delivery is done."},
            "408": {"description": "Sent again later. 425, 429 and every 5xx mean the same; `Retry-After` is honoured."},
            "401": {"description": "The destination pauses until it is looked at. 403, 404, 405, 410 and redirects mean \
                the same."},
            "4XX": {"description": "Not taken: the delivery is given up and kept as a dead letter."},
        },
    })
}

/// What the tracker makes, as far as all its kinds have it in common; the rest is in docs/monitors.md.
fn told() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let object =
        |description: &str| json!({"type": "object", "description": description, "additionalProperties": {}});
    json!({
        "type": "object",
        "description": "What the gateway tells of a monitor or of a collection's backups.",
        "required": ["kind"],
        "properties": {
            "kind": {
                "type": "string",
                "description": "What it tells.",
                "x-extensible-enum": [
                    "incident_opened", "incident_reminder", "incident_resolved", "monitor_silent", "monitor_resumed",
                    "backup_overdue"
                ],
            },
            "incident": object("The incident, of one."),
            "silence": object("Since when runs stay away, and how often they were to be expected."),
            "monitor": object("The monitor, of one."),
            "collection": object("The collection whose backup is overdue."),
            "run": object("The run that brought it about, or else the monitor's last one."),
            "failures": {
                "type": "array",
                "description": "What failed, if it is known.",
                "items": object("A test or request that failed."),
            },
            "caused_by": text("The id of the event that brought it about; absent when time did."),
            "forgotten_by": text("The name of the API key by which the monitor was forgotten."),
        },
        "additionalProperties": {},
    })
}
