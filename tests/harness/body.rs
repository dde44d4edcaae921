//! Bodies as Postman sends them, small and to the point.

use serde_json::{Value, json};

/// The body of a monitor run. `monitor` is any text; the gateway takes it for the monitor's id.
#[must_use]
pub fn monitor_run(monitor: &str, failed_tests: u64) -> String {
    run(monitor, failed_tests, 1).to_string()
}

/// Run number `number` of a monitor that passes. The number comes back from [`run_number`], so that a double can
/// tell what came in which order.
#[must_use]
pub fn numbered_run(monitor: &str, number: u64) -> String {
    run(monitor, 0, number).to_string()
}

/// The number of a [`numbered_run`].
///
/// # Panics
/// When the body is not a run.
#[must_use]
pub fn run_number(body: &[u8]) -> u64 {
    let run: Value = serde_json::from_slice(body).expect("a run is JSON");
    run["metrics"]["requestCount"].as_u64().expect("a run counts its requests")
}

fn run(monitor: &str, failed_tests: u64, requests: u64) -> Value {
    json!({
        "collection_name": "Orders",
        "collection_uid": "127862-711a2044-c4fc-441b-b169-233c07489031",
        "user_name": "Alex Doe",
        "user_id": "127862",
        "monitor_name": format!("Monitor {monitor}"),
        "monitor_uid": monitor,
        "environment_name": "Production",
        "environment_uid": "127862-51eb6452-10d2-45d3-82ae-fc4c67b59b7c",
        "metrics": {
            "errors": 0,
            "failedTests": failed_tests,
            "passedTests": 12,
            "requestCount": requests,
            "totalLatency": 842,
            "warnings": 0,
        },
    })
}

/// A backup of a small collection.
#[must_use]
pub fn collection_backup(id: &str, name: &str) -> String {
    let collection = json!({"info": {"_postman_id": id, "name": name}, "item": []});
    json!({"collection": collection}).to_string()
}

/// An entry of an activity feed.
#[must_use]
pub fn activity(action: &str) -> String {
    json!({
        "action": action,
        "model": "request",
        "user_id": "12345",
        "user_name": "Alex Doe",
        "model_uid": "11-22-33",
        "model_name": "Create an order",
        "collection_uid": "34-44-56",
        "collection_name": "Orders",
        "message": "Alex Doe changed a request Create an order in the Orders",
    })
    .to_string()
}
