use std::time::Duration;

use postroom_sdk::{
    Level, Verdict,
    testing::{EventFixture, OutcomeKind, PluginHarness, StartError, TestOutcome},
};
use serde_json::{Value, json};

use super::*;
use crate::http_double::HttpDouble;

mod actions;
mod changes;

const TOKEN: &str = "s3cret-t0ken";
const MONITOR_ID: &str = "1e8eea47-e976-4b60-a122-11a5ba65085a";

/// What ITOC360 got.
pub(crate) struct Sent {
    pub(crate) body: Value,
    pub(crate) outcome: TestOutcome,
}

/// Delivers an event to an ITOC360 that takes it.
#[track_caller]
pub(crate) fn sends(config: Value, event: &EventFixture) -> Sent {
    let double = HttpDouble::start([ok("{}")]);
    let outcome = start(&double, config).deliver(event);
    assert_eq!(outcome.kind, OutcomeKind::Delivered, "{outcome:?}");
    Sent { body: serde_json::from_slice(&double.request().body).unwrap(), outcome }
}

/// Delivers an event that never gets to ITOC360.
#[track_caller]
pub(crate) fn outcome(config: Value, event: &EventFixture) -> TestOutcome {
    start(&HttpDouble::start([""; 0]), config).deliver(event)
}

/// Starts against `double`; `config` is added to the settings.
#[track_caller]
fn start(double: &HttpDouble, mut config: Value) -> PluginHarness<Itoc360> {
    config["token"] = json!({ "$secret": "token" });
    config["base_url"] = json!(double.url());
    PluginHarness::builder().config(config).secret("token", TOKEN).start().unwrap()
}

/// Delivers a run with `failed` failed tests to an ITOC360 that gives `reply`.
#[track_caller]
fn deliver(reply: &str, failed: u32) -> (TestOutcome, Vec<String>) {
    let double = HttpDouble::start([reply]);
    let harness = start(&double, json!({}));
    let outcome = harness.deliver(&EventFixture::monitor_run(failed));
    let warnings =
        harness.logs().into_iter().filter(|line| line.level == Level::Warn).map(|line| line.message);
    let warnings = warnings.collect();
    check_no_secret(&outcome, harness);
    (outcome, warnings)
}

#[track_caller]
fn check_no_secret(outcome: &TestOutcome, harness: PluginHarness<Itoc360>) {
    let seen = format!("{outcome:?} {:?}", harness.shut_down());
    assert!(!seen.contains(TOKEN), "{seen}");
}

fn ok(body: &str) -> String {
    format!("200 OK\r\nContent-Type: application/json\r\n\r\n{body}")
}

#[test]
fn mode_postman_sends_the_body_unchanged_with_the_token_as_bearer() {
    let double = HttpDouble::start([ok("{}")]);
    let harness = start(&double, json!({}));
    let body = b"{ \"metrics\" : {\"failedTests\":1, \"x\":1.0},\r\n\t\"monitor_name\":\"\xc3\xa4\" }";
    let outcome = harness.deliver(&EventFixture::monitor_run(1).body(body));
    assert_eq!(outcome.kind, OutcomeKind::Delivered);

    let request = double.request();
    assert_eq!(request.line, "POST /functions/v1/events");
    assert_eq!(request.body, body);
    assert_eq!(request.header("authorization"), Some("Bearer s3cret-t0ken"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("accept"), Some("application/json"));
    assert!(request.header("user-agent").unwrap().starts_with("postroom-itoc360/"));
    check_no_secret(&outcome, harness);
}

#[test]
fn mode_alertmanager_sends_an_alert_by_the_verdict() {
    let double = HttpDouble::start([ok("{}"), ok("{}")]);
    let harness = start(&double, json!({ "mode": "alertmanager" }));
    for (failed, status) in [(2, "firing"), (0, "resolved")] {
        drop(harness.deliver(&EventFixture::monitor_run(failed).label("team", "payments")));
        let body: Value = serde_json::from_slice(&double.request().body).unwrap();
        assert_eq!(body["status"], status);
        assert_eq!(body["alerts"][0]["fingerprint"], MONITOR_ID);
        assert_eq!(body["alerts"][0]["startsAt"], "2025-01-01T00:00:00Z");
        assert_eq!(body["commonLabels"]["team"], "payments");
    }
}

#[test]
fn without_an_id_the_monitors_name_is_the_fingerprint() {
    let double = HttpDouble::start([ok("{}"), ok("{}")]);
    let harness = start(&double, json!({ "mode": "alertmanager" }));
    let bodies = [r#"{"metrics":{},"monitor_name":"Checkout"}"#, r#"{"metrics":{},"monitor_x":1}"#];
    let fingerprints = bodies.map(|body| {
        drop(harness.deliver(&EventFixture::monitor_run(1).body(body)));
        let body: Value = serde_json::from_slice(&double.request().body).unwrap();
        body["alerts"][0]["fingerprint"].as_str().unwrap().to_owned()
    });
    assert_eq!(fingerprints, ["Checkout".to_owned(), format!("monitor:{MONITOR_ID}")]);
}

#[test]
fn mode_alertmanager_does_nothing_about_an_unknown_verdict() {
    let double = HttpDouble::start([""; 0]);
    let harness = start(&double, json!({ "mode": "alertmanager" }));
    let outcome = harness.deliver(&EventFixture::monitor_run(0).verdict(Verdict::Unknown));
    assert_eq!(outcome.kind, OutcomeKind::Skipped, "{outcome:?}");
    let logs = harness.logs();
    assert!(logs.iter().any(|line| line.level == Level::Warn && line.in_delivery), "{logs:?}");
}

#[test]
fn other_kinds_are_skipped() {
    let harness = start(&HttpDouble::start([""; 0]), json!({}));
    let outcome = harness.deliver(&EventFixture::activity());
    assert_eq!(
        (outcome.kind, outcome.message.as_str()),
        (OutcomeKind::Skipped, "activity is nothing that ITOC360 is told of")
    );
}

#[test]
fn the_reply_is_recorded() {
    let reply = r#"{"id":"42","tenant_id":"t","type":"ALERT","fingerprint":"f","payload":{"a":1},"new":[]}"#;
    let (outcome, warnings) = deliver(&ok(reply), 1);
    assert_eq!(
        outcome.record,
        Some(json!({ "itoc360": { "id": "42", "type": "ALERT", "fingerprint": "f" } }))
    );
    assert_eq!((outcome.message.as_str(), warnings.len()), ("", 0));
}

#[test]
fn a_reply_may_lack_anything() {
    for reply in ["{}", r#"{"id":null,"type":7,"fingerprint":{}}"#] {
        let (outcome, warnings) = deliver(&ok(reply), 1);
        assert_eq!(outcome.kind, OutcomeKind::Delivered);
        assert_eq!(outcome.record, Some(json!({ "itoc360": {} })));
        assert_eq!(warnings.len(), 0, "{warnings:?}");
    }
}

#[test]
fn a_reply_that_contradicts_the_run_is_a_warning() {
    for (failed, type_) in [(1, "RESOLVE"), (0, "ALERT")] {
        let (outcome, warnings) = deliver(&ok(&format!(r#"{{"type":"{type_}"}}"#)), failed);
        assert_eq!(outcome.kind, OutcomeKind::Delivered);
        assert!(outcome.message.contains(type_), "{outcome:?}");
        assert_eq!(warnings, [outcome.message]);
    }
    let (outcome, warnings) = deliver(&ok(r#"{"type":"RESOLVE"}"#), 0);
    assert_eq!((outcome.message.as_str(), warnings.len()), ("", 0));
}

#[test]
fn a_reply_of_somebody_else_is_a_warning() {
    for reply in ["", "<html>Welcome</html>", "[]"] {
        let (outcome, warnings) = deliver(&ok(reply), 1);
        assert_eq!((outcome.kind, warnings.len()), (OutcomeKind::Delivered, 1), "{reply}");
        assert!(outcome.message.contains("base_url"), "{outcome:?}");
    }
}

#[test]
fn every_answer_has_its_outcome() {
    use OutcomeKind::{Misconfigured, Permanent, RateLimited, Retry};
    #[track_caller]
    fn check(reply: &str, kind: OutcomeKind, message: &str) {
        let (outcome, _) = deliver(reply, 1);
        assert_eq!(outcome.kind, kind, "{outcome:?}");
        assert!(outcome.message.contains(message), "{outcome:?}");
    }
    check("400 Bad Request\r\n\r\n{\"error\":\"Invalid payload\"}", Permanent, "Invalid payload");
    check("401 Unauthorized\r\n\r\n{\"error\":\"Unauthorized\"}", Misconfigured, "does not know the token");
    check("402 Payment Required\r\n\r\n{\"error\":\"Subscription inactive\"}", Misconfigured, "renew it");
    check("403 Forbidden\r\n\r\n", Misconfigured, "403");
    check("404 Not Found\r\n\r\n{\"error\":\"Source not found\"}", Misconfigured, "no source for the token");
    check(
        "404 Not Found\r\n\r\n{\"message\":\"source not found.\"}",
        Misconfigured,
        "no source for the token",
    );
    check("404 Not Found\r\n\r\n{\"error\":\"Tenant not found\"}", Permanent, "Tenant not found");
    check("404 Not Found\r\n\r\n<html>Source not found</html>", Misconfigured, "no ITOC360 at this address");
    check("405 Not Allowed\r\n\r\n<html></html>", Misconfigured, "no ITOC360 at this address");
    check("422 Unprocessable Entity\r\n\r\n", Permanent, "422");
    for status in
        ["408 Request Timeout", "425 Too Early", "429 Too Many Requests", "500 Oops", "503 Busy", "599 X"]
    {
        check(&format!("{status}\r\n\r\nlater"), Retry, "later");
    }
    check("429 Too Many Requests\r\nRetry-After: 7\r\n\r\n", RateLimited, "429");
    check("302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", Misconfigured, "base_url");
}

#[test]
fn the_asked_for_wait_is_passed_on() {
    for reply in ["429 Too Many Requests\r\nRetry-After: 7\r\n\r\n", "503 Busy\r\nRetry-After: 7\r\n\r\n"] {
        assert_eq!(deliver(reply, 1).0.retry_after, Some(Duration::from_secs(7)), "{reply}");
    }
}

#[test]
fn an_answer_in_an_error_is_short_and_does_not_repeat_the_token() {
    let page = format!("400 Bad Request\r\n\r\n<html>\n\n<p>{TOKEN}</p>{}", "x".repeat(100_000));
    let (outcome, _) = deliver(&page, 1);
    assert!(outcome.message.chars().count() < 300 && !outcome.message.contains('\n'), "{outcome:?}");
}

#[test]
fn no_connection_is_tried_again() {
    let double = HttpDouble::start(["200 OK\r\n\r\n{}"]);
    let harness = start(&double, json!({}));
    drop(harness.deliver(&EventFixture::monitor_run(1)));
    drop(double.request());
    drop(double);
    let outcome = harness.deliver(&EventFixture::monitor_run(1));
    assert_eq!(outcome.kind, OutcomeKind::Retry, "{outcome:?}");
    assert!(!outcome.message.contains("http://"), "{outcome:?}");
}

#[test]
fn a_pasted_webhook_url_is_a_token_with_an_address() {
    let double = HttpDouble::start([ok("{}")]);
    let pasted = format!("{}/own/functions/v1/events?token={TOKEN}\n", double.url());
    let config = json!({ "token": { "$secret": "token" } });
    let harness =
        PluginHarness::<Itoc360>::builder().config(config).secret("token", &pasted).start().unwrap();
    let outcome = harness.deliver(&EventFixture::monitor_run(1));
    let request = double.request();
    assert_eq!(request.line, "POST /own/functions/v1/events");
    assert_eq!(request.header("authorization"), Some("Bearer s3cret-t0ken"));
    check_no_secret(&outcome, harness);
}

#[test]
fn a_token_that_was_rotated_is_used_at_once() {
    let double = HttpDouble::start([ok("{}"), ok("{}")]);
    let harness = start(&double, json!({}));
    drop(harness.deliver(&EventFixture::monitor_run(1)));
    harness.set_secret("token", "n3w");
    drop(harness.deliver(&EventFixture::monitor_run(1)));
    let tokens = [double.request(), double.request()]
        .map(|request| request.header("authorization").map(str::to_owned));
    assert_eq!(tokens, [Some("Bearer s3cret-t0ken".to_owned()), Some("Bearer n3w".to_owned())]);
    harness.set_secret("token", "b a d");
    let outcome = harness.deliver(&EventFixture::monitor_run(1));
    assert_eq!((outcome.kind, outcome.code.as_str()), (OutcomeKind::Misconfigured, "token"));
}

#[test]
fn a_token_that_is_none_is_refused_at_the_start() {
    for (secret, message) in [("token", "characters that no token has"), ("other", "is not named")] {
        let config = json!({ "token": { "$secret": "token" } });
        let start = PluginHarness::<Itoc360>::builder().config(config).secret(secret, "b a d").start();
        let Err(StartError::Create { config: true, message: seen }) = start else { panic!("{start:?}") };
        assert!(seen.contains(message) && !seen.contains("b a d"), "{seen}");
    }
}

#[test]
fn wrong_settings_are_named() {
    #[track_caller]
    fn check(mut config: Value, path: &str, message: &str) {
        config["token"].as_null().inspect(|()| config["token"] = json!({ "$secret": "token" }));
        let faults = PluginHarness::<Itoc360>::validate(&config);
        let [fault] = &faults[..] else { panic!("one fault expected: {faults:?}") };
        assert_eq!(fault.path, path, "{fault:?}");
        assert!(fault.message.contains(message), "{fault:?}");
    }
    check(json!({ "base_url": "api.itoc360.app" }), "/base_url", "https://api.itoc360.app");
    check(json!({ "base_url": "https://x/?token=y" }), "/base_url", "query");
    check(json!({ "mode": "grafana" }), "/mode", "alertmanager");
    check(json!({ "timeout": "soon" }), "/timeout", "10s");
    check(json!({ "timeout": "0s" }), "/timeout", "no time");
    check(json!({ "summary": "{monitr} fails" }), "/summary", "there is no placeholder {monitr}");
    check(json!({ "description": "{" }), "/description", "brace");
    check(json!({ "labels": { "cost-centre": "7" } }), "/labels/cost-centre", "not the name of a label");
    check(json!({ "labels": { "severity": "none" } }), "/labels/severity", "choose another name");
    check(json!({ "from": "incidents" }), "/from", "mode = \"alertmanager\"");
    check(json!({ "from": "both" }), "/from", "incidents");
    check(json!({ "send": "some" }), "/send", "every_run");
    check(json!({ "severity": { "errors": "bad" } }), "/severity/errors", "critical");
    check(json!({ "severity": { "silence": "info" } }), "/severity/silence", "unknown field");
    check(json!({ "tokn": 1 }), "/tokn", "unknown field");
    check(json!({ "token": "in clear" }), "/token", "{ env");
    assert_eq!(PluginHarness::<Itoc360>::validate(&json!({})).len(), 1, "the token is required");
}

#[test]
fn the_manifest_is_what_operators_know() {
    let mut manifest = PluginHarness::<Itoc360>::manifest().unwrap();
    let schema = manifest.as_object_mut().unwrap().remove("config_schema").unwrap();
    let actions = manifest.as_object_mut().unwrap().remove("actions").unwrap();
    let actions: Vec<_> = actions.as_array().unwrap().iter().map(|action| &action["name"]).collect();
    assert_eq!(actions, ["test", "open-incidents"]);
    assert_eq!(
        manifest,
        json!({
            "manifest": 1,
            "abi": "1.1",
            "id": "itoc360",
            "name": "ITOC360",
            "description": "Opens and resolves ITOC360 incidents from the runs of Postman's monitors",
            "version": env!("CARGO_PKG_VERSION"),
            "capabilities": ["log", "secrets", "clock", "state"],
            "kinds": [
                "monitor_run",
                "incident_opened",
                "incident_reminder",
                "incident_resolved",
                "monitor_silent",
                "monitor_resumed",
            ],
            "concurrency": 16,
            "network": ["*:*"],
            "filesystem": [],
        })
    );
    let settings: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(
        settings,
        [
            "base_url",
            "token",
            "mode",
            "from",
            "send",
            "severity",
            "summary",
            "description",
            "labels",
            "timeout"
        ]
    );
}
