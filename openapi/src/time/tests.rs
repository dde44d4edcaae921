use poem_openapi::types::{ParseFromJSON as _, ToJSON as _};

use super::Timestamp;

#[track_caller]
fn check(ms: i64, text: &str) {
    let moment = Timestamp::from_unix_ms(ms);
    assert_eq!(moment.to_json(), Some(text.into()));
    assert_eq!(Timestamp::parse_from_json(Some(text.into())).ok(), Some(moment));
    assert_eq!(moment.as_unix_ms(), ms);
}

#[test]
fn every_moment_has_three_digits_and_a_z() {
    check(0, "1970-01-01T00:00:00.000Z");
    check(1_790_000_000_125, "2026-09-21T14:13:20.125Z");
    check(-1, "1969-12-31T23:59:59.999Z");
}

#[test]
fn a_moment_beyond_the_calendar_becomes_its_end() {
    assert!(Timestamp::from_unix_ms(i64::MAX) > Timestamp::from_unix_ms(0));
    assert!(Timestamp::from_unix_ms(i64::MIN) < Timestamp::from_unix_ms(0));
}
