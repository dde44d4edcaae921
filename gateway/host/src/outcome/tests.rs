use std::time::Duration;

use postroom_core::{limits, outcome::OutcomeKind, secret::Secret};

use super::{RecordFault, Report};
use crate::mask::Mask;

#[test]
fn known_kinds_keep_their_meaning_and_unknown_ones_are_retried() {
    let kinds = [
        (0, OutcomeKind::Retry),
        (1, OutcomeKind::Delivered),
        (2, OutcomeKind::Skipped),
        (3, OutcomeKind::Retry),
        (4, OutcomeKind::RateLimited),
        (5, OutcomeKind::Permanent),
        (6, OutcomeKind::Misconfigured),
        (7, OutcomeKind::Retry),
        (u32::MAX, OutcomeKind::Retry),
    ];
    for (kind, expected) in kinds {
        assert_eq!(Report { kind, ..Report::default() }.accept(&Mask::default()).0.kind, expected, "{kind}");
    }
}

#[test]
fn a_wait_counts_only_where_something_waits() {
    let wait = |kind| {
        Report { kind, retry_after_ms: 1500, ..Report::default() }.accept(&Mask::default()).0.retry_after
    };
    assert_eq!(wait(1), None);
    assert_eq!(wait(3), Some(Duration::from_millis(1500)));
    assert_eq!(wait(4), Some(Duration::from_millis(1500)));
    assert_eq!(wait(5), None);
}

#[test]
fn codes_hold_only_the_characters_of_codes() {
    let code = |code: &str| Report { code: code.into(), ..Report::default() }.accept(&Mask::default()).0.code;
    assert_eq!(code("http_503"), "http_503");
    assert_eq!(code("Bad code\n\"é"), "_ad_code___");
    assert_eq!(code(&"x".repeat(100)), "x".repeat(64));
}

#[test]
fn messages_are_bounded() {
    let long = Report { message: "m".repeat(10_000), ..Report::default() };
    assert_eq!(long.accept(&Mask::default()).0.message.len(), limits::MESSAGE_BYTES_MAX);
}

#[track_caller]
fn check_record(record: &str, expected: Result<Option<&str>, RecordFault>) {
    let (outcome, fault) =
        Report { record_json: record.into(), ..Report::default() }.accept(&Mask::default());
    assert_eq!(fault.map_or(Ok(outcome.record_json.as_deref()), Err), expected, "{record:.40}");
}

#[test]
fn records_are_json_objects_or_left_out() {
    check_record("", Ok(None));
    check_record(r#" {"id":"7"}"#, Ok(Some(r#" {"id":"7"}"#)));
    check_record("[]", Err(RecordFault::NotAnObject));
    check_record("{", Err(RecordFault::NotAnObject));
    check_record("{} {}", Err(RecordFault::NotAnObject));
    check_record(&format!("{{\"a\":{}", "[".repeat(60_000)), Err(RecordFault::NotAnObject));
    check_record(
        &format!("{{\"a\":\"{}\"}}", "x".repeat(limits::RECORD_BYTES_MAX)),
        Err(RecordFault::TooLarge),
    );
}

#[test]
fn secrets_are_masked_in_every_text() {
    let mask = Mask::new(&[Secret::new("12345678")]);
    let (outcome, fault) = Report {
        code: "code_12345678".into(),
        message: "no 12345678".into(),
        record_json: r#"{"id":"12345678"}"#.into(),
        ..Report::default()
    }
    .accept(&mask);
    assert_eq!((&*outcome.code, &*outcome.message), ("code____", "no ***"));
    assert_eq!((outcome.record_json.as_deref(), fault), (Some(r#"{"id":"***"}"#), None));

    // A number cannot be masked and stay one.
    let number = Report { record_json: r#"{"id":12345678}"#.into(), ..Report::default() };
    assert_eq!(number.accept(&mask).1, Some(RecordFault::NotAnObject));
}
