//! When Postman's API is left alone.

use std::time::Duration;

use postroom_core::time::Timestamp;
use reqwest::{StatusCode, header::HeaderMap};

/// After an answer that says that the key may not ask.
const FORBIDDEN: Duration = Duration::from_secs(10 * 60);
/// After one that says that it has asked too often, if it does not say for how long; the limit counts by the minute.
const TOO_OFTEN: Duration = Duration::from_secs(60);
/// A monthly limit may be used up for weeks.
const WAIT_MAX: Duration = Duration::from_secs(60 * 60);
/// How often it is told that a monitor is not shown.
const NOT_FOUND_EVERY: Duration = Duration::from_secs(60 * 60);

/// Names under which Postman says in how many seconds it may be asked again. Its own have no hyphen.
const RETRY_AFTER: [&str; 4] = ["x-ratelimit-retryafter", "retryafter", "retry-after", "ratelimit-reset"];
const REMAINING: [&str; 2] = ["ratelimit-remaining", "x-ratelimit-remaining"];
const REMAINING_MONTH: &str = "ratelimit-remaining-month";
const RESET: [&str; 2] = ["ratelimit-reset", "x-ratelimit-reset"];
/// A reset further away than that is a moment and no number of seconds.
const SECONDS_MAX: u64 = 100_000_000;

#[derive(Debug, Default)]
pub(super) struct Rest {
    until: Option<Timestamp>,
    not_found_told: Option<Timestamp>,
}

impl Rest {
    pub(super) fn is_resting(&self, now: Timestamp) -> bool {
        // A clock that was set back must not make it rest for longer than it ever does.
        self.until.is_some_and(|until| now < until && now.until(until) <= WAIT_MAX)
    }

    /// Takes in what an answer says about further questions. Gives for how long none is asked now, and why.
    pub(super) fn note(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<(Duration, &'static str)> {
        let number = |name: &&str| headers.get(*name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let seconds = |names: &[&str], usual: Duration| {
            let seconds = names.iter().find_map(number).filter(|seconds| *seconds > 0);
            let wait = seconds.map(|seconds| {
                let from_now = if seconds > SECONDS_MAX {
                    let moment = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
                    now.until(Timestamp::from_unix_ms(moment))
                } else {
                    Duration::from_secs(seconds)
                };
                from_now.max(Duration::from_secs(1))
            });
            wait.unwrap_or(usual).min(WAIT_MAX)
        };
        let rest = match status {
            StatusCode::UNAUTHORIZED => (FORBIDDEN, "its key is wrong: set tracker.enrich.api_key"),
            StatusCode::FORBIDDEN => (FORBIDDEN, "its key may not see runs, or the plan has none to see"),
            StatusCode::TOO_MANY_REQUESTS => (seconds(&RETRY_AFTER, TOO_OFTEN), "it was asked too often"),
            _ if number(&REMAINING_MONTH) == Some(0) => (WAIT_MAX, "the questions of this month are used up"),
            _ if remaining(headers) == Some(0) || REMAINING.iter().find_map(number) == Some(0) => {
                (seconds(&RESET, TOO_OFTEN), "the questions of this minute are used up")
            }
            _ => return None,
        };
        self.until = Some(now.plus(rest.0));
        Some(rest)
    }

    /// Whether it is worth telling that a monitor is not shown: once in a while.
    pub(super) fn may_tell_not_found(&mut self, now: Timestamp) -> bool {
        let told =
            self.not_found_told.is_some_and(|told| now.until(told.plus(NOT_FOUND_EVERY)) > Duration::ZERO);
        if !told {
            self.not_found_told = Some(now);
        }
        !told
    }
}

/// What one header says that holds all: `limit=300, remaining=0, reset=12`.
fn remaining(headers: &HeaderMap) -> Option<u64> {
    let all = headers.get("ratelimit")?.to_str().ok()?;
    let mut parts = all.split([',', ';']).filter_map(|part| part.trim().split_once('='));
    parts.find(|(name, _)| *name == "remaining").and_then(|(_, value)| value.trim().parse().ok())
}

#[cfg(test)]
mod tests;
