//! What is remembered between deliveries.

use super::*;

fn alertmanager(send: &str) -> Value {
    json!({ "mode": "alertmanager", "send": send })
}

fn event(id: u32, failed: u32) -> EventFixture {
    EventFixture::monitor_run(failed).id(format!("01940000-0000-7000-8000-{id:012}"))
}

fn told(harness: &PluginHarness<Itoc360>) -> Value {
    let told = harness.state(&format!("told/{MONITOR_ID}")).expect("something is kept");
    serde_json::from_slice(&told).unwrap()
}

#[test]
fn with_changes_only_turns_are_sent() {
    let double = HttpDouble::start([ok("{}"), ok("{}"), ok("{}")]);
    let harness = start(&double, alertmanager("changes"));
    let runs = [0, 0, 1, 2, 1, 0, 0, 3];
    let kinds: Vec<_> = (1..)
        .zip(runs)
        .map(|(id, failed)| {
            harness.advance(Duration::from_secs(60));
            harness.deliver(&event(id, failed)).kind
        })
        .collect();
    use OutcomeKind::{Delivered, Skipped};
    assert_eq!(kinds, [Skipped, Skipped, Delivered, Skipped, Skipped, Delivered, Skipped, Delivered]);
    let [opened, resolved, again] = [(); 3].map(|()| {
        let body: Value = serde_json::from_slice(&double.request().body).unwrap();
        let alert = &body["alerts"][0];
        (alert["status"].clone(), alert["startsAt"].clone(), alert["endsAt"].clone())
    });
    assert_eq!(opened, (json!("firing"), json!("2025-01-01T00:03:00Z"), Value::Null));
    let (began, ended) = (json!("2025-01-01T00:03:00Z"), json!("2025-01-01T00:06:00Z"));
    assert_eq!(resolved, (json!("resolved"), began, ended));
    assert_eq!(again.1, "2025-01-01T00:08:00Z");
}

#[test]
fn mode_postman_sends_changes_too() {
    let double = HttpDouble::start([ok("{}"), ok("{}")]);
    let harness = start(&double, json!({ "send": "changes" }));
    for (id, failed) in [(1, 0), (2, 1), (3, 1), (4, 0)] {
        drop(harness.deliver(&event(id, failed)));
    }
    let failed = [double.request(), double.request()].map(|request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        body["metrics"]["failedTests"].clone()
    });
    assert_eq!(failed, [1, 0]);
    let unclear = harness.deliver(&event(5, 0).verdict(Verdict::Unknown));
    assert_eq!(unclear.kind, OutcomeKind::Skipped, "{unclear:?}");
}

#[test]
fn what_is_not_accepted_is_not_taken_for_told() {
    let refused = ["503 Busy\r\n\r\n".to_owned(), "400 Bad\r\n\r\n".to_owned(), ok("{}")];
    let double = HttpDouble::start(refused);
    let harness = start(&double, alertmanager("changes"));
    assert_eq!(harness.deliver(&event(1, 1)).kind, OutcomeKind::Retry);
    assert_eq!(told(&harness)["failing"], false);
    assert_eq!(told(&harness)["in_doubt"], true);
    assert_eq!(harness.deliver(&event(1, 1)).kind, OutcomeKind::Permanent);
    assert_eq!(harness.deliver(&event(1, 1)).kind, OutcomeKind::Delivered);
    assert_eq!(
        (told(&harness)["failing"].clone(), told(&harness)["in_doubt"].clone()),
        (json!(true), json!(false))
    );
}

/// The failed run may have arrived though its answer did not: then the run that passed has to end what it began.
#[test]
fn after_an_attempt_without_an_answer_the_next_run_is_sent_whatever_it_says() {
    let double = HttpDouble::start(["503 Busy\r\n\r\n".to_owned(), ok("{}")]);
    let harness = start(&double, alertmanager("changes"));
    drop(harness.deliver(&event(1, 1)));
    harness.advance(Duration::from_secs(60));
    assert_eq!(harness.deliver(&event(2, 0)).kind, OutcomeKind::Delivered);
    drop(double.request());
    let body: Value = serde_json::from_slice(&double.request().body).unwrap();
    assert_eq!(body["status"], "resolved");
    assert_eq!(told(&harness)["in_doubt"], false);
    assert_eq!(harness.deliver(&event(3, 0)).kind, OutcomeKind::Skipped);
}

#[test]
fn the_same_run_again_is_told_again_and_keeps_what_is_known() {
    let double = HttpDouble::start([ok("{}"), ok("{}")]);
    let harness = start(&double, alertmanager("changes"));
    drop(harness.deliver(&event(1, 1)));
    let before = told(&harness);
    assert_eq!(harness.deliver(&event(1, 1).attempt(2)).kind, OutcomeKind::Delivered);
    assert_eq!(told(&harness), before);
}

#[test]
fn a_resolved_alert_has_the_severity_that_it_began_with() {
    let double = HttpDouble::start([ok("{}"), ok("{}")]);
    let harness =
        start(&double, json!({ "mode": "alertmanager", "severity": { "failed_tests": "warning" } }));
    for (id, failed) in [(1, 1), (2, 0)] {
        drop(harness.deliver(&event(id, failed)));
        let body: Value = serde_json::from_slice(&double.request().body).unwrap();
        assert_eq!(body["commonLabels"]["severity"], "warning");
    }
}

#[test]
fn texts_and_labels_are_those_of_the_settings() {
    let config = json!({
        "mode": "alertmanager",
        "summary": "{monitor} {status} ({failed_tests} of {collection})",
        "description": "see {{wiki}}\n{environment}",
        "labels": { "team": "payments" },
    });
    let Sent { body, outcome } = sends(config, &EventFixture::monitor_run(2));
    assert_eq!(
        body["commonAnnotations"],
        json!({
            "summary": "End-to-End test Master is failing (2 of End To End Tests)",
            "description": "see {wiki} Engineering",
        })
    );
    assert_eq!(body["commonLabels"]["team"], "payments");
    assert_eq!(outcome.message, "");
}
