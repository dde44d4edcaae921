use serde_json::Value;

use super::{Body, SUBJECTS, subject};

#[track_caller]
fn check(body: &Body, bytes: usize, pointer: &str, first: &str, last: &str) {
    assert_eq!(body.bytes.len(), bytes);
    for (number, expected) in [(0, first), (SUBJECTS - 1, last)] {
        let mut bytes = body.bytes.clone();
        let place = bytes.len() - body.subject_from_end();
        bytes[place..place + 4].copy_from_slice(&subject(number));
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value.pointer(pointer).unwrap(), expected);
    }
}

#[test]
fn a_monitor_run_is_1_kib_and_about_one_of_many_monitors() {
    check(
        &Body::monitor_run(),
        1024,
        "/monitor_uid",
        "1e8eea47-e976-4b60-a122-11a50000-0000",
        "1e8eea47-e976-4b60-a122-11a50000-03e7",
    );
}

#[test]
fn a_backup_has_the_size_that_is_asked_for() {
    for bytes in [1000, 1 << 20] {
        check(
            &Body::backup(bytes),
            bytes,
            "/collection/info/_postman_id",
            "711a2044-c4fc-441b-b169-233c0000-0000",
            "711a2044-c4fc-441b-b169-233c0000-03e7",
        );
    }
}
