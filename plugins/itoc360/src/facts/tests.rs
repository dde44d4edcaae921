use super::*;

/// A monitor whose run failed.
pub(crate) fn failing() -> Facts {
    Facts {
        what: What::Failing,
        status: Status::Firing,
        severity: Severity::Error,
        id: "m".to_owned(),
        source: "acme".to_owned(),
        monitor: Some("Checkout".to_owned()),
        monitor_id: Some("m".to_owned()),
        collection: Some("Shop".to_owned()),
        environment: None,
        counts: Counts {
            failed_tests: Some(2),
            errors: Some(0),
            requests: Some(4),
            total_latency_ms: Some(100),
            ..Counts::default()
        },
        runs: None,
        failed_runs: None,
        duration: None,
        failures: Vec::new(),
    }
}

#[test]
fn a_duration_has_its_two_largest_units() {
    let words = |seconds| in_words(Duration::from_secs(seconds));
    assert_eq!(
        [0, 59, 60, 61, 3600, 3661, 86_400, 90_061].map(words),
        ["0 s", "59 s", "1 min", "1 min 1 s", "1 h", "1 h 1 min", "1 d", "1 d 1 h"]
    );
}

#[test]
fn the_title_says_how_it_stands() {
    let title = |what, status| Facts { what, status, ..failing() }.summary();
    assert_eq!(title(What::Failing, Status::Firing), "Monitor Checkout is failing");
    assert_eq!(title(What::Failing, Status::Resolved), "Monitor Checkout passes again");
    assert_eq!(title(What::Silent, Status::Firing), "Monitor Checkout is silent");
    assert_eq!(title(What::Silent, Status::Resolved), "Monitor Checkout is heard of again");
    assert_eq!(Facts { monitor: None, ..failing() }.summary(), "Monitor m is failing");
}

#[test]
fn no_request_has_no_latency() {
    let counts = Counts { requests: Some(0), total_latency_ms: Some(0), ..Counts::default() };
    assert_eq!(counts.latency_ms(), None);
}
