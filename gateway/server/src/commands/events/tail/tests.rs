use serde_json::{Value, json};

use super::{line, missed};

#[track_caller]
fn check(topic: &str, data: Value, shown: &str) {
    assert_eq!(line(topic, &data, &json!("2026-09-21T15:00:00.125Z")), shown);
}

#[test]
fn a_message_is_a_line() {
    check(
        "events",
        json!({"id": "e1", "received_at": "2026-09-21T14:13:20.125Z", "source": "acme", "kind": "monitor_run",
               "verdict": "failed", "subject": "m", "monitor": {"id": "m", "name": "Checkout"}}),
        "2026-09-21T14:13:20Z  event         monitor_run  failed  Checkout  acme  e1",
    );
    check(
        "events",
        json!({"id": "e2", "received_at": "2026-09-21T14:13:20Z", "source": "acme", "kind": "unrecognized"}),
        "2026-09-21T14:13:20Z  event         unrecognized  acme  e2",
    );
    check(
        "deliveries",
        json!({"id": "7", "event_id": "e1", "destination": "mail", "state": "dead",
               "created_at": "2026-09-21T14:13:20.125Z", "finished_at": "2026-09-21T14:13:21.125Z",
               "last_outcome": {"kind": "permanent", "message": "no such mailbox"}}),
        "2026-09-21T14:13:21Z  delivery      mail  dead  no such mailbox  7  e1",
    );
    let waits = json!({"id": "7", "event_id": "e1", "destination": "mail", "state": "pending", "attempts_made": 0,
                       "created_at": "2026-09-21T14:13:20.125Z"});
    check("deliveries", waits.clone(), "2026-09-21T14:13:20Z  delivery      mail  pending  7  e1");
    let mut retried = waits;
    retried["state"] = json!("retrying");
    retried["attempts_made"] = json!(1);
    retried["last_outcome"] = json!({"kind": "retry", "message": "busy"});
    check("deliveries", retried, "2026-09-21T15:00:00Z  delivery      mail  retrying  busy  7  e1");
    check(
        "incidents",
        json!({"id": "i1", "monitor_uid": "m", "monitor_name": "Checkout", "state": "open", "severity": "error",
               "opened_at": "2026-09-21T14:13:20.125Z"}),
        "2026-09-21T14:13:20Z  incident      open  error  Checkout  i1",
    );
    check(
        "destinations",
        json!({"name": "mail", "state": "paused", "gate": "held"}),
        "2026-09-21T15:00:00Z  destination   mail  paused  held",
    );
}

#[test]
fn what_a_newer_gateway_tells_is_named_and_nothing_acts_on_the_terminal() {
    check("weather", json!({"sun": true}), "2026-09-21T15:00:00Z  weather     ");
    let named = json!({"name": "a\u{1b}[2Jb\nc", "state": "ready"});
    check("destinations", named, "2026-09-21T15:00:00Z  destination   a [2Jb c  ready");
}

#[test]
fn what_was_missed_is_said() {
    let data = json!({"topics": ["events", "deliveries"], "reason": "the disk is slow"});
    assert_eq!(missed(&data), "some events, deliveries are not shown: the disk is slow");
}
