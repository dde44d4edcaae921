//! `[tracker]`: what the runs say about their monitors, and what is told of it.

mod matching;
mod policy;

use std::time::Duration;

use postroom_core::{
    monitor::{BackupRule, Rule, Rules},
    secret::Secret,
};
use reqwest::header::HeaderValue;

use super::{
    read::{Context, Table, Value},
    retention, secrets, server,
};

const MONITORS_MAX: u32 = 100_000;
const POSTMAN_API: &str = "https://api.getpostman.com";
/// Longer than that nothing waits for the names of failed tests.
const WAIT_MAX: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What the tracker goes by.
#[derive(Debug, Clone)]
pub struct Tracker {
    /// Whether runs are looked at at all.
    pub enabled: bool,
    /// Age at which runs and resolved incidents go; never when absent.
    pub history: Option<Duration>,
    /// What makes an incident, and of which monitor.
    pub rules: Rules,
    /// Which collections' backups are missed.
    pub backups: Vec<BackupRule>,
    /// Monitors that have metrics of their own.
    pub metrics_monitors_max: u32,
    /// Where to ask what failed in a run; nowhere when absent.
    pub enrich: Option<Enrich>,
}

/// Where to ask what failed in a run.
#[derive(Debug, Clone)]
pub struct Enrich {
    /// A key of Postman's API.
    pub api_key: Secret,
    /// Where that API is, without a slash at the end.
    pub base_url: String,
    /// How long what is told may wait for the answers.
    pub wait: Duration,
}

impl Default for Tracker {
    fn default() -> Self {
        Self {
            enabled: true,
            history: Some(400 * DAY),
            rules: Rules::default(),
            backups: Vec::new(),
            metrics_monitors_max: 1000,
            enrich: None,
        }
    }
}

impl Tracker {
    pub(super) fn read(cx: &mut Context<'_>, document: &mut Table<'_>) -> Self {
        let mut tracker = Self::default();
        let Some(mut table) = document.section(cx, "tracker") else { return tracker };
        if let Some(enabled) = table.get("enabled").and_then(|value| value.truth(cx)) {
            tracker.enabled = enabled;
        }
        if let Some(history) = table.get("history").and_then(|value| retention::age_or_never(cx, &value)) {
            tracker.history = history;
        }
        tracker.rules.defaults = policy::read(cx, &mut table);
        let max = table.get("metrics_monitors_max").and_then(|value| value.number(cx, 0..=MONITORS_MAX));
        if let Some(max) = max {
            tracker.metrics_monitors_max = max;
        }
        let rules = table.sections(cx, "rule");
        tracker.rules.rules = rules.into_iter().filter_map(|table| rule(cx, table)).collect();
        let backups = table.sections(cx, "backup");
        tracker.backups = backups.into_iter().filter_map(|table| backup(cx, table)).collect();
        tracker.enrich = table.section(cx, "enrich").and_then(|table| Enrich::read(cx, table));
        table.finish(cx);
        tracker
    }
}

fn rule(cx: &mut Context<'_>, mut table: Table<'_>) -> Option<Rule> {
    let matching = matching::read(cx, &mut table);
    let settings = policy::read(cx, &mut table);
    if settings == policy::NOTHING && cx.whole {
        cx.faults
            .at(&table.spot, "a rule without settings")
            .hint("say what holds for these monitors, like open_after = 3");
    }
    table.finish(cx);
    Some(Rule { matching: matching?, settings })
}

fn backup(cx: &mut Context<'_>, mut table: Table<'_>) -> Option<BackupRule> {
    let collection = table
        .require(cx, "collection", "names or ids, like collection = \"Checkout*\"")
        .and_then(|value| matching::patterns(cx, &value));
    let overdue_after = table
        .require(cx, "overdue_after", "like overdue_after = \"8d\"")
        .and_then(|value| positive(cx, &value));
    table.finish(cx);
    Some(BackupRule { collection: collection?, overdue_after: overdue_after? })
}

impl Enrich {
    fn read(cx: &mut Context<'_>, mut table: Table<'_>) -> Option<Self> {
        let api_key = table
            .require(cx, "api_key", "like api_key = { env = \"POSTMAN_API_KEY\" }")
            .and_then(|value| secrets::token(cx, &value).filter(|key| is_sendable(cx, &value, key)));
        let base_url = match table.get("base_url") {
            None => Some(POSTMAN_API.to_owned()),
            Some(value) => value.parsed(
                cx,
                "an http or https URL without query",
                "like \"https://api.getpostman.com\"",
                server::public_url,
            ),
        };
        let wait = match table.get("wait") {
            None => Some(Duration::from_secs(3)),
            Some(value) => value.parsed(
                cx,
                "a duration of at most a minute",
                "like \"3s\"; \"0s\" asks nobody",
                |text| super::units::duration(text).filter(|wait| *wait <= WAIT_MAX),
            ),
        };
        table.finish(cx);
        Some(Self { api_key: api_key?, base_url: base_url?, wait: wait? })
    }
}

/// Whether a header can hold the key.
fn is_sendable(cx: &mut Context<'_>, value: &Value<'_>, key: &Secret) -> bool {
    let is_sendable = HeaderValue::from_str(key.expose()).is_ok();
    if !is_sendable {
        let message = "the key holds characters that no header can hold";
        cx.faults.at(&value.spot, message).hint("copy it again, as one line");
    }
    is_sendable
}

/// A duration of at least a second.
fn positive(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Duration> {
    let hint = "like \"30m\", \"4h\" or \"8d\"";
    value.parsed(cx, "a duration of at least a second", hint, |text| {
        super::units::duration(text).filter(|duration| *duration >= Duration::from_secs(1))
    })
}

#[cfg(test)]
mod tests;
