//! Runs rolled up by hour, day, week and month, and how much of an error budget they have used.

use std::collections::BTreeMap;

use jiff::{
    ToSpan, Zoned,
    civil::{Date, Weekday},
};

/// By whose clocks a day begins.
pub use jiff::tz::TimeZone;

use super::{Numbers, Run};
use crate::{
    event::{UnknownName, Verdict},
    schedule::ScheduleError,
    time::Timestamp,
};

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// From full hour to full hour by the clock on the wall.
    Hour,
    /// From midnight to midnight; of 23 or 25 hours when clocks are changed.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first to the first.
    Month,
}

impl Resolution {
    /// Every resolution, the finest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The name used in API and command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

impl std::fmt::Display for Resolution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Resolution {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|resolution| resolution.as_str() == text);
        found.ok_or(UnknownName { what: "resolution" })
    }
}

/// The runs of a stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    /// When the stretch begins.
    pub start: Timestamp,
    /// Runs in it, never zero.
    pub runs: u32,
    /// Those that passed.
    pub passed: u32,
    /// Those that failed.
    pub failed: u32,
    /// Those that said neither.
    pub unknown: u32,
    /// Which share passed of those that passed or failed, 0 to 1; absent when none did either.
    pub availability: Option<f64>,
    /// Milliseconds that a request took on the average: all latency by all requests.
    pub latency_mean_ms: Option<f64>,
    /// Half of the runs were no slower on the average than this.
    pub latency_p50_ms: Option<f64>,
    /// 95 of 100 runs were no slower on the average than this.
    pub latency_p95_ms: Option<f64>,
    /// Requests of all runs.
    pub requests: u64,
    /// Failed tests of all runs.
    pub failed_tests: u64,
    /// Errors of all runs.
    pub errors: u64,
}

/// How much was promised, and how much is left of what may fail.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slo {
    /// Which share passed of the runs that passed or failed, 0 to 1; absent when none did either.
    pub availability: Option<f64>,
    /// How many of these runs may fail.
    pub budget_total_runs: f64,
    /// Which share of that is left: 1 when nothing failed, 0 when it is used up, less than 0 beyond that. Where nothing
    /// may fail, 1 until something did and 0 from then on.
    pub budget_left_share: f64,
}

/// Rolls runs up, whatever their order, by the clocks of `time_zone`. Gives the buckets in which there were runs, the
/// oldest first.
#[must_use]
pub fn summarize<'a>(
    runs: impl Iterator<Item = &'a Run>,
    resolution: Resolution,
    time_zone: &TimeZone,
) -> Vec<Bucket> {
    let mut summary = Summary::of(resolution, time_zone.clone());
    runs.for_each(|run| summary.add(run));
    summary.finish()
}

/// Sums of runs that come one by one, in whatever order.
#[derive(Debug)]
pub struct Summary {
    resolution: Resolution,
    time_zone: TimeZone,
    buckets: BTreeMap<Timestamp, Gathered>,
    /// Most runs fall into the stretch of the run before.
    stretch: Option<(Timestamp, Timestamp)>,
}

impl Summary {
    /// Sums by the clocks of a time zone, which is named as IANA names it.
    ///
    /// # Errors
    /// When there is no such time zone.
    pub fn new(resolution: Resolution, time_zone: &str) -> Result<Self, ScheduleError> {
        let found = TimeZone::get(time_zone);
        let found = found.map_err(|_| ScheduleError::NotATimeZone { time_zone: time_zone.to_owned() })?;
        Ok(Self::of(resolution, found))
    }

    fn of(resolution: Resolution, time_zone: TimeZone) -> Self {
        Self { resolution, time_zone, buckets: BTreeMap::new(), stretch: None }
    }

    /// Adds a run.
    pub fn add(&mut self, run: &Run) {
        let is_inside = |(start, end): &(Timestamp, Timestamp)| *start <= run.at && run.at < *end;
        let (start, end) = self
            .stretch
            .filter(is_inside)
            .unwrap_or_else(|| stretch_of(run.at, self.resolution, &self.time_zone));
        self.stretch = Some((start, end));
        self.buckets.entry(start).or_default().add(run);
    }

    /// The buckets in which there were runs, the oldest first.
    #[must_use]
    pub fn finish(self) -> Vec<Bucket> {
        self.buckets.into_iter().map(|(start, gathered)| gathered.bucket(start)).collect()
    }
}

/// How well what passed and failed keeps to `target`, the share that is to pass, 0 to 1.
#[must_use]
pub fn slo(passed: u64, failed: u64, target: f64) -> Slo {
    let decided = passed.saturating_add(failed);
    let budget = (1.0 - target.clamp(0.0, 1.0)) * float(decided);
    let left = match failed {
        0 => 1.0,
        _ if budget > 0.0 => 1.0 - float(failed) / budget,
        _ => 0.0,
    };
    Slo { availability: share(passed, decided), budget_total_runs: budget, budget_left_share: left }
}

/// What is gathered for a bucket.
#[derive(Debug, Default)]
struct Gathered {
    passed: u32,
    failed: u32,
    unknown: u32,
    requests: u64,
    failed_tests: u64,
    errors: u64,
    /// Of the runs that say both.
    latency_ms: u64,
    timed_requests: u64,
    /// What each of them took for a request.
    means_ms: Vec<f64>,
}

impl Gathered {
    fn add(&mut self, run: &Run) {
        let count = match run.verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::Failed => &mut self.failed,
            Verdict::Unknown => &mut self.unknown,
        };
        *count = count.saturating_add(1);
        let Numbers { requests, latency_total_ms, failed_tests, errors, .. } = run.numbers;
        let sum = |sum: &mut u64, more: Option<u32>| {
            *sum = sum.saturating_add(more.unwrap_or_default().into());
        };
        sum(&mut self.requests, requests);
        sum(&mut self.failed_tests, failed_tests);
        sum(&mut self.errors, errors);
        if let Some(mean) = run.numbers.latency_mean_ms() {
            sum(&mut self.timed_requests, requests);
            self.latency_ms = self.latency_ms.saturating_add(latency_total_ms.unwrap_or_default());
            self.means_ms.push(mean);
        }
    }

    fn bucket(mut self, start: Timestamp) -> Bucket {
        let Self { passed, failed, unknown, requests, failed_tests, errors, .. } = self;
        Bucket {
            start,
            runs: passed.saturating_add(failed).saturating_add(unknown),
            passed,
            failed,
            unknown,
            availability: share(passed.into(), u64::from(passed) + u64::from(failed)),
            latency_mean_ms: share(self.latency_ms, self.timed_requests),
            latency_p50_ms: quantile(&mut self.means_ms, 50),
            latency_p95_ms: quantile(&mut self.means_ms, 95),
            requests,
            failed_tests,
            errors,
        }
    }
}

/// The smallest of `values` that so many percent of them do not exceed.
fn quantile(values: &mut [f64], percent: usize) -> Option<f64> {
    let place = (values.len() * percent).div_ceil(100).checked_sub(1)?;
    Some(*values.select_nth_unstable_by(place, f64::total_cmp).1)
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| float(part) / float(whole))
}

#[expect(clippy::cast_precision_loss, reason = "counts above 2^53 may be off by some")]
fn float(number: u64) -> f64 {
    number as f64
}

/// The stretch that holds a moment: its beginning, and where it is worth remembering the moment from which on it does
/// not, which else is the beginning too.
fn stretch_of(at: Timestamp, resolution: Resolution, time_zone: &TimeZone) -> (Timestamp, Timestamp) {
    // The stretch of a moment that no calendar knows is that moment.
    let alone = (at, at);
    let Ok(moment) = jiff::Timestamp::from_millisecond(at.as_unix_ms()) else { return alone };
    if resolution == Resolution::Hour {
        // By the offset alone: an hour that comes twice is two then.
        let hour_ms = 3_600_000;
        let offset_ms = i64::from(time_zone.to_offset(moment).seconds()) * 1000;
        let start = at.as_unix_ms() - (at.as_unix_ms() + offset_ms).rem_euclid(hour_ms);
        let start = Timestamp::from_unix_ms(start);
        return (start, start);
    }
    let bounds = || -> Result<(Zoned, Zoned), jiff::Error> {
        let day = moment.to_zoned(time_zone.clone()).date();
        let (first, length) = match resolution {
            Resolution::Hour | Resolution::Day => (day, 1.day()),
            Resolution::Week => (day.checked_sub(day.weekday().since(Weekday::Monday).days())?, 1.week()),
            Resolution::Month => (day.first_of_month(), 1.month()),
        };
        let start = |day: Date| day.to_zoned(time_zone.clone())?.start_of_day();
        Ok((start(first)?, start(first.checked_add(length)?)?))
    };
    let ms = |zoned: Zoned| Timestamp::from_unix_ms(zoned.timestamp().as_millisecond());
    bounds().map_or(alone, |(start, end)| (ms(start), ms(end)))
}

#[cfg(test)]
mod tests;
