use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::*;

const TOKEN: &str = "source-token";

/// A request that is right but for what a test changes.
fn request(body: &Value) -> Request {
    let headers = HeaderMap::from_iter([
        (header::AUTHORIZATION, HeaderValue::from_static("Bearer source-token")),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ]);
    Request {
        method: Method::POST,
        target: PATH.to_owned(),
        headers,
        body: body.to_string().into(),
        answered: StatusCode::OK,
    }
}

fn run(metrics: Value) -> Value {
    json!({"monitor_uid": "m", "metrics": metrics})
}

fn alert(status: &str) -> Value {
    json!({
        "status": status,
        "version": "4",
        "alerts": [{"status": status, "fingerprint": "m", "startsAt": "2026-01-15T08:30:00Z", "endsAt": "2026-01-15T08:31:00Z"}],
        "commonAnnotations": {"summary": "Orders fail"},
    })
}

#[track_caller]
fn check(provider: Provider, request: &Request, status: u16, field: &str, value: Value) {
    let reply = Itoc360::new(TOKEN, provider).answer(request);
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((reply.status.as_u16(), &body[field]), (status, &value), "{body}");
}

#[test]
fn refuses_what_is_not_addressed_or_authorised_as_it_must_be() {
    let right = request(&run(json!({"failedTests": 0, "errors": 0})));
    let check = |change: fn(&mut Request), status, error: &str| {
        let mut request = right.clone();
        change(&mut request);
        check(Provider::PostmanMonitors, &request, status, "error", json!(error));
    };
    check(|request| request.target.push_str("?token=source-token"), 404, "Not found");
    check(|request| request.method = Method::PUT, 405, "Method not allowed");
    check(|request| drop(request.headers.remove(header::AUTHORIZATION)), 401, "Unauthorized");
    check(|request| drop(request.headers.remove(header::CONTENT_TYPE)), 400, "Invalid payload");
    check(|request| request.body = Bytes::from_static(b"[]"), 400, "Invalid payload");
    check(|request| request.body = Bytes::from_static(b"{"), 400, "Invalid payload");
}

#[test]
fn opens_and_resolves_by_the_counters_of_a_run() {
    let check = |metrics: Value, kind: Value| {
        check(Provider::PostmanMonitors, &request(&run(metrics)), 200, "type", kind);
    };
    check(json!({"failedTests": 1, "errors": 0}), json!("ALERT"));
    check(json!({"failedTests": 0, "errors": 1}), json!("ALERT"));
    check(json!({"failedTests": 1}), json!("ALERT"));
    check(json!({"failedTests": 0, "errors": 0}), json!("RESOLVE"));
    check(json!({"failedTests": 0}), Value::Null);
    check(json!({"failedTestCount": 1, "errorCount": 0}), Value::Null);
}

#[test]
fn takes_only_whole_alerts_that_fire_or_are_resolved() {
    let check = |body: Value, status, field: &str, value: &str| {
        check(Provider::Alertmanager, &request(&body), status, field, json!(value));
    };
    check(alert("firing"), 200, "type", "ALERT");
    check(alert("resolved"), 200, "type", "RESOLVE");
    check(alert("pending"), 500, "error", "Internal server error");
    check(run(json!({})), 500, "error", "Internal server error");
    for field in ["fingerprint", "startsAt", "endsAt"] {
        let mut body = alert("resolved");
        body["alerts"][0][field].take();
        check(body, 400, "error", "Invalid payload");
    }
    let mut without_summary = alert("firing");
    without_summary["commonAnnotations"].take();
    check(without_summary, 400, "error", "Invalid payload");
}
