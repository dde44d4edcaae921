//! A monitor with its chart.

use super::*;
use crate::commands::monitors::{
    chart::draw,
    history::{Point, Span},
};

const HOUR_MS: i64 = 60 * 60 * 1000;
const NOW_MS: i64 = 1_795_334_400_000;

fn run_at(hours_ago: i64, latency_ms: f64, verdict: &str) -> Value {
    let at = jiff::Timestamp::from_millisecond(NOW_MS - hours_ago * HOUR_MS).unwrap();
    json!({ "at": at.to_string(), "event_id": "e", "verdict": verdict, "latency_mean_ms": latency_ms })
}

#[test]
fn all_there_is_to_know_of_a_monitor_is_shown_with_a_chart_of_its_runs() {
    let runs = (0..24).map(|ago| {
        let latency = if ago == 3 { 800.0 } else { 100.0 + f64::from(ago) * 10.0 };
        run_at(ago.into(), latency, if ago < 2 { "failed" } else { "passed" })
    });
    let answers = vec![(200, checkout()), (200, page(runs.collect()))];
    let (ended, printed, asked) = ran(answers, &["show", "1e8eea47-8a24"]);
    ended.unwrap();
    assert_eq!(
        asked[1],
        "GET /api/v1/monitors/1e8eea47-8a24/runs?since=2026-11-21T08%3A00%3A00.000Z\
         &until=2026-11-22T08%3A00%3A00.000Z&limit=500"
    );
    insta::assert_snapshot!(printed, @"
name         Checkout smoke test
id           1e8eea47-8a24
last run     failed at 2026-11-22T07:58:00Z, 1 of 12 tests failed, 180 ms a request
state        incident (error)
incident     error since 2026-11-22T07:53:00Z, 2 of 2 runs failed: 0192f0c1-2b7e
expected     every 5m
runs         8611 passed, 9 failed, 0 unknown since 2026-10-22T08:00:00Z
objective    99.9 %, passed 99.896 % of 8620 runs since 2026-10-23T08:00:00Z, the error budget is overdrawn by 4.408 %
collection   Checkout (5c4b1c9a)
environment  Production
source       postman
labels       team=payments

milliseconds a request took on the average, last 1d
     800                                             █
                                                     █
                                                     █
            ▄ ▃ ▃ ▂ ▁ ▁                              █
            █ █ █ █ █ █ █ █ ▇ ▆ ▆  ▅ ▅ ▄ ▃ ▃ ▂ ▂ ▁   █
       0    █ █ █ █ █ █ █ █ █ █ █  █ █ █ █ █ █ █ █ █ █ ▇ ▇ ▆
  failed    · · · · · · · · · · ·  · · · · · · · · · · · ✗ ✗
          2026-11-21 08:00Z                2026-11-22 08:00Z
2 of 24 runs failed
");
}

#[test]
fn of_a_week_the_gateway_is_asked_for_sums() {
    let bucket =
        json!({ "start": "2026-11-20T08:00:00.000Z", "runs": 12, "failed": 1, "latency_mean_ms": 20.0 });
    let answers = vec![(200, login()), (200, json!({ "resolution": "hour", "buckets": [bucket] }))];
    let (ended, printed, asked) = ran(answers, &["show", "77aa", "--last", "7d"]);
    ended.unwrap();
    assert!(asked[1].ends_with("&resolution=hour"), "{asked:?}");
    insta::assert_snapshot!(printed, @"
name         Login [31m
id           77aa
last run     passed at 2026-11-21T08:00:00Z
state        silent, muted, maintenance
silent       since 2026-11-21T08:00:00Z
muted        until 2026-11-22T10:00:00Z by olga: moving
maintenance  until 2026-11-22T09:00:00Z
runs         12 passed, 0 failed, 3 unknown since 2026-10-22T08:00:00Z
source       postman
hint         choose another policy

milliseconds a request took on the average, last 7d
      20                                     █
                                             █
                                             █
                                             █
                                             █
       0                                     █
  failed                                     ✗
          2026-11-15 08:00Z                2026-11-22 08:00Z
1 of 12 runs failed
");
}

#[test]
fn json_has_no_chart() {
    let (ended, printed, asked) = ran(vec![(200, checkout())], &["show", "1e8eea47-8a24", "--json"]);
    ended.unwrap();
    assert_eq!((serde_json::from_str::<Value>(&printed).unwrap(), asked.len()), (checkout(), 1));
}

/// Draws on a screen.
fn drawn(points: &[Point], screen: Screen) -> String {
    let until = Timestamp::from_unix_ms(NOW_MS);
    let span = Span::until(until, Duration::from_secs(24 * 60 * 60));
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let mut output = Output::new(&mut data, &mut talk, Colour::default()).on(screen);
    draw(points, span, &mut output).unwrap();
    String::from_utf8(data).unwrap()
}

fn points(count: i64, latency_ms: impl Fn(i64) -> Option<f64>) -> Vec<Point> {
    let point = |number: i64| Point {
        at: Timestamp::from_unix_ms(NOW_MS - 24 * HOUR_MS + number * 24 * HOUR_MS / count),
        runs: 1,
        failed: u64::from(number % 40 == 7),
        latency_ms: latency_ms(number),
    };
    (0..count).map(point).collect()
}

#[test]
fn without_unicode_it_is_drawn_in_ascii() {
    let points = points(288, |number| Some(50.0 + (number % 60) as f64 * 5.0));
    let drawn = drawn(&points, Screen { width: 72, ..Screen::default() });
    assert!(drawn.is_ascii());
    assert!(drawn.lines().all(|line| line.len() <= 72), "{drawn}");
    insta::assert_snapshot!(drawn, @"
milliseconds a request took on the average, last 1d
     322            ::.         .:#          .:#          .:#          .
                 .:####       .:####       .:###.       .:###.       .:#
               .:######     .:######     .:######     ::######     ::###
             .:########   ::########  .::########  .:#########  .:######
          .:###########.:###########.:###########.:###########.:########
       0  ##############################################################
  failed  .x........x.......x........x.......x........x........x.......x
          2026-11-21 08:00Z                            2026-11-22 08:00Z
8 of 288 runs failed
");
}

#[test]
fn runs_without_a_latency_are_shown_all_the_same() {
    let drawn = drawn(&points(6, |_| None), Screen { width: 40, unicode: true, ..Screen::default() });
    assert_eq!(drawn.matches('·').count(), 6, "{drawn}");
    let none = super::charts::drawn(&[], Screen::default());
    assert_eq!(none, "no run in the last 1d\n");
}

#[test]
fn every_run_is_in_a_column_wherever_it_lies() {
    let at = |ms| Point { at: Timestamp::from_unix_ms(ms), runs: 1, failed: 1, latency_ms: Some(0.0) };
    for width in [11, 12, 40, 240] {
        let drawn = drawn(
            &[at(0), at(NOW_MS), at(NOW_MS + HOUR_MS), at(i64::MAX)],
            Screen { width, unicode: true, ..Screen::default() },
        );
        assert!(drawn.ends_with("4 of 4 runs failed\n"), "{drawn}");
    }
}
