//! `[retention]`: how long things are kept, and how much room they may take.

use std::time::Duration;

use super::{
    read::{Context, Table, Value},
    units,
};

const AGE_HINT: &str = "like \"90d\" or \"12h\"";
const AGE_OR_NEVER_HINT: &str = "like \"90d\" or \"12h\", or \"forever\"";
const SIZE_HINT: &str = "like \"50 GiB\", or \"unlimited\"";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const GIB: u64 = 1024 * 1024 * 1024;

/// When what is finished may go. What still waits to be delivered is always kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Age at which an event goes, with its deliveries; never when absent.
    pub events: Option<Duration>,
    /// Age at which an event with a dead letter goes; never when absent.
    pub dead_letters: Option<Duration>,
    /// Room above which the oldest events go before their age; no bound when absent.
    pub size_bytes: Option<u64>,
    /// Age at which an idempotency key is forgotten.
    pub idempotency_keys: Duration,
    /// Age at which the record of a finished replay goes.
    pub replays: Duration,
    /// Age at which an entry of the audit log goes.
    pub audit: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            events: Some(90 * DAY),
            dead_letters: Some(365 * DAY),
            size_bytes: Some(50 * GIB),
            idempotency_keys: 7 * DAY,
            replays: 90 * DAY,
            audit: 365 * DAY,
        }
    }
}

impl Retention {
    pub(super) fn read(cx: &mut Context<'_>, document: &mut Table<'_>) -> Self {
        let mut retention = Self::default();
        let Some(mut table) = document.section(cx, "retention") else { return retention };
        for (key, setting) in
            [("events", &mut retention.events), ("dead_letters", &mut retention.dead_letters)]
        {
            if let Some(age) = table.get(key).and_then(|value| age_or_never(cx, &value)) {
                *setting = age;
            }
        }
        if let Some(size) = table.get("size").and_then(|value| size(cx, &value)) {
            retention.size_bytes = size;
        }
        for (key, setting) in [
            ("idempotency_keys", &mut retention.idempotency_keys),
            ("replays", &mut retention.replays),
            ("audit", &mut retention.audit),
        ] {
            if let Some(age) = table.get(key).and_then(|value| age(cx, &value)) {
                *setting = age;
            }
        }
        table.finish(cx);
        retention
    }
}

fn age(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Duration> {
    value.parsed(cx, "an age of at least a second", AGE_HINT, lasting)
}

/// `Some(None)` is never.
pub(super) fn age_or_never(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Option<Duration>> {
    value.parsed(cx, "an age of at least a second", AGE_OR_NEVER_HINT, |text| {
        if text == "forever" { Some(None) } else { lasting(text).map(Some) }
    })
}

fn lasting(text: &str) -> Option<Duration> {
    units::age(text).filter(|age| *age >= Duration::from_secs(1))
}

/// `Some(None)` is any size.
fn size(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Option<u64>> {
    value.parsed(cx, "a size of at least 1 MiB", SIZE_HINT, |text| {
        if text == "unlimited" {
            return Some(None);
        }
        units::bytes(text).filter(|bytes| *bytes >= GIB / 1024).map(Some)
    })
}
