use postroom_core::{event::Verdict, id::EventId, monitor::Numbers};
use serde_json::json;

use super::*;

/// 2026-11-22T10:00:00Z, as Unix milliseconds.
const AT: i64 = 1_795_341_600_000;

fn run(failed_tests: u32, errors: u32) -> Run {
    Run {
        event: EventId::from_bytes([1; 16]),
        at: Timestamp::from_unix_ms(AT),
        verdict: Verdict::Failed,
        numbers: Numbers { failed_tests: Some(failed_tests), errors: Some(errors), ..Numbers::default() },
    }
}

fn execution(id: &str, finished_at: &str, failed: Option<u32>) -> Value {
    let counts = failed.map(|failed| json!({"assertions": {"total": 9, "failed": failed}}));
    json!({"id": id, "finishedAt": finished_at, "stats": counts})
}

#[track_caller]
fn check(executions: &[Value], expected: Option<&str>) {
    for answer in [json!({"executions": executions}), json!({"data": executions}), json!(executions)] {
        let found = Execution::matching(&answer, &run(2, 0)).map(|execution| execution.id);
        assert_eq!(found.as_deref(), expected, "{answer}");
    }
}

#[test]
fn the_newest_execution_that_ended_shortly_before_is_the_run() {
    let early = execution("early", "2026-11-22T09:57:59Z", Some(2));
    let first = execution("first", "2026-11-22T09:58:30Z", Some(2));
    let newest = execution("newest", "2026-11-22T09:59:58.500Z", Some(2));
    let later = execution("later", "2026-11-22T10:00:11Z", Some(2));
    check(&[later.clone(), newest, first.clone(), early.clone()], Some("newest"));
    check(&[later.clone(), first, early.clone()], Some("first"));
    check(&[later, early], None);
    check(&[], None);
}

#[test]
fn one_that_counts_other_failures_is_another_run() {
    let other = execution("other", "2026-11-22T09:59:58Z", Some(3));
    let uncounted = execution("uncounted", "2026-11-22T09:59:00Z", None);
    check(std::slice::from_ref(&other), None);
    check(&[other, uncounted], Some("uncounted"));
    check(&[json!({"id": "running", "finishedAt": null})], None);
}

#[test]
fn of_several_regions_the_one_that_counts_the_same_is_looked_at() {
    let regions = Region::all(&json!({"runs": [
        {"id": "us-east", "stats": {"assertions": {"failed": 0}}},
        {"id": "unsaid"},
        {"id": "eu-central", "stats": {"assertions": {"failed": 2}}},
    ]}));
    let likely: Vec<_> =
        Region::likely(&regions, &run(2, 0)).into_iter().map(|it| (it.id, it.is_sure)).collect();
    assert_eq!(likely, [("eu-central".to_owned(), true), ("unsaid".to_owned(), false)]);
}

#[test]
fn failures_are_named_with_their_request() {
    let results = json!({"results": {"stats": {"assertions": {"total": 3, "failed": 2}}}, "logs": [
        {"event": "beforeItem", "data": {"item": {"id": "1", "name": "List orders"}}},
        {"event": "assertion", "data": {"assertion": "Status is 200", "error": null}},
        {"event": "assertion", "data": {"assertion": "Has\n orders", "error": {"name": "AssertionError", "message": "expected [] not to be empty"}}},
        {"event": "beforeItem", "data": {"item": {"id": "2", "name": "Pay"}}},
        {"type": "assertion", "name": "Is quick", "passed": false},
    ]});
    let found = failures(&results);
    let failure = |name: &str, request: &str, error: Option<&str>| Failure {
        name: name.to_owned(),
        request: Some(request.to_owned()),
        error: error.map(str::to_owned),
    };
    let expected = [
        failure("Has orders", "List orders", Some("expected [] not to be empty")),
        failure("Is quick", "Pay", None),
    ];
    assert_eq!(found, expected);
    assert!(agree(&found, &run(2, 0)) && agree(&found, &run(1, 1)) && !agree(&found, &run(3, 0)));
}

#[test]
fn an_answer_of_any_shape_is_read_within_bounds() {
    let deep = (0..100).fold(json!({"assertion": "a", "error": "b"}), |deep, _| json!([deep]));
    assert_eq!(failures(&deep), []);
    let many = json!(vec![json!({"assertion": "a".repeat(10_000), "error": "b"}); 1000]);
    let found = failures(&many);
    assert_eq!((found.len(), found[0].name.len()), (FAILURES_MAX, TEXT_CHARS_MAX));
    for odd in [json!(null), json!("text"), json!({"runs": 7}), json!({"executions": [1, null, {}]})] {
        assert_eq!((failures(&odd), Region::all(&odd)), (Vec::new(), Vec::new()));
        assert_eq!(Execution::matching(&odd, &run(1, 0)), None);
    }
}
