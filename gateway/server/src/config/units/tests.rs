use std::time::Duration;

use super::{age, bytes, duration, shown_bytes, shown_duration};

#[track_caller]
fn check_duration(text: &str, expected_ms: Option<u64>) {
    assert_eq!(duration(text), expected_ms.map(Duration::from_millis), "{text:?}");
}

#[track_caller]
fn check_bytes(text: &str, expected: Option<u64>) {
    assert_eq!(bytes(text), expected, "{text:?}");
}

#[test]
fn durations_need_a_whole_number_and_a_known_unit() {
    check_duration("500ms", Some(500));
    check_duration("0s", Some(0));
    check_duration("5s", Some(5_000));
    check_duration("2 m", Some(120_000));
    check_duration("12h", Some(43_200_000));
    check_duration("365d", Some(31_536_000_000));
    for wrong in ["", "5", "s", "-5s", "1.5h", "5 fortnights", "366d", "99999999999999999999s", " 5s"] {
        check_duration(wrong, None);
    }
}

#[test]
fn ages_may_be_years() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    assert_eq!(age("12h"), Some(DAY / 2));
    assert_eq!(age("36500d"), Some(36_500 * DAY));
    assert_eq!(age("36501d"), None);
    assert_eq!(age("a year"), None);
}

#[test]
fn sizes_need_a_whole_number_and_a_known_unit() {
    check_bytes("64 MiB", Some(64 << 20));
    check_bytes("64mib", Some(64 << 20));
    check_bytes("10MB", Some(10_000_000));
    check_bytes("100 B", Some(100));
    check_bytes("2 TiB", Some(2 << 40));
    for wrong in ["", "64", "MiB", "-1 MiB", "1.5 GiB", "64 MiBs", "99999999999 GiB"] {
        check_bytes(wrong, None);
    }
}

#[test]
fn what_is_written_reads_back_as_the_same() {
    for text in ["500ms", "0ms", "90s", "2m", "12h", "90d"] {
        assert_eq!(shown_duration(duration(text).unwrap()), text);
    }
    for text in ["50 GiB", "1023 MiB", "512 KiB", "1000 B", "2 TiB"] {
        assert_eq!(shown_bytes(bytes(text).unwrap()), text);
    }
    assert_eq!(shown_duration(duration("120m").unwrap()), "2h");
}
