use postroom_core::{
    id::{IncidentId, SourceName},
    monitor::{Numbers, Severity},
};
use serde_json::{Value, json};

use super::*;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_893_499_200_000 + minutes * 60_000)
}

fn event(n: u8) -> EventId {
    EventId::from_bytes([n; 16])
}

fn told(kind: MadeKind) -> Told {
    let failing = |n| RunRef { event: event(n), at: at(n.into()) };
    Told {
        kind,
        monitor: Identity {
            uid: "m1".to_owned(),
            name: Some("Night run ".to_owned()),
            collection_name: Some("Checkout".to_owned()),
            collection_id: Some("c1".to_owned()),
            environment_name: None,
            environment_id: None,
            source: SourceName::new("acme"),
            labels: Default::default(),
        },
        incident: Some(OpenIncident {
            id: IncidentId::from_bytes([9; 16]),
            opened_at: at(1),
            severity: Severity::Critical,
            runs: 3,
            failed_runs: 2,
            first_failing: failing(1),
            last_failing: failing(2),
            reminded_at: None,
            reminders: 0,
            announced: true,
        }),
        resolved_at: None,
        silence: None,
        run: Some(Run {
            event: event(2),
            at: at(2),
            verdict: Verdict::Failed,
            numbers: Numbers {
                requests: Some(3),
                latency_total_ms: Some(100),
                errors: Some(1),
                ..Numbers::default()
            },
        }),
        caused_by: Some(event(2)),
        failures: Vec::new(),
        forgotten_by: None,
    }
}

fn body(made: &Made) -> Value {
    serde_json::from_slice(&made.body).unwrap()
}

#[test]
fn an_incident_is_told_with_all_that_is_known() {
    let error = Some("expected 200".to_owned());
    let failures = vec![Failure { name: "is up".to_owned(), request: Some("GET /".to_owned()), error }];
    let made = Told { resolved_at: Some(at(4)), failures, ..told(MadeKind::IncidentResolved) }.made(at(5));
    let expected = json!({
        "kind": "incident_resolved",
        "incident": {
            "id": "09090909-0909-0909-0909-090909090909",
            "opened_at": "2030-01-01T12:01:00.000Z",
            "resolved_at": "2030-01-01T12:04:00.000Z",
            "duration_s": 180,
            "severity": "critical",
            "runs": 3,
            "failed_runs": 2,
            "first_failing": {"event_id": "01010101-0101-0101-0101-010101010101", "at": "2030-01-01T12:01:00.000Z"},
            "last_failing": {"event_id": "02020202-0202-0202-0202-020202020202", "at": "2030-01-01T12:02:00.000Z"},
            "reminders": 0,
        },
        "monitor": {
            "uid": "m1",
            "name": "Night run",
            "collection_name": "Checkout",
            "collection_uid": "c1",
            "environment_name": null,
            "environment_uid": null,
        },
        "run": {
            "event_id": "02020202-0202-0202-0202-020202020202",
            "at": "2030-01-01T12:02:00.000Z",
            "verdict": "failed",
            "requests": 3,
            "failed_tests": null,
            "errors": 1,
            "latency_mean_ms": 33.3,
        },
        "caused_by": "02020202-0202-0202-0202-020202020202",
        "failures": [{"name": "is up", "request": "GET /", "error": "expected 200"}],
    });
    assert_eq!(body(&made), expected);
    assert_eq!(made.verdict, Some(Verdict::Passed));
    assert_eq!(made.facts.monitor_name.as_deref(), Some("Night run "), "as sent: routes match on it");
}

#[test]
fn only_a_failing_run_is_worth_asking_for() {
    let other = told(MadeKind::IncidentReminder).run.map(|run| Run { event: event(3), ..run });
    assert!(told(MadeKind::IncidentReminder).failing_run().is_some());
    assert!(told(MadeKind::IncidentResolved).failing_run().is_none());
    assert!(Told { run: other, ..told(MadeKind::IncidentReminder) }.failing_run().is_none());
}
