use std::time::Duration;

use serde_json::{Value, json};

use super::{Failure, Outcome};

const WAIT: Duration = Duration::from_secs(7);

#[test]
fn statuses_become_failures() {
    for status in [408, 425, 429, 500, 502, 503, 504, 599] {
        check_status(status, None, Failure::retry(format!("http_{status}"), "m"));
    }
    for status in [301, 302, 307, 308, 401, 403] {
        check_status(status, None, Failure::misconfigured(format!("http_{status}"), "m"));
    }
    for status in [400, 402, 404, 409, 410, 413, 422] {
        check_status(status, None, Failure::permanent(format!("http_{status}"), "m"));
    }
    check_status(429, Some(WAIT), Failure::rate_limited(WAIT, "m"));
    check_status(503, Some(WAIT), Failure::retry_after(WAIT, "http_503", "m"));
    check_status(999, None, Failure::retry("http_999", "m"));
}

#[track_caller]
fn check_status(status: u16, retry_after: Option<Duration>, expected: Failure) {
    assert_eq!(Failure::from_status(status, retry_after, "m"), expected);
}

#[test]
fn the_record_gathers_members_and_references() {
    check_record(Outcome::delivered(), None);
    check_record(Outcome::delivered().with_record(Value::Null), None);
    check_record(Outcome::delivered().with_record(json!(7)), Some(json!({ "value": 7 })));
    check_record(
        Outcome::skipped("twice")
            .with_ref("jira", "OPS-7", "https://jira.example/OPS-7")
            .with_record(json!({ "type": "ALERT" }))
            .with_ref("mail", "42", ""),
        Some(json!({
            "type": "ALERT",
            "refs": [
                { "system": "jira", "id": "OPS-7", "url": "https://jira.example/OPS-7" },
                { "system": "mail", "id": "42" },
            ],
        })),
    );
}

#[track_caller]
fn check_record(outcome: Outcome, expected: Option<Value>) {
    assert_eq!(outcome.record(), expected);
}
