//! What a body says, by the provider of its source.

use chrono::DateTime;
use serde_json::Value;

/// What a body says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) fingerprint: String,
    /// Not known of a run without counters.
    pub(crate) kind: Option<Kind>,
    pub(crate) title: String,
    pub(crate) priority: Option<&'static str>,
}

/// Whether it opens or ends an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Alert,
    Resolve,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) error: &'static str,
}

impl Refusal {
    pub(crate) const INVALID: Self = Self { status: 400, error: "Invalid payload" };
}

/// Opens if a counter is above zero, resolves if both are zero. What is made of a run without these counters is not known:
/// then nothing is.
pub(crate) fn postman_monitors(body: &Value) -> Result<Event, Refusal> {
    let monitor = ["monitor_uid", "monitor_name"].into_iter().find_map(|key| body[key].as_str());
    let (Some(monitor), Value::Object(metrics)) = (monitor, &body["metrics"]) else {
        return Err(Refusal::INVALID);
    };
    let count = |name: &str| metrics.get(name).and_then(Value::as_u64);
    let kind = match (count("failedTests"), count("errors")) {
        (Some(0), Some(0)) => Some(Kind::Resolve),
        (failed, errors) if failed.max(errors) > Some(0) => Some(Kind::Alert),
        _ => None,
    };
    let title = body["monitor_name"].as_str().unwrap_or(monitor).to_owned();
    Ok(Event { fingerprint: monitor.to_owned(), kind, title, priority: None })
}

/// Takes whole alerts that fire or are resolved.
pub(crate) fn alertmanager(body: &Value) -> Result<Event, Refusal> {
    let status = |value: &Value| match value["status"].as_str() {
        Some("firing") => Some(Kind::Alert),
        Some("resolved") => Some(Kind::Resolve),
        _ => None,
    };
    let Some(kind) = status(body) else {
        return Err(Refusal { status: 500, error: "Internal server error" });
    };
    let alert = &body["alerts"][0];
    let text = |value: &Value| value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
    let is_time =
        |value: &Value| value.as_str().is_some_and(|text| DateTime::parse_from_rfc3339(text).is_ok());
    let whole = status(alert) == Some(kind)
        && body["version"] == "4"
        && is_time(&alert["startsAt"])
        && (kind == Kind::Alert || is_time(&alert["endsAt"]));
    match (text(&alert["fingerprint"]), text(&body["commonAnnotations"]["summary"])) {
        (Some(fingerprint), Some(title)) if whole => {
            let priority = priority(&alert["labels"]["severity"]);
            Ok(Event { fingerprint, kind: Some(kind), title, priority })
        }
        _ => Err(Refusal::INVALID),
    }
}

fn priority(severity: &Value) -> Option<&'static str> {
    match severity.as_str()? {
        "critical" => Some("CRITICAL"),
        "error" => Some("HIGH"),
        "warning" => Some("MEDIUM"),
        "info" => Some("LOW"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
