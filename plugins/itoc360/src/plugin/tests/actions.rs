//! What people can have it do.

use postroom_sdk::ActionError;

use super::*;

#[track_caller]
fn run_test(config: Value, replies: &[String]) -> (Value, Vec<crate::http_double::Request>) {
    let double = HttpDouble::start(replies.to_vec());
    let harness = start(&double, config);
    let answer = harness.act("test", &json!({})).unwrap();
    let requests = replies.iter().map(|_| double.request()).collect();
    let seen = format!("{answer} {:?}", harness.shut_down());
    assert!(!seen.contains(TOKEN), "{seen}");
    (answer, requests)
}

fn reply(kind: &str) -> String {
    ok(&format!(r#"{{"id":"42","type":"{kind}"}}"#))
}

#[test]
fn a_test_opens_and_resolves_an_incident_of_its_own() {
    let config = json!({ "mode": "alertmanager", "labels": { "team": "payments" } });
    let (answer, requests) = run_test(config, &[reply("ALERT"), reply("RESOLVE")]);
    assert_eq!(
        (&answer["ok"], &answer["fingerprint"]),
        (&json!(true), &json!("postroom-test-1735689600000"))
    );
    assert_eq!(answer["opened"], json!({ "status": 200, "accepted": true, "id": "42", "type": "ALERT" }));
    assert_eq!(answer["resolved"]["type"], "RESOLVE");
    let bodies: Vec<Value> =
        requests.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
    for (body, status) in bodies.iter().zip(["firing", "resolved"]) {
        assert_eq!(body["status"], status);
        assert_eq!(body["groupKey"], answer["fingerprint"]);
        assert_eq!(
            body["commonLabels"],
            json!({ "monitor": "Postroom test, nothing is wrong", "severity": "info",
            "source": "postroom", "test": "true" })
        );
        assert!(body["commonAnnotations"]["summary"].as_str().unwrap().contains("test"), "{body}");
    }
}

#[test]
fn a_test_in_mode_postman_is_a_run_of_a_monitor_that_does_not_exist() {
    let (answer, requests) = run_test(json!({}), &[reply("ALERT"), reply("RESOLVE")]);
    assert_eq!(answer["ok"], true, "{answer}");
    let failed = requests.iter().map(|request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["monitor_uid"], answer["fingerprint"]);
        body["metrics"]["failedTests"].as_u64().unwrap()
    });
    assert_eq!(failed.collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn a_refused_test_says_what_to_do_and_is_not_resolved() {
    let refused = "401 Unauthorized\r\n\r\n{\"error\":\"Unauthorized\"}".to_owned();
    let (answer, _) = run_test(json!({}), &[refused]);
    assert_eq!((&answer["ok"], &answer["opened"]["status"]), (&json!(false), &json!(401)));
    assert!(answer["opened"]["problem"].as_str().unwrap().contains("copy it again"), "{answer}");
    assert_eq!(answer.get("resolved"), None);
}

#[test]
fn a_test_that_stays_open_is_resolved_again() {
    let busy = "503 Busy\r\n\r\n".to_owned();
    let (answer, _) = run_test(json!({}), &[reply("ALERT"), busy.clone(), reply("RESOLVE")]);
    assert_eq!(answer["ok"], true, "{answer}");
    let (answer, _) = run_test(json!({}), &[reply("ALERT"), busy.clone(), busy.clone(), busy]);
    assert_eq!((&answer["ok"], &answer["resolved"]["status"]), (&json!(false), &json!(503)));
}

#[test]
fn an_odd_answer_to_a_test_is_said() {
    let (answer, _) = run_test(json!({}), &[reply("RESOLVE"), ok("<html>")]);
    assert_eq!(answer["ok"], false);
    assert!(answer["opened"]["problem"].as_str().unwrap().contains("provider"), "{answer}");
    assert!(answer["resolved"]["problem"].as_str().unwrap().contains("base_url"), "{answer}");
}

#[test]
fn open_incidents_are_those_that_itoc360_was_told_of() {
    let double = HttpDouble::start([ok("{}"), ok("{}"), ok("{}"), "503 Busy\r\n\r\n".to_owned()]);
    let harness = start(&double, json!({ "mode": "alertmanager" }));
    assert_eq!(harness.act("open-incidents", &json!({})).unwrap(), json!({ "incidents": [], "total": 0 }));
    let run = |monitor: &str, failed: u32| {
        let body = json!({ "monitor_uid": monitor, "monitor_name": format!("Monitor {monitor}"),
            "metrics": { "failedTests": failed, "errors": 0 } });
        harness.advance(Duration::from_secs(60));
        EventFixture::monitor_run(failed).json(&body)
    };
    for (monitor, failed) in [("b", 1), ("a", 1), ("b", 0), ("c", 1)] {
        drop(harness.deliver(&run(monitor, failed)));
    }
    let open = |uid: &str, since: &str, confirmed: bool| json!({ "uid": uid, "name": format!("Monitor {uid}"), "since": since, "severity": "error", "confirmed": confirmed });
    assert_eq!(
        harness.act("open-incidents", &json!({})).unwrap(),
        json!({
            "incidents": [open("a", "2025-01-01T00:02:00Z", true), open("c", "2025-01-01T00:04:00Z", false)],
            "total": 2,
        })
    );
    let refused = harness.act("open-incidents", &json!({ "all": true })).unwrap_err();
    assert!(matches!(refused, ActionError::Input(_)), "{refused:?}");
}
