use serde_json::{Value, json};

use super::*;

const ID: &str = "1e8eea47-e976-4b60-a122-11a5ba65085a";

fn run(failed_tests: u64, errors: u64) -> MonitorRun {
    let mut run = MonitorRun::default();
    run.monitor_name = Some("Checkout".into());
    run.monitor_uid = Some(format!("127862-{ID}"));
    run.collection_name = Some("Shop".into());
    run.environment_name = Some("Production".into());
    run.failed_tests = Some(failed_tests);
    run.errors = Some(errors);
    run.request_count = Some(117);
    run
}

fn alert(run: &MonitorRun, status: Status) -> Alert<'_> {
    Alert {
        run,
        status,
        fingerprint: ID,
        received_unix_ms: 1_795_289_807_042,
        source: "acme",
        labels: Vec::new(),
    }
}

fn json(alert: &Alert<'_>) -> Value {
    serde_json::to_value(alert.body()).unwrap()
}

#[test]
fn a_failing_run_is_a_firing_alert() {
    let labels = json!({
        "collection": "Shop",
        "environment": "Production",
        "monitor": "Checkout",
        "monitor_id": ID,
        "severity": "error",
        "source": "acme",
    });
    let annotations = json!({
        "summary": "Monitor Checkout is failing",
        "description": "failed tests: 2, errors: 0, requests: 117, collection: Shop, environment: Production",
    });
    let expected = json!({
        "receiver": "postroom",
        "status": "firing",
        "alerts": [{
            "status": "firing",
            "labels": labels,
            "annotations": annotations,
            "startsAt": "2026-11-21T19:36:47Z",
            "fingerprint": ID,
        }],
        "groupLabels": { "fingerprint": ID },
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "version": "4",
        "groupKey": ID,
    });
    assert_eq!(json(&alert(&run(2, 0), Status::Firing)), expected);
}

#[test]
fn a_passing_run_is_a_resolved_alert_with_an_end() {
    let body = json(&alert(&run(0, 0), Status::Resolved));
    assert_eq!(body["status"], "resolved");
    assert_eq!(body["alerts"][0]["status"], "resolved");
    assert_eq!(body["alerts"][0]["endsAt"], "2026-11-21T19:36:47Z");
    assert_eq!(body["commonAnnotations"]["summary"], "Monitor Checkout passes again");
    assert_eq!(body["commonLabels"]["severity"], "info");
}

#[test]
fn errors_are_worse_than_failed_tests() {
    let severity = |failed, errors| {
        json(&alert(&run(failed, errors), Status::Firing))["commonLabels"]["severity"].take()
    };
    assert_eq!(severity(3, 0), "error");
    assert_eq!(severity(0, 1), "critical");
    assert_eq!(severity(3, 1), "critical");
}

#[test]
fn labels_of_the_event_come_along_but_do_not_replace_those_of_the_run() {
    let run = run(1, 0);
    let mut alert = alert(&run, Status::Firing);
    alert.labels = vec![
        ("team", "payments"),
        ("cost-centre", "7"),
        ("2nd", "x"),
        ("severity", "none"),
        ("monitor", "?"),
    ];
    let labels = &json(&alert)["commonLabels"];
    assert_eq!(labels["team"], "payments");
    assert_eq!(labels["cost_centre"], "7");
    assert_eq!(labels["_2nd"], "x");
    assert_eq!(labels["severity"], "error");
    assert_eq!(labels["monitor"], "Checkout");
}

#[test]
fn the_link_comes_from_a_label() {
    let run = run(1, 0);
    let link = |label| {
        let mut alert = alert(&run, Status::Firing);
        alert.labels = vec![("generator_url", label)];
        let mut body = json(&alert);
        assert_eq!(body["commonLabels"].get("generator_url"), None);
        body["alerts"][0]["generatorURL"].take()
    };
    assert_eq!(link("https://go.postman.co/monitors/1"), "https://go.postman.co/monitors/1");
    assert_eq!(link("javascript:alert(1)"), Value::Null);
    assert_eq!(link("x"), Value::Null);
}

#[test]
fn a_bare_run_still_has_a_title() {
    let run = MonitorRun::default();
    let body = json(&alert(&run, Status::Firing));
    assert_eq!(
        body["commonAnnotations"],
        json!({ "summary": format!("Monitor {ID} is failing"), "description": "" })
    );
    assert_eq!(body["commonLabels"], json!({ "severity": "error", "source": "acme" }));
}
