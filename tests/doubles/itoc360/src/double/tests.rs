use serde_json::{Value, json};

use super::*;

const TOKEN: &str = "source-token";
const BEARER: &str = "Bearer source-token";

fn failed() -> String {
    json!({ "monitor_uid": "m", "metrics": { "failedTests": 1, "errors": 0 } }).to_string()
}

/// A request that is right but for what a test changes.
fn right(body: &str) -> Request<'_> {
    Request {
        method: "POST",
        target: EVENTS,
        authorization: BEARER,
        content_type: "application/json",
        body: body.as_bytes(),
        now_unix_ms: 1_768_465_800_000,
    }
}

fn itoc360() -> Itoc360 {
    Itoc360::new(TOKEN, Provider::PostmanMonitors)
}

#[track_caller]
fn check(request: &Request<'_>, status: u16, error: &str) {
    let mut itoc360 = itoc360();
    let reply = itoc360.answer(request);
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!((reply.status, body), (status, json!({ "error": error })));
    assert!(itoc360.incidents().is_empty());
}

#[test]
fn what_is_not_addressed_or_authorised_as_it_must_be_is_refused() {
    let body = failed();
    let right = right(&body);
    check(&Request { target: "/functions/v1/event", ..right }, 404, "Not found");
    check(&Request { method: "PUT", ..right }, 405, "Method not allowed");
    check(&Request { method: "GET", ..right }, 405, "Method not allowed");
    check(&Request { authorization: "", ..right }, 401, "Unauthorized");
    check(&Request { authorization: "Basic source-token", ..right }, 401, "Unauthorized");
    check(&Request { authorization: "Bearer ", ..right }, 401, "Unauthorized");
    check(&Request { authorization: "Bearer other", ..right }, 404, "Source not found");
    let asking = |target| Request { target, authorization: "", ..right };
    check(&asking("/functions/v1/events?token="), 401, "Unauthorized");
    check(&asking("/functions/v1/events?token=other"), 404, "Source not found");
    check(&asking("/functions/v1/events?a=source-token"), 401, "Unauthorized");
}

#[test]
fn what_is_no_json_object_is_refused() {
    let body = failed();
    check(&Request { content_type: "", ..right(&body) }, 400, "Invalid payload");
    check(&Request { content_type: "text/plain", ..right(&body) }, 400, "Invalid payload");
    for body in ["", "{", "[]", "\"text\"", "{} {}"] {
        check(&right(body), 400, "Invalid payload");
    }
}

#[test]
fn whoever_has_not_paid_is_refused() {
    let (mut itoc360, body) = (itoc360(), failed());
    itoc360.set_subscription(false);
    let reply = itoc360.answer(&right(&body));
    assert_eq!((reply.status, &*reply.body), (402, r#"{"error":"Subscription inactive"}"#));
    assert!(itoc360.open("m").is_none());
    itoc360.set_subscription(true);
    assert_eq!(itoc360.answer(&right(&body)).status, 200);
    assert!(itoc360.open("m").is_some());
}

#[test]
fn the_token_may_stand_in_the_address() {
    let (mut itoc360, body) = (itoc360(), failed());
    let target = "/functions/v1/events?a=b&token=source-token";
    assert_eq!(itoc360.answer(&Request { target, authorization: "", ..right(&body) }).status, 200);
}

#[test]
fn a_reply_has_every_field() {
    let body = failed();
    let reply: Value = serde_json::from_str(&itoc360().answer(&right(&body)).body).unwrap();
    assert_eq!(
        reply,
        json!({
            "id": "6f1c52f4-8a0e-4d6d-9d0c-000000000001",
            "tenant_id": "0b1f4a56-31a4-4c64-9f50-8f3c1d2e7a90",
            "provider_id": 17,
            "source_id": "c7a1de02-55b1-4b6c-a0f4-000000000000",
            "type": "ALERT",
            "fingerprint": "m",
            "payload": serde_json::from_str::<Value>(&body).unwrap(),
            "created_at": "2026-01-15T08:30:00.000Z",
        })
    );
}

#[test]
fn sources_have_formats_and_incidents_of_their_own() {
    let mut itoc360 = itoc360().with_source("other", Provider::Alertmanager);
    let body = failed();
    assert_eq!(itoc360.answer(&Request { authorization: "Bearer other", ..right(&body) }).status, 500);
    let alert = json!({
        "status": "firing", "version": "4", "commonAnnotations": { "summary": "s" },
        "alerts": [{ "status": "firing", "fingerprint": "m", "startsAt": "2026-01-15T08:30:00Z" }],
    })
    .to_string();
    assert_eq!(itoc360.answer(&Request { authorization: "Bearer other", ..right(&alert) }).status, 200);
    assert_eq!(itoc360.answer(&right(&body)).status, 200);
    let sources: Vec<_> = itoc360.incidents().iter().map(|incident| incident.source).collect();
    assert_eq!(sources, [1, 0]);
}
