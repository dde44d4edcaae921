use super::*;

#[track_caller]
fn check(wait: Duration, expected: &str) {
    assert_eq!(in_seconds(wait).to_string(), expected, "{wait:?}");
}

#[test]
fn waits_are_told_in_seconds_with_at_most_one_decimal() {
    check(Duration::ZERO, "0");
    check(Duration::from_secs(2), "2");
    check(Duration::from_micros(2_000_001), "2");
    check(Duration::from_millis(250), "0.3");
    check(Duration::from_millis(1), "0.1");
    check(Duration::from_millis(4_300), "4.3");
    check(Duration::from_secs(24 * 60 * 60), "86400");
    check(Duration::MAX, "429496729.5");
}
