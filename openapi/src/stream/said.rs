//! What the document says of the messages, which OpenAPI has no words for.

use serde_json::{Value, json};

/// The beginning of an answer.
pub(crate) const EXAMPLE: &str = r#"retry: 2000
id: 1790000000125.17.4211

id: 1790000000125.18.4212
event: events
data: {"id":"0192f0c1-2b7e-7c3a-9d52-7f2f7a5d1c00","received_at":"2026-09-21T14:13:20.125Z","source":"acme","kind":"monitor_run","subject":"1e8eea47-8a24-4d6e-9f0d-3b6a5a5e3f10","verdict":"failed","labels":{},"body_bytes":976}

id: 1790000000125.19.4212
event: deliveries
data: {"id":"5120","event_id":"0192f0c1-2b7e-7c3a-9d52-7f2f7a5d1c00","destination":"itoc360","route":"monitor runs","lane":"1e8eea47-8a24-4d6e-9f0d-3b6a5a5e3f10","state":"delivered","attempts_made":1,"created_at":"2026-09-21T14:13:20.125Z","finished_at":"2026-09-21T14:13:20.310Z"}

: still here
id: 1790000000125.19.4212

id: 1790000000125.9001.9944
event: resync
data: {"topics":["events","deliveries"],"reason":"more happened than was read in time","after_event":"0192f0c1-2b7e-7c3a-9d52-7f2f7a5d1c00"}

"#;

/// What `data` holds, by the topic.
pub(crate) fn schemas() -> Value {
    let of = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    json!({
        "events": of("Event"),
        "deliveries": of("Delivery"),
        "incidents": of("Incident"),
        "destinations": of("Destination"),
        "resync": {
            "description": "Something was missed: `topics` has the lists to read anew, `reason` says why to people, and \
                            `after_event` is the id of the last event that was told before, absent when none was.",
            "example": { "topics": ["events", "deliveries"], "reason": "more happened than was read in time" }
        }
    })
}
