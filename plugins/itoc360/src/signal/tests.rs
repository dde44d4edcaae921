//! Through the harness, because only it makes events: what an incident event becomes is seen in what is sent.

use postroom_sdk::testing::{EventFixture, OutcomeKind};
use serde_json::{Value, json};

use crate::plugin::tests::{Sent, sends};

fn incident(kind: &str) -> EventFixture {
    let body = json!({
        "kind": kind,
        "incident": {
            "id": "0193-…",
            "opened_at": "2024-12-31T22:55:00.123Z",
            "severity": "warning",
            "runs": 9,
            "failed_runs": 7,
            "duration_s": 3900,
        },
        "monitor": { "uid": "m1", "name": "Checkout", "collection_name": "Shop", "environment_name": null },
        "run": { "event_id": "e", "verdict": "failed", "requests": 3, "failed_tests": 2, "errors": 0,
            "latency_mean_ms": 12.75 },
        "failures": [{ "name": "status is 200", "error": "got 500" }, { "name": "has a body" }],
    });
    EventFixture::raw(kind, body.to_string()).subject("m1").source("postroom:tracker")
}

fn from_incidents() -> Value {
    json!({ "mode": "alertmanager", "from": "incidents" })
}

#[test]
fn an_incident_opens_with_what_is_known_of_it() {
    let Sent { body, .. } = sends(from_incidents(), &incident("incident_opened"));
    assert_eq!((&body["status"], &body["groupKey"]), (&json!("firing"), &json!("m1")));
    assert_eq!(body["alerts"][0]["startsAt"], "2024-12-31T22:55:00Z");
    assert_eq!(
        body["commonLabels"],
        json!({ "collection": "Shop", "monitor": "Checkout", "monitor_id": "m1", "severity": "warning",
            "source": "postroom:tracker" })
    );
    assert_eq!(
        body["commonAnnotations"],
        json!({
            "summary": "Monitor Checkout is failing",
            "description": "failed tests: 2, errors: 0, requests: 3, mean latency in ms: 12, runs: 9, failed runs: 7, \
                since: 1 h 5 min, collection: Shop, failures: status is 200: got 500; has a body",
        })
    );
}

#[test]
fn a_reminder_fires_again_and_a_resolve_ends_it() {
    let status = |kind| sends(from_incidents(), &incident(kind)).body;
    assert_eq!(status("incident_reminder")["status"], "firing");
    let resolved = status("incident_resolved");
    assert_eq!(resolved["status"], "resolved");
    assert_eq!(resolved["alerts"][0]["fingerprint"], "m1");
    assert_eq!(resolved["alerts"][0]["startsAt"], "2024-12-31T22:55:00Z");
    assert_eq!(resolved["alerts"][0]["endsAt"], "2025-01-01T00:00:00Z");
    assert_eq!(resolved["commonLabels"]["severity"], "warning");
}

#[test]
fn a_silence_is_an_incident_of_its_own() {
    let body = json!({ "monitor": { "uid": "m1", "name": "Checkout" },
        "silence": { "since": "2024-12-31T22:00:00Z", "expected_every_s": 300 } });
    for from in ["runs", "incidents"] {
        let config = json!({ "mode": "alertmanager", "from": from });
        let event = |kind: &str| EventFixture::raw(kind, body.to_string()).subject("m1");
        let silent = sends(config.clone(), &event("monitor_silent")).body;
        assert_eq!(silent["alerts"][0]["fingerprint"], "m1:silent");
        assert_eq!(
            (&silent["status"], &silent["commonLabels"]["severity"]),
            (&json!("firing"), &json!("warning"))
        );
        assert_eq!(silent["commonAnnotations"]["summary"], "Monitor Checkout is silent");
        assert_eq!(silent["commonAnnotations"]["description"], "silent for: 2 h");
        assert_eq!(silent["alerts"][0]["startsAt"], "2024-12-31T22:00:00Z");
        assert_eq!(sends(config, &event("monitor_resumed")).body["status"], "resolved");
    }
}

#[test]
fn a_body_that_says_little_is_enough() {
    let bare = EventFixture::raw("incident_opened", "?").subject("m1");
    let body = sends(from_incidents(), &bare).body;
    assert_eq!(body["commonAnnotations"], json!({ "summary": "Monitor m1 is failing" }));
    assert_eq!(body["commonLabels"]["severity"], "error");
    let odd = json!({ "incident": { "severity": "apocalypse", "runs": -1 }, "run": { "errors": 1 }, "failures": 7 });
    let odd = EventFixture::raw("incident_opened", odd.to_string()).subject("m1");
    assert_eq!(sends(from_incidents(), &odd).body["commonLabels"]["severity"], "critical");
}

#[test]
fn what_is_not_taken_is_skipped_with_a_reason() {
    #[track_caller]
    fn check(config: Value, event: &EventFixture, why: &str) {
        let outcome = crate::plugin::tests::outcome(config, event);
        assert_eq!(outcome.kind, OutcomeKind::Skipped, "{outcome:?}");
        assert!(outcome.message.contains(why), "{outcome:?}");
    }
    check(json!({}), &incident("incident_opened"), "mode postman sends runs");
    check(json!({}), &incident("monitor_silent"), "mode postman sends runs");
    check(json!({ "mode": "alertmanager" }), &incident("incident_opened"), "takes runs, not incidents");
    check(from_incidents(), &EventFixture::monitor_run(1), "takes incidents, not runs");
    check(from_incidents(), &incident("backup_overdue"), "backup_overdue is nothing that ITOC360 is told of");
}

#[test]
fn an_incident_of_no_monitor_is_a_dead_letter() {
    let outcome =
        crate::plugin::tests::outcome(from_incidents(), &EventFixture::raw("incident_opened", "{}"));
    assert_eq!((outcome.kind, outcome.code.as_str()), (OutcomeKind::Permanent, "no_monitor"));
}
