use poem::http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::fake::{API_KEY, AWAY, Fake, PANIC};

/// Asks, and compares the problem without its request id, which must be the header's.
#[track_caller]
fn check(fake: &Fake, method: Method, path: &str, expected: &Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let client = fake.client();
    let request = client.request(method, path).header(header::AUTHORIZATION, format!("Bearer {API_KEY}"));
    let response = runtime.block_on(request.send()).0;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = runtime.block_on(response.into_body().into_string()).unwrap();
    let mut problem: Value = serde_json::from_str(&body).unwrap();

    let request_id = problem.as_object_mut().unwrap().remove("request_id");
    assert_eq!(request_id.unwrap(), headers["x-request-id"].to_str().unwrap());
    assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(problem, *expected);
    assert_eq!(problem["status"], status.as_u16());
}

#[test]
fn an_unknown_path() {
    check(
        &Fake::default(),
        Method::GET,
        "/api/v2/events",
        &json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "no_such_path",
            "detail": "nothing is offered at this path; /docs lists what is",
        }),
    );
}

#[test]
fn an_unknown_method() {
    check(
        &Fake::default(),
        Method::DELETE,
        "/api/v1/events",
        &json!({
            "type": "about:blank", "title": "Method Not Allowed", "status": 405, "code": "method_not_allowed",
            "detail": "this path does not take this method; the Allow header lists those it takes",
        }),
    );
}

#[test]
fn an_unknown_event() {
    for path in ["/api/v1/events/x", "/api/v1/events/x/body"] {
        check(
            &Fake::default(),
            Method::GET,
            path,
            &json!({
                "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found",
                "detail": "no such event",
            }),
        );
    }
}

#[test]
fn a_parameter_that_cannot_be_read() {
    for (query, detail) in [
        ("limit=0", "parameter `limit`: expected a whole number from 1 to 500"),
        ("limit=501", "parameter `limit`: expected a whole number from 1 to 500"),
        ("limit=x", "parameter `limit`: expected a whole number from 1 to 500"),
        (
            "kind=Run",
            "parameter `kind`: expected one of monitor_run, collection_backup, activity, unrecognized, incident_opened, \
             incident_reminder, incident_resolved, monitor_silent, monitor_resumed, backup_overdue, or the name of a kind \
             that a plugin makes",
        ),
        ("knid=activity", "there is no parameter `knid`; did you mean `kind`?"),
        (
            "a%0ab=1",
            "there is no parameter `a\\nb`; known here: kind, source, subject, label, monitor, collection, text, \
             received_after, received_before, limit, cursor, after",
        ),
        (
            "cursor=x",
            "parameter `cursor`: not a cursor of this list; pass `next_cursor` of the page before unchanged, or leave it \
             out for the first page",
        ),
    ] {
        check(
            &Fake::default(),
            Method::GET,
            &format!("/api/v1/events?{query}"),
            &json!({
                "type": "about:blank", "title": "Bad Request", "status": 400, "code": "invalid_parameter",
                "detail": detail,
            }),
        );
    }
}

#[test]
fn a_store_that_is_away() {
    check(
        &Fake::default(),
        Method::GET,
        &format!("/api/v1/events/{AWAY}"),
        &json!({
            "type": "about:blank", "title": "Service Unavailable", "status": 503, "code": "unavailable",
            "detail": "the store cannot be read now: the disk is gone",
        }),
    );
}

#[test]
fn a_gateway_that_is_not_ready() {
    check(
        &Fake::not_ready(&["the store is read-only", "destination itoc360 is starting"]),
        Method::GET,
        "/health/ready",
        &json!({
            "type": "about:blank", "title": "Service Unavailable", "status": 503, "code": "not_ready",
            "detail": "not ready for events; `reasons` says what is missing",
            "reasons": ["the store is read-only", "destination itoc360 is starting"],
        }),
    );
}

#[test]
fn a_handler_that_panics() {
    check(
        &Fake::default(),
        Method::GET,
        &format!("/api/v1/events/{PANIC}"),
        &json!({
            "type": "about:blank", "title": "Internal Server Error", "status": 500, "code": "internal",
            "detail": "the gateway failed to answer; its log says more, look for the request id",
        }),
    );
}

#[tokio::test]
async fn a_405_lists_the_methods_that_work() {
    let client = Fake::default().client();
    for (path, allow) in [
        ("/hooks/acme?token=x", "POST"),
        ("/api/v1/events", "GET, HEAD"),
        ("/api/v1/events/1/body", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
        ("/docs", "GET, HEAD"),
    ] {
        let response = client.put(path).send().await;
        response.assert_status(StatusCode::METHOD_NOT_ALLOWED);
        response.assert_header(header::ALLOW, allow);
    }
    client.put("/nowhere").send().await.assert_header_is_not_exist(header::ALLOW);
}
