use std::time::Duration;

use postroom_sdk::ActionError;
use postroom_sdk::testing::{EventFixture, OutcomeKind, PluginHarness, StartError, TestOutcome};
use serde_json::{Value, json};

use super::*;
use crate::http_double::{HttpDouble, Request};

const EVENT_ID: &str = "01940000-0000-7000-8000-000000000009";

#[track_caller]
fn start(url: &str, headers: Value) -> PluginHarness<Forward> {
    let config = json!({ "url": { "$secret": "url" }, "headers": headers });
    let builder = PluginHarness::builder().config(config);
    builder.secret("url", url).secret("auth", "Bearer s3cret-auth").start().unwrap()
}

/// Delivers `event` with the configured `headers`; the request that arrived.
#[track_caller]
fn forward(event: &EventFixture, headers: Value) -> Request {
    let double = HttpDouble::start(["204 No Content\r\n\r\n"]);
    let outcome = start(&format!("{}/hook?a=b", double.url()), headers).deliver(event);
    assert_eq!(outcome.kind, OutcomeKind::Delivered, "{outcome:?}");
    double.request()
}

#[track_caller]
fn outcome_of(reply: &str) -> TestOutcome {
    let double = HttpDouble::start([reply]);
    start(&double.url(), json!({})).deliver(&EventFixture::monitor_run(1))
}

#[test]
fn the_body_arrives_byte_for_byte_with_the_events_marks() {
    let body = b"\xff\x00 not JSON {\r\n";
    let event =
        EventFixture::raw("unrecognized", body).id(EVENT_ID).attempt(3).content_type("text/x; charset=a");
    let request = forward(&event, json!({}));
    assert_eq!(request.line, "POST /hook?a=b");
    assert_eq!(request.body, body);
    assert_eq!(request.header("content-type"), Some("text/x; charset=a"));
    assert_eq!(request.header("postroom-event-id"), Some(EVENT_ID));
    assert_eq!(request.header("postroom-event-kind"), Some("unrecognized"));
    assert_eq!(request.header("postroom-attempt"), Some("3"));
    assert_eq!(request.header("idempotency-key"), Some(EVENT_ID));
    assert!(request.header("user-agent").unwrap().starts_with("postroom-forward/"));
}

#[test]
fn a_body_without_a_usable_content_type_is_json() {
    for content_type in ["", "a\r\nb: c"] {
        let event = EventFixture::activity().content_type(content_type);
        assert_eq!(forward(&event, json!({})).header("content-type"), Some("application/json"));
    }
}

#[test]
fn an_empty_body_is_forwarded_too() {
    let request = forward(&EventFixture::raw("unrecognized", ""), json!({}));
    assert_eq!(request.body, b"");
    assert_eq!(request.header("content-length"), Some("0"));
}

#[test]
fn configured_headers_win() {
    let headers = json!({
        "Authorization": { "$secret": "auth" },
        "X-Team": "payments",
        "content-type": "application/cloudevents+json",
        "IDEMPOTENCY-KEY": "mine",
        "User-Agent": "me",
    });
    let request = forward(&EventFixture::activity(), headers);
    assert_eq!(request.header("authorization"), Some("Bearer s3cret-auth"));
    assert_eq!(request.header("x-team"), Some("payments"));
    assert_eq!(request.header("content-type"), Some("application/cloudevents+json"));
    assert_eq!(request.header("idempotency-key"), Some("mine"));
    assert_eq!(request.header("user-agent"), Some("me"));
}

#[test]
fn the_status_is_recorded() {
    assert_eq!(outcome_of("202 Accepted\r\n\r\nthanks").record, Some(json!({ "status": 202 })));
}

#[test]
fn every_answer_has_its_outcome() {
    use OutcomeKind::{Delivered, Misconfigured, Permanent, RateLimited, Retry};
    #[track_caller]
    fn check(reply: &str, kind: OutcomeKind) {
        let outcome = outcome_of(&format!("{reply}\r\n\r\nsaid so"));
        assert_eq!(outcome.kind, kind, "{outcome:?}");
        assert_eq!(outcome.message.contains("said so"), kind != Delivered, "{outcome:?}");
    }
    for reply in ["200 OK", "201 Created", "299 Fine"] {
        check(reply, Delivered);
    }
    for reply in
        ["408 Request Timeout", "425 Too Early", "429 Too Many Requests", "500 Oops", "502 Bad", "504 Slow"]
    {
        check(reply, Retry);
    }
    for reply in [
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "405 Not Allowed",
        "410 Gone",
        "301 Moved\r\nLocation: http://127.0.0.1:1/",
        "307 Moved",
    ] {
        check(reply, Misconfigured);
    }
    for reply in ["400 Bad", "409 Conflict", "413 Too Large", "422 No"] {
        check(reply, Permanent);
    }
    check("429 Too Many Requests\r\nRetry-After: 60", RateLimited);
}

#[test]
fn the_asked_for_wait_is_passed_on() {
    assert_eq!(outcome_of("503 Busy\r\nRetry-After: 9\r\n\r\n").retry_after, Some(Duration::from_secs(9)));
}

#[test]
fn an_endpoint_that_is_away_is_tried_again() {
    let double = HttpDouble::start(["200 OK\r\n\r\n"]);
    let harness = start(&format!("{}/hooks/s3cret-path", double.url()), json!({}));
    drop(harness.deliver(&EventFixture::monitor_run(1)));
    drop(double.request());
    drop(double);
    let outcome = harness.deliver(&EventFixture::monitor_run(1));
    assert_eq!(outcome.kind, OutcomeKind::Retry, "{outcome:?}");
    assert!(!format!("{outcome:?} {:?}", harness.shut_down()).contains("s3cret"), "{outcome:?}");
}

#[test]
fn no_answer_shows_the_address_or_a_header() {
    let page = "Cannot POST /hooks/s3cret-path?key=s3cret-key with Bearer s3cret-auth";
    let double = HttpDouble::start([format!("404 Not Found\r\n\r\n{page}")]);
    let headers = json!({ "Authorization": { "$secret": "auth" } });
    let harness = start(&format!("{}/hooks/s3cret-path?key=s3cret-key", double.url()), headers);
    let outcome = harness.deliver(&EventFixture::monitor_run(1));
    assert!(outcome.message.contains("Cannot POST /hooks/***?key=*** with ***"), "{outcome:?}");
    assert!(!format!("{outcome:?} {:?}", harness.shut_down()).contains("s3cret"), "{outcome:?}");
}

#[test]
fn secrets_that_cannot_be_used_are_refused_at_the_start() {
    #[track_caller]
    fn check(url: &str, header: &str, message: &str) {
        let config = json!({ "url": { "$secret": "url" }, "headers": { "X-Key": { "$secret": "header" } } });
        let builder = PluginHarness::<Forward>::builder().config(config);
        let start = builder.secret("url", url).secret("header", header).start();
        let Err(StartError::Create { config: true, message: seen }) = start else { panic!("{start:?}") };
        assert!(seen.contains(message) && !seen.contains("s3cret"), "{seen}");
    }
    check("s3cret", "ok", "/url: not an http or https address");
    check("https://example.com", "s3cret\nb", "/headers/X-Key: the value has a line break");
}

#[test]
fn secrets_that_turn_bad_later_pause_the_destination() {
    let harness = start("http://127.0.0.1:1", json!({}));
    harness.set_secret("url", "s3cret");
    let outcome = harness.deliver(&EventFixture::activity());
    assert_eq!((outcome.kind, outcome.code.as_str()), (OutcomeKind::Misconfigured, "settings"));
    assert!(!outcome.message.contains("s3cret"), "{outcome:?}");
}

#[test]
fn wrong_settings_are_named() {
    #[track_caller]
    fn check(config: Value, path: &str, message: &str) {
        let faults = PluginHarness::<Forward>::validate(&config);
        let [fault] = &faults[..] else { panic!("one fault expected: {faults:?}") };
        assert_eq!(fault.path, path, "{fault:?}");
        assert!(fault.message.contains(message), "{fault:?}");
    }
    let url = "https://example.com";
    check(json!({}), "", "url");
    check(json!({ "url": "ftp://example.com" }), "/url", "http or https");
    check(json!({ "url": url, "headers": { "Host": "x" } }), "/headers/Host", "belongs to the connection");
    check(
        json!({ "url": url, "headers": { "Postroom-X": "x" } }),
        "/headers/Postroom-X",
        "set by the gateway",
    );
    check(json!({ "url": url, "headers": { "a/b": "x" } }), "/headers/a~1b", "not the name of a header");
    check(json!({ "url": url, "headers": { "X-A": "b\nc" } }), "/headers/X-A", "line break");
    check(json!({ "url": url, "headers": { "X-A": "1", "x-a": "2" } }), "/headers/x-a", "set twice");
    check(json!({ "url": url, "headers": { "X-A": 1 } }), "/headers/X-A", "secret");
    check(json!({ "url": url, "timeout": "30" }), "/timeout", "10s");
    check(json!({ "url": url, "timeout": "0s" }), "/timeout", "no time");
    check(json!({ "url": url, "method": "PUT" }), "/method", "unknown field");
    assert_eq!(PluginHarness::<Forward>::validate(&json!({ "url": url, "headers": { "X-A": "1" } })), []);
}

#[test]
fn the_manifest_is_what_operators_know() {
    let mut manifest = PluginHarness::<Forward>::manifest().unwrap();
    let schema = manifest.as_object_mut().unwrap().remove("config_schema").unwrap();
    let actions = manifest.as_object_mut().unwrap().remove("actions").unwrap();
    assert_eq!(actions.as_array().unwrap().iter().map(|it| &it["name"]).collect::<Vec<_>>(), ["test"]);
    assert_eq!(
        manifest,
        json!({
            "manifest": 1,
            "abi": "1.1",
            "id": "forward",
            "name": "Forward",
            "description": "Posts each event to an HTTP endpoint, byte for byte",
            "version": env!("CARGO_PKG_VERSION"),
            "capabilities": ["log", "secrets", "clock"],
            "kinds": ["*"],
            "concurrency": 16,
            "network": ["*:*"],
            "filesystem": [],
        })
    );
    let settings: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(settings, ["url", "headers", "timeout"]);
}

#[test]
fn a_test_request_is_marked_and_its_answer_told() {
    let double = HttpDouble::start(["204 No Content\r\n\r\n", "503 Busy\r\n\r\nlater"]);
    let headers = json!({ "Authorization": { "$secret": "auth" } });
    let harness = start(&format!("{}/hook", double.url()), headers);
    let answer = harness.act("test", &json!({})).unwrap();
    assert_eq!((&answer["status"], &answer["accepted"]), (&json!(204), &json!(true)));
    let request = double.request();
    assert_eq!((request.line.as_str(), request.body.as_slice()), ("POST /hook", &b"{\"test\":true}"[..]));
    assert_eq!(request.header("postroom-test"), Some("true"));
    assert_eq!(request.header("postroom-event-id"), None);
    assert_eq!(request.header("authorization"), Some("Bearer s3cret-auth"));
    let answer = harness.act("test", &json!({ "body": { "a": 1 } })).unwrap();
    assert_eq!(answer, json!({ "status": 503, "accepted": false, "said": "later" }));
    assert_eq!(double.request().body, b"{\"a\":1}");
}

#[test]
fn a_test_without_an_answer_says_so() {
    // Port 1 of this machine: nobody listens there.
    let harness = start("http://127.0.0.1:1/hook", json!({}));
    assert!(matches!(harness.act("test", &json!({})), Err(ActionError::Unavailable(_))));
    assert!(matches!(harness.act("test", &json!({ "body": 7 })), Err(ActionError::Input(_))));
}
