//! The header `Retry-After`: seconds, or a date.

use std::time::{Duration, UNIX_EPOCH};

/// How long to wait from `now_unix_ms` on; nothing for a date that has passed.
pub(super) fn parse(value: &str, now_unix_ms: u64) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = UNIX_EPOCH.checked_add(Duration::from_millis(now_unix_ms))?;
    Some(until.duration_since(now).unwrap_or_default())
}
