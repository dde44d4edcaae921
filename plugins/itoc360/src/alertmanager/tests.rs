use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::{facts::tests::failing, texts::Texts};

fn alert(facts: &Facts) -> Alert<'_> {
    static NONE: BTreeMap<String, String> = BTreeMap::new();
    let texts = Texts::new(None, None).unwrap();
    Alert {
        fingerprint: "m",
        facts,
        summary: texts.summary(facts),
        description: texts.description(facts),
        starts_unix_ms: 1_795_289_807_042,
        received_unix_ms: 1_795_289_867_042,
        labels: Vec::new(),
        fixed_labels: &NONE,
    }
}

fn json(alert: &Alert<'_>) -> Value {
    serde_json::to_value(alert.body()).unwrap()
}

#[test]
fn a_failing_run_is_a_firing_alert() {
    let labels = json!({
        "collection": "Shop",
        "monitor": "Checkout",
        "monitor_id": "m",
        "severity": "error",
        "source": "acme",
    });
    let annotations = json!({
        "summary": "Monitor Checkout is failing",
        "description": "failed tests: 2, errors: 0, requests: 4, total latency in ms: 100, collection: Shop",
    });
    let expected = json!({
        "receiver": "postroom",
        "status": "firing",
        "alerts": [{
            "status": "firing",
            "labels": labels,
            "annotations": annotations,
            "startsAt": "2026-11-21T19:36:47Z",
            "fingerprint": "m",
        }],
        "groupLabels": { "fingerprint": "m" },
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "version": "4",
        "groupKey": "m",
    });
    assert_eq!(json(&alert(&failing())), expected);
}

#[test]
fn a_resolved_alert_has_an_end() {
    let facts = Facts { status: Status::Resolved, ..failing() };
    let body = json(&alert(&facts));
    assert_eq!((&body["status"], &body["alerts"][0]["status"]), (&json!("resolved"), &json!("resolved")));
    assert_eq!(body["alerts"][0]["startsAt"], "2026-11-21T19:36:47Z");
    assert_eq!(body["alerts"][0]["endsAt"], "2026-11-21T19:37:47Z");
    assert_eq!(body["commonAnnotations"]["summary"], "Monitor Checkout passes again");
}

#[test]
fn labels_come_along_but_do_not_replace_those_of_the_monitor() {
    let facts = failing();
    let fixed =
        BTreeMap::from([("team", "orders"), ("tier", "1\n2")].map(|(k, v)| (k.to_owned(), v.to_owned())));
    let mut alert = alert(&facts);
    alert.fixed_labels = &fixed;
    alert.labels = vec![
        ("team", "payments"),
        ("cost-centre", "7"),
        ("2nd", "x"),
        ("severity", "none"),
        ("monitor", "?"),
    ];
    let labels = &json(&alert)["commonLabels"];
    assert_eq!(labels["team"], "orders", "the settings win over the event");
    assert_eq!(labels["tier"], "1 2");
    assert_eq!((&labels["cost_centre"], &labels["_2nd"]), (&json!("7"), &json!("x")));
    assert_eq!((&labels["severity"], &labels["monitor"]), (&json!("error"), &json!("Checkout")));
}

#[test]
fn the_link_comes_from_a_label() {
    let facts = failing();
    let link = |label| {
        let mut alert = alert(&facts);
        alert.labels = vec![("generator_url", label)];
        let mut body = json(&alert);
        assert_eq!(body["commonLabels"].get("generator_url"), None);
        body["alerts"][0]["generatorURL"].take()
    };
    assert_eq!(link("https://go.postman.co/monitors/1"), "https://go.postman.co/monitors/1");
    assert_eq!(link("javascript:alert(1)"), Value::Null);
    assert_eq!(link("x"), Value::Null);
}
