//! How long Postman wants to be left alone: 300 requests a minute are allowed, and so many a month.

use std::time::Duration;

use reqwest::header::HeaderMap;

/// The limit counts by the minute.
const USUAL: Duration = Duration::from_secs(60);
/// A reset further away than that is a moment, in seconds since 1970, and no number of seconds.
const SECONDS_MAX: u64 = 100_000_000;

/// Names under which Postman says in how many seconds it may be asked again. Its own have no hyphen.
const RETRY_AFTER: [&str; 3] = ["x-ratelimit-retryafter", "retryafter", "retry-after"];
const REMAINING: [&str; 2] = ["ratelimit-remaining", "x-ratelimit-remaining"];
const REMAINING_MONTH: [&str; 2] = ["ratelimit-remaining-month", "x-ratelimit-remaining-month"];
const RESET: [&str; 2] = ["ratelimit-reset", "x-ratelimit-reset"];

/// How long to wait after an answer that says that it was asked too often.
pub(super) fn after_refusal(headers: &HeaderMap, now_unix_ms: u64) -> Duration {
    let asked = RETRY_AFTER.iter().find_map(|name| wait(text(headers, name)?, now_unix_ms));
    asked.or_else(|| reset(headers, now_unix_ms)).unwrap_or(USUAL).max(Duration::from_secs(1))
}

/// How long to wait before the next request, when an answer says that it was the last one for now.
pub(super) fn after_last(headers: &HeaderMap, now_unix_ms: u64) -> Option<Duration> {
    let remaining = number(headers, &REMAINING).or_else(|| part(headers, "remaining"))?;
    (remaining == 0).then(|| reset(headers, now_unix_ms).unwrap_or(USUAL))
}

/// Whether the requests of the month are used up.
pub(super) fn is_month_over(headers: &HeaderMap) -> bool {
    number(headers, &REMAINING_MONTH) == Some(0)
}

fn reset(headers: &HeaderMap, now_unix_ms: u64) -> Option<Duration> {
    let seconds = number(headers, &RESET).or_else(|| part(headers, "reset"))?;
    Some(from_now(seconds, now_unix_ms))
}

fn from_now(seconds: u64, now_unix_ms: u64) -> Duration {
    match seconds {
        0..=SECONDS_MAX => Duration::from_secs(seconds),
        moment => Duration::from_millis(moment.saturating_mul(1000).saturating_sub(now_unix_ms)),
    }
}

/// A number of seconds, or a date as HTTP has it.
fn wait(value: &str, now_unix_ms: u64) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(from_now(seconds, now_unix_ms));
    }
    let date = chrono::DateTime::parse_from_rfc2822(value.trim()).ok()?;
    let until = u64::try_from(date.timestamp_millis()).ok()?;
    Some(Duration::from_millis(until.saturating_sub(now_unix_ms)))
}

/// A part of the one header that holds all: `limit=300, remaining=0, reset=12`.
fn part(headers: &HeaderMap, wanted: &str) -> Option<u64> {
    let mut parts =
        text(headers, "ratelimit")?.split([',', ';']).filter_map(|part| part.trim().split_once('='));
    parts.find(|(name, _)| *name == wanted).and_then(|(_, value)| value.trim().parse().ok())
}

fn number(headers: &HeaderMap, names: &[&str]) -> Option<u64> {
    names.iter().find_map(|name| text(headers, name)?.trim().parse().ok())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests;
