//! Which versions of a collection stay, by rules that look at nothing but times.

use std::time::Duration;

use chrono::{DateTime, Datelike, Timelike, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many versions stay. What any rule keeps stays, and the newest version always does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct Retention {
    /// The newest so many.
    #[serde(default)]
    pub(crate) last: u32,
    /// The newest of each hour, for so many hours in which there was one.
    #[serde(default)]
    pub(crate) hourly: u32,
    /// The newest of each day (UTC), for so many days in which there was one.
    #[serde(default)]
    pub(crate) daily: u32,
    /// The newest of each week (Monday to Sunday), for so many weeks in which there was one.
    #[serde(default)]
    pub(crate) weekly: u32,
    /// The newest of each month, for so many months in which there was one.
    #[serde(default)]
    pub(crate) monthly: u32,
    /// The newest of each year, for so many years in which there was one.
    #[serde(default)]
    pub(crate) yearly: u32,
    /// All that were the newest at some time in the last so long, such as "30d".
    #[serde(default, with = "postroom_sdk::DurationText")]
    pub(crate) min_age: Duration,
}

/// Why a version stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Reason {
    Newest,
    Last,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
    MinAge,
}

impl Retention {
    /// Whether it keeps anything beside the newest version. One that does not is more likely a mistake than a wish.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Why each of the versions stays, which were received at these times, the oldest first; one without a reason goes.
    pub(crate) fn plan(&self, received_unix_ms: &[u64], now_unix_ms: u64) -> Vec<Vec<Reason>> {
        let mut reasons = vec![Vec::new(); received_unix_ms.len()];
        if let Some(newest) = reasons.last_mut() {
            newest.push(Reason::Newest);
        }
        for reasons in reasons.iter_mut().rev().take(count(self.last)) {
            reasons.push(Reason::Last);
        }
        let rules: [(Reason, u32, Bucket); 5] = [
            (Reason::Hourly, self.hourly, |time| (time.year(), time.ordinal() * 24 + time.hour())),
            (Reason::Daily, self.daily, |time| (time.year(), time.ordinal())),
            (Reason::Weekly, self.weekly, |time| (time.iso_week().year(), time.iso_week().week())),
            (Reason::Monthly, self.monthly, |time| (time.year(), time.month())),
            (Reason::Yearly, self.yearly, |time| (time.year(), 0)),
        ];
        for (reason, buckets, bucket) in rules {
            let mut last = None;
            let mut left = count(buckets);
            for (time, reasons) in received_unix_ms.iter().zip(&mut reasons).rev() {
                let bucket = bucket(utc(*time));
                if left > 0 && last != Some(bucket) {
                    (last, left) = (Some(bucket), left - 1);
                    reasons.push(reason);
                }
            }
        }
        let since = now_unix_ms.saturating_sub(u64::try_from(self.min_age.as_millis()).unwrap_or(u64::MAX));
        // A version counts from when the next one took its place: until then it was what there was.
        let ends = received_unix_ms.iter().skip(1);
        for (end, reasons) in ends.zip(&mut reasons) {
            if !self.min_age.is_zero() && *end >= since {
                reasons.push(Reason::MinAge);
            }
        }
        reasons
    }
}

type Bucket = fn(DateTime<Utc>) -> (i32, u32);

fn utc(unix_ms: u64) -> DateTime<Utc> {
    i64::try_from(unix_ms).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default()
}

fn count(rule: u32) -> usize {
    usize::try_from(rule).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
