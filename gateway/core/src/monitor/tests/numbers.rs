use super::*;

#[track_caller]
fn check(body: &str, expected: [Option<u32>; 5], latency: Option<u64>) {
    let [requests, passed_tests, failed_tests, errors, warnings] = expected;
    let expected =
        Numbers { requests, latency_total_ms: latency, passed_tests, failed_tests, errors, warnings };
    assert_eq!(Numbers::read(body.as_bytes()), expected, "{body}");
}

#[test]
fn both_spellings_and_strings() {
    check(
        r#"{"monitor_name":"m","metrics":{"errors":1,"failedTests":2,"passedTests":248,"requestCount":117,"totalLatency":28348,"warnings":3}}"#,
        [Some(117), Some(248), Some(2), Some(1), Some(3)],
        Some(28_348),
    );
    check(
        r#"{"metrics":{"errorCount":"1","failedTestCount":" 2 ","passedTestCount":"248","requestCount":"117","totalLatency":"28348","warningCount":"3"}}"#,
        [Some(117), Some(248), Some(2), Some(1), Some(3)],
        Some(28_348),
    );
}

#[test]
fn what_is_no_number_is_absent() {
    let none = [None; 5];
    for body in ["", "{", "[]", "7", "{}", r#"{"metrics":7}"#, r#"{"metrics":[{"errors":1}]}"#, "\u{feff}"] {
        check(body, none, None);
    }
    check(r#"{"metrics":{"errors":-1,"requestCount":"x","totalLatency":null,"warnings":{}}}"#, none, None);
    check(r#"{"x":{"metrics":{"errors":1}},"errors":2}"#, none, None);
}

#[test]
fn what_is_too_large_is_the_largest() {
    check(
        r#"{"metrics":{"errors":4294967296,"requestCount":1e300,"totalLatency":1e300,"failedTests":1.9}}"#,
        [Some(u32::MAX), None, Some(1), Some(u32::MAX), None],
        Some(u64::MAX),
    );
}

#[test]
fn the_last_of_repeated_keys_counts() {
    check(
        r#"{"metrics":{"warnings":1,"requestCount":5,"totalLatency":9},"metrics":{"errors":1,"errors":2}}"#,
        [None, None, None, Some(2), None],
        None,
    );
}

#[test]
fn means_and_shares() {
    let numbers = Numbers {
        requests: Some(4),
        latency_total_ms: Some(10),
        passed_tests: Some(3),
        failed_tests: Some(1),
        ..Numbers::default()
    };
    assert_eq!((numbers.latency_mean_ms(), numbers.failed_share()), (Some(2.5), Some(0.25)));
    let empty = Numbers { requests: Some(0), passed_tests: Some(0), failed_tests: Some(0), ..numbers };
    assert_eq!((empty.latency_mean_ms(), empty.failed_share()), (None, None));
}
