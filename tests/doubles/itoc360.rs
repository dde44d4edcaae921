//! ITOC360's Events API, as far as its SDKs and documents show it.

use http::Method;
use serde_json::{Value, json};

use super::{Reply, Request, Rules};

const PATH: &str = "/functions/v1/events";

/// A source of an ITOC360 tenant: its token, and the provider that decides which bodies it takes.
#[derive(Debug, Clone)]
pub struct Itoc360 {
    token: String,
    provider: Provider,
}

/// What a source's bodies must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Postman's body as it is.
    PostmanMonitors,
    /// Prometheus and its relatives: the Alertmanager v4 body.
    Alertmanager,
}

impl Itoc360 {
    /// A source with this token.
    #[must_use]
    pub fn new(token: &str, provider: Provider) -> Self {
        Self { token: token.to_owned(), provider }
    }
}

impl Rules for Itoc360 {
    fn answer(&self, request: &Request) -> Reply {
        if request.target != PATH {
            return refusal(404, "Not found");
        }
        if request.method != Method::POST {
            return refusal(405, "Method not allowed");
        }
        if request.header("authorization") != format!("Bearer {}", self.token) {
            return refusal(401, "Unauthorized");
        }
        let body = match serde_json::from_slice(&request.body) {
            Ok(body @ Value::Object(_)) if request.header("content-type") == "application/json" => body,
            _ => return refusal(400, "Invalid payload"),
        };
        match self.provider {
            Provider::PostmanMonitors => postman_monitors(&body),
            Provider::Alertmanager => alertmanager(&body),
        }
    }
}

/// Opens if a counter is above zero, resolves if both are zero. What it makes of a run without these counters is not
/// known; then the reply has no `type`.
fn postman_monitors(body: &Value) -> Reply {
    let monitor = ["monitor_uid", "monitor_name"].into_iter().find_map(|key| body[key].as_str());
    let (Some(monitor), Value::Object(metrics)) = (monitor, &body["metrics"]) else {
        return refusal(400, "Invalid payload");
    };
    let count = |name: &str| metrics.get(name).and_then(Value::as_u64);
    let kind = match (count("failedTests"), count("errors")) {
        (Some(0), Some(0)) => Some("RESOLVE"),
        (failed, errors) if failed.max(errors) > Some(0) => Some("ALERT"),
        _ => None,
    };
    created(kind, monitor, body)
}

fn alertmanager(body: &Value) -> Reply {
    let status = |value: &Value| match value["status"].as_str() {
        Some("firing") => Some("ALERT"),
        Some("resolved") => Some("RESOLVE"),
        _ => None,
    };
    let Some(kind) = status(body) else { return refusal(500, "Internal server error") };
    let alert = &body["alerts"][0];
    let fingerprint = alert["fingerprint"].as_str().filter(|text| !text.is_empty());
    let complete = status(alert) == Some(kind)
        && body["version"] == "4"
        && body["commonAnnotations"]["summary"].is_string()
        && alert["startsAt"].is_string()
        && (kind == "ALERT" || alert["endsAt"].is_string());
    match fingerprint {
        Some(fingerprint) if complete => created(Some(kind), fingerprint, body),
        _ => refusal(400, "Invalid payload"),
    }
}

fn created(kind: Option<&str>, fingerprint: &str, payload: &Value) -> Reply {
    let mut reply = json!({
        "id": "6f1c52f4-8a0e-4d6d-9d0c-1f6f3a2b7c11",
        "tenant_id": "0b1f4a56-31a4-4c64-9f50-8f3c1d2e7a90",
        "provider_id": 17,
        "source_id": "c7a1de02-55b1-4b6c-a0f4-6f4f2d9b8e33",
        "fingerprint": fingerprint,
        "payload": payload,
        "created_at": "2026-01-15T08:30:00.000Z",
    });
    if let Some(kind) = kind {
        reply["type"] = kind.into();
    }
    Reply::json(200, &reply)
}

fn refusal(status: u16, error: &str) -> Reply {
    Reply::json(status, &json!({ "error": error }))
}

#[cfg(test)]
mod tests;
