//! The runs that a chart shows.

use std::time::Duration;

use postroom_core::time::Timestamp;
use serde_json::Value;

use super::{find, not_understood};
use crate::command::{Api, Failure};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Longer than that runs are summed up by the gateway.
const EACH_MAX: Duration = DAY.saturating_mul(2);
/// Longer than that by the day.
const HOURS_MAX: Duration = DAY.saturating_mul(30);
/// More runs than that are not asked for one by one.
const RUNS_MAX: usize = 4000;

/// What a chart goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

/// One run, or the sum of some.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) at: Timestamp,
    pub(super) runs: u64,
    pub(super) failed: u64,
    pub(super) latency_ms: Option<f64>,
}

impl Span {
    pub(super) fn until(until: Timestamp, last: Duration) -> Self {
        let back = i64::try_from(last.as_millis()).unwrap_or(i64::MAX);
        Self { from: Timestamp::from_unix_ms(until.as_unix_ms().saturating_sub(back)), until }
    }

    fn length(self) -> Duration {
        self.from.until(self.until)
    }
}

/// Asks for the runs of a monitor in a span: each, or where they are many their sums.
pub(super) fn points(api: &Api, uid: &str, span: Span) -> Result<Vec<Point>, Failure> {
    let path = ["monitors", uid, "runs"];
    let query = vec![("since", written(span.from)?), ("until", written(span.until)?)];
    if span.length() <= EACH_MAX {
        let (runs, next) = find::pages(api, &path, query.clone(), RUNS_MAX)?;
        if next.is_none() {
            return runs.iter().rev().map(|run| of_run(run).ok_or_else(not_understood)).collect();
        }
    }
    let resolution = if span.length() <= HOURS_MAX { "hour" } else { "day" };
    let query = query.into_iter().chain([("resolution", resolution.to_owned())]).collect();
    let sums = api.get_with(&path, query)?;
    let buckets = sums["buckets"].as_array().ok_or_else(not_understood)?;
    buckets.iter().map(|bucket| of_bucket(bucket).ok_or_else(not_understood)).collect()
}

fn of_run(run: &Value) -> Option<Point> {
    Some(Point {
        at: read(&run["at"])?,
        runs: 1,
        failed: u64::from(run["verdict"].as_str()? == "failed"),
        latency_ms: run["latency_mean_ms"].as_f64(),
    })
}

fn of_bucket(bucket: &Value) -> Option<Point> {
    Some(Point {
        at: read(&bucket["start"])?,
        runs: bucket["runs"].as_u64()?,
        failed: bucket["failed"].as_u64()?,
        latency_ms: bucket["latency_mean_ms"].as_f64(),
    })
}

fn read(at: &Value) -> Option<Timestamp> {
    let at: jiff::Timestamp = at.as_str()?.parse().ok()?;
    Some(Timestamp::from_unix_ms(at.as_millisecond()))
}

/// A moment as the API takes it.
pub(super) fn written(at: Timestamp) -> Result<String, Failure> {
    let at = jiff::Timestamp::from_millisecond(at.as_unix_ms()).map_err(|_| not_understood())?;
    Ok(format!("{at:.3}"))
}
