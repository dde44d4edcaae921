//! `[api]`: how much may be asked of the API.

use super::read::{Context, Table};

const REQUESTS_PER_SECOND: u32 = 1000;
const FAILURES_PER_MINUTE: u32 = 30;

/// How much may be asked of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiLimits {
    /// Requests a second by one key.
    pub requests_per_second: u32,
    /// Requests a minute with wrong keys from one address.
    pub failures_per_minute: u32,
}

impl Default for ApiLimits {
    fn default() -> Self {
        Self { requests_per_second: REQUESTS_PER_SECOND, failures_per_minute: FAILURES_PER_MINUTE }
    }
}

impl ApiLimits {
    pub(super) fn read(cx: &mut Context<'_>, document: &mut Table<'_>) -> Self {
        let mut limits = Self::default();
        let Some(mut table) = document.section(cx, "api") else { return limits };
        for (key, setting) in [
            ("requests_per_second", &mut limits.requests_per_second),
            ("failures_per_minute", &mut limits.failures_per_minute),
        ] {
            if let Some(number) = table.get(key).and_then(|value| value.number(cx, 1..=1_000_000)) {
                *setting = number;
            }
        }
        table.finish(cx);
        limits
    }
}
