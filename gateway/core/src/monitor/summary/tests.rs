use proptest::prelude::*;

use super::*;
use crate::id::EventId;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn moment(text: &str) -> Timestamp {
    Timestamp::from_unix_ms(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn run(at: &str, verdict: Verdict, numbers: Numbers) -> Run {
    Run { event: EventId::from_bytes([7; 16]), at: moment(at), verdict, numbers }
}

fn latency(requests: u32, total_ms: u64) -> Numbers {
    Numbers { requests: Some(requests), latency_total_ms: Some(total_ms), ..Numbers::default() }
}

/// The buckets' beginnings by the clock of the zone, each with its number of runs.
#[track_caller]
fn check(zone_name: &str, resolution: Resolution, runs: &[&str], expected: &[(&str, u32)]) {
    let runs: Vec<Run> = runs.iter().map(|at| run(at, Verdict::Passed, Numbers::default())).collect();
    let buckets = summarize(runs.iter(), resolution, &zone(zone_name));
    let found: Vec<(Timestamp, u32)> = buckets.iter().map(|bucket| (bucket.start, bucket.runs)).collect();
    let expected: Vec<(Timestamp, u32)> = expected.iter().map(|(at, runs)| (moment(at), *runs)).collect();
    assert_eq!(found, expected);
}

#[test]
fn days_begin_at_midnight_by_the_clock_on_the_wall() {
    let runs = ["2026-06-01T21:59:59Z", "2026-06-01T22:00:00Z", "2026-06-02T21:59:59.999Z"];
    check(
        "Europe/Berlin",
        Resolution::Day,
        &runs,
        &[("2026-05-31T22:00:00Z", 1), ("2026-06-01T22:00:00Z", 2)],
    );
    check("UTC", Resolution::Day, &runs, &[("2026-06-01T00:00:00Z", 2), ("2026-06-02T00:00:00Z", 1)]);
}

#[test]
fn a_day_has_23_or_25_hours_when_clocks_are_changed() {
    let spring = ["2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"];
    check(
        "Europe/Berlin",
        Resolution::Day,
        &spring,
        &[("2026-03-28T23:00:00Z", 2), ("2026-03-29T22:00:00Z", 1)],
    );
    let autumn = ["2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"];
    check(
        "Europe/Berlin",
        Resolution::Day,
        &autumn,
        &[("2026-10-24T22:00:00Z", 2), ("2026-10-25T23:00:00Z", 1)],
    );
}

#[test]
fn a_day_without_a_midnight_begins_later() {
    let runs = ["2018-11-04T02:59:59Z", "2018-11-04T03:00:00Z"];
    check(
        "America/Sao_Paulo",
        Resolution::Day,
        &runs,
        &[("2018-11-03T03:00:00Z", 1), ("2018-11-04T03:00:00Z", 1)],
    );
}

#[test]
fn an_hour_that_comes_twice_is_two() {
    let runs = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T01:59:00Z"];
    check(
        "Europe/Berlin",
        Resolution::Hour,
        &runs,
        &[("2026-10-25T00:00:00Z", 1), ("2026-10-25T01:00:00Z", 2)],
    );
    let half = ["2026-06-01T00:29:00Z", "2026-06-01T00:30:00Z"];
    check(
        "Asia/Kolkata",
        Resolution::Hour,
        &half,
        &[("2026-05-31T23:30:00Z", 1), ("2026-06-01T00:30:00Z", 1)],
    );
}

#[test]
fn weeks_begin_on_monday_and_months_on_the_first() {
    let runs = ["2026-05-31T23:00:00Z", "2026-06-01T00:00:00Z", "2026-06-30T12:00:00Z"];
    check(
        "UTC",
        Resolution::Week,
        &runs,
        &[("2026-05-25T00:00:00Z", 1), ("2026-06-01T00:00:00Z", 1), ("2026-06-29T00:00:00Z", 1)],
    );
    check("UTC", Resolution::Month, &runs, &[("2026-05-01T00:00:00Z", 1), ("2026-06-01T00:00:00Z", 2)]);
}

#[test]
fn a_bucket_says_what_its_runs_said() {
    let counted = Numbers { failed_tests: Some(3), errors: Some(1), ..latency(10, 1_000) };
    let runs = [
        run("2026-06-01T00:00:00Z", Verdict::Passed, latency(30, 600)),
        run("2026-06-01T01:00:00Z", Verdict::Failed, counted),
        run("2026-06-01T02:00:00Z", Verdict::Passed, latency(0, 500)),
        run("2026-06-01T03:00:00Z", Verdict::Unknown, Numbers::default()),
    ];
    let buckets = summarize(runs.iter(), Resolution::Day, &TimeZone::UTC);
    let expected = Bucket {
        start: moment("2026-06-01T00:00:00Z"),
        runs: 4,
        passed: 2,
        failed: 1,
        unknown: 1,
        availability: Some(2.0 / 3.0),
        // Runs without a request say nothing about latency.
        latency_mean_ms: Some(40.0),
        latency_p50_ms: Some(20.0),
        latency_p95_ms: Some(100.0),
        requests: 40,
        failed_tests: 3,
        errors: 1,
    };
    assert_eq!(buckets, [expected]);
}

#[test]
fn without_numbers_and_verdicts_nothing_is_made_up() {
    let runs = [run("2026-06-01T00:00:00Z", Verdict::Unknown, Numbers::default())];
    let bucket = summarize(runs.iter(), Resolution::Day, &TimeZone::UTC).remove(0);
    let Bucket { availability, latency_mean_ms, latency_p50_ms, latency_p95_ms, .. } = bucket;
    assert_eq!([availability, latency_mean_ms, latency_p50_ms, latency_p95_ms], [None; 4]);
    assert!(summarize(std::iter::empty(), Resolution::Day, &TimeZone::UTC).is_empty());
}

#[test]
fn quantiles_are_values_that_occurred() {
    #[track_caller]
    fn check(values: usize, percent: usize, expected: Option<f64>) {
        let mut values: Vec<f64> = (1..=values).rev().map(|value| value as f64).collect();
        assert_eq!(quantile(&mut values, percent), expected);
    }
    check(0, 50, None);
    check(1, 50, Some(1.0));
    check(1, 95, Some(1.0));
    check(2, 50, Some(1.0));
    check(20, 95, Some(19.0));
    check(21, 95, Some(20.0));
    check(100, 50, Some(50.0));
}

#[test]
fn a_budget_is_used_up_by_failures() {
    #[track_caller]
    fn check(passed: u64, failed: u64, target: f64, total: f64, left: f64) {
        let slo = slo(passed, failed, target);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(close(slo.budget_total_runs, total) && close(slo.budget_left_share, left), "{slo:?}");
    }
    check(1_000, 0, 0.99, 10.0, 1.0);
    check(995, 5, 0.99, 10.0, 0.5);
    check(990, 10, 0.99, 10.0, 0.0);
    check(970, 30, 0.99, 10.0, -2.0);
    check(0, 0, 0.99, 0.0, 1.0);
    check(10, 0, 1.0, 0.0, 1.0);
    check(9, 1, 1.0, 0.0, 0.0);
    assert_eq!(slo(0, 0, 0.99).availability, None);
    assert_eq!(slo(3, 1, 0.99).availability, Some(0.75));
}

proptest! {
    #[test]
    fn every_run_is_in_one_bucket_whatever_the_order(
        times in prop::collection::vec(
            prop_oneof![any::<i64>(), 1_700_000_000_000..1_800_000_000_000_i64],
            0..40,
        ),
        resolution in prop::sample::select(&Resolution::ALL[..]),
        name in prop::sample::select(vec!["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo"]),
    ) {
        let of = |at: &i64| Run {
            event: EventId::from_bytes([7; 16]),
            at: Timestamp::from_unix_ms(*at),
            verdict: Verdict::Passed,
            numbers: latency(1, 1),
        };
        let mut runs: Vec<Run> = times.iter().map(of).collect();
        let zone = zone(name);
        let buckets = summarize(runs.iter(), resolution, &zone);
        prop_assert_eq!(buckets.iter().map(|bucket| bucket.runs as usize).sum::<usize>(), runs.len());
        prop_assert!(buckets.is_sorted_by_key(|bucket| bucket.start));
        runs.sort_by_key(|run| run.at);
        prop_assert_eq!(&summarize(runs.iter(), resolution, &zone), &buckets);
        for bucket in &buckets {
            let alone = summarize(runs.iter().filter(|run| run.at == bucket.start), resolution, &zone);
            prop_assert!(alone.iter().all(|alone| alone.start == bucket.start));
        }
    }
}

#[test]
fn names_are_read_back() {
    for resolution in Resolution::ALL {
        assert_eq!(resolution.as_str().parse(), Ok(resolution));
    }
    assert!("year".parse::<Resolution>().is_err());
}
