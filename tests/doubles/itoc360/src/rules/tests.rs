use serde_json::json;

use super::*;

fn run(metrics: Value) -> Value {
    json!({ "monitor_uid": "m", "monitor_name": "Orders", "metrics": metrics })
}

fn alert(status: &str) -> Value {
    json!({
        "status": status,
        "version": "4",
        "alerts": [{
            "status": status,
            "fingerprint": "m",
            "labels": { "severity": "error" },
            "startsAt": "2026-01-15T08:30:00Z",
            "endsAt": "2026-01-15T08:31:00Z",
        }],
        "commonAnnotations": { "summary": "Orders fail" },
    })
}

#[test]
fn counters_of_a_run_open_and_resolve() {
    #[track_caller]
    fn check(metrics: Value, kind: Option<Kind>) {
        assert_eq!(postman_monitors(&run(metrics)).unwrap().kind, kind);
    }
    check(json!({ "failedTests": 1, "errors": 0 }), Some(Kind::Alert));
    check(json!({ "failedTests": 0, "errors": 1 }), Some(Kind::Alert));
    check(json!({ "failedTests": 1 }), Some(Kind::Alert));
    check(json!({ "failedTests": 0, "errors": 0 }), Some(Kind::Resolve));
    check(json!({ "failedTests": 0 }), None);
    check(json!({ "failedTestCount": 1, "errorCount": 0 }), None);
}

#[test]
fn a_run_is_matched_by_the_monitors_id_or_name() {
    let mut body = run(json!({}));
    assert_eq!(postman_monitors(&body).unwrap().fingerprint, "m");
    body["monitor_uid"].take();
    assert_eq!(postman_monitors(&body).unwrap().fingerprint, "Orders");
    body["monitor_name"].take();
    assert_eq!(postman_monitors(&body), Err(Refusal::INVALID));
    assert_eq!(postman_monitors(&json!({ "monitor_uid": "m" })), Err(Refusal::INVALID));
}

#[test]
fn alerts_that_fire_or_are_resolved_are_taken() {
    let expected = |kind| Event {
        fingerprint: "m".to_owned(),
        kind: Some(kind),
        title: "Orders fail".to_owned(),
        priority: Some("HIGH"),
    };
    assert_eq!(alertmanager(&alert("firing")), Ok(expected(Kind::Alert)));
    assert_eq!(alertmanager(&alert("resolved")), Ok(expected(Kind::Resolve)));
}

#[test]
fn any_other_status_is_an_error_of_the_server() {
    for body in [alert("pending"), alert("FIRING"), alert(""), json!({})] {
        assert_eq!(alertmanager(&body).unwrap_err().status, 500, "{body}");
    }
}

#[test]
fn alerts_that_are_not_whole_are_refused() {
    let check = |pointer: &str, value: Value| {
        let mut body = alert("resolved");
        *body.pointer_mut(pointer).unwrap() = value;
        assert_eq!(alertmanager(&body), Err(Refusal::INVALID), "{body}");
    };
    for field in ["fingerprint", "startsAt", "endsAt", "status"] {
        check(&format!("/alerts/0/{field}"), Value::Null);
    }
    check("/alerts", json!([]));
    check("/alerts/0/fingerprint", json!(" "));
    check("/alerts/0/status", json!("firing"));
    check("/alerts/0/endsAt", json!("later"));
    check("/version", json!("3"));
    check("/commonAnnotations/summary", json!(""));
    check("/commonAnnotations", Value::Null);
}

#[test]
fn severities_are_priorities() {
    let of = |severity: &str| {
        let mut body = alert("firing");
        body["alerts"][0]["labels"]["severity"] = severity.into();
        alertmanager(&body).unwrap().priority
    };
    let severities = ["critical", "error", "warning", "info", "none"];
    assert_eq!(severities.map(of), [Some("CRITICAL"), Some("HIGH"), Some("MEDIUM"), Some("LOW"), None]);
}
