//! What makes an incident of runs: settings that stand in `[tracker]` for all monitors and in a rule for some.

use std::{sync::Arc, time::Duration};

use postroom_core::monitor::{Flap, PolicySettings, Severity, SeverityRule, SeverityWhen, Silence, Treat};
use toml::de::DeValue;

use crate::config::{
    read::{self, Context, Table, Value},
    schedule, units,
};

/// More runs in a row than anybody waits for.
const ROW_MAX: u32 = 1000;
/// Runs that flapping is told from, at most.
const FLAP_RUNS_MAX: u32 = 32;
/// Nobody wants to be reminded more often, and the tracker does not.
const REMIND_EVERY_MIN: Duration = Duration::from_secs(60);
const SEVERITY_RULES_MAX: usize = 32;
const COUNT_MAX: u32 = 1_000_000_000;
/// What turns a setting off that a rule before it has turned on.
const OFF: &str = "off";

/// No setting at all.
pub(super) const NOTHING: PolicySettings = PolicySettings {
    open_after: None,
    resolve_after: None,
    remind_every: None,
    flap: None,
    empty_runs: None,
    unknown_runs: None,
    severity: None,
    silence: None,
    maintenance: None,
    slo: None,
};

/// Reads the settings of `table`; those with faults are left out.
pub(super) fn read(cx: &mut Context<'_>, table: &mut Table<'_>) -> PolicySettings {
    let mut row = |cx: &mut Context<'_>, key| table.get(key).and_then(|value| value.number(cx, 1..=ROW_MAX));
    let (open_after, resolve_after) = (row(cx, "open_after"), row(cx, "resolve_after"));
    let treats = [("as_reported", Treat::AsReported), ("ignore", Treat::Ignore), ("fail", Treat::Fail)];
    PolicySettings {
        open_after,
        resolve_after,
        remind_every: table.get("remind_every").and_then(|value| remind_every(cx, &value)),
        flap: table.get("flap").and_then(|value| flap(cx, &value)),
        empty_runs: table
            .get("empty_runs")
            .and_then(|value| value.word(cx, "treatment of empty runs", &treats)),
        unknown_runs: table
            .get("unknown_runs")
            .and_then(|value| value.word(cx, "treatment of unknown runs", &treats[1..])),
        severity: table.get("severity").and_then(|value| severity(cx, &value)),
        silence: table.get("silence").and_then(|value| silence(cx, &value)),
        maintenance: table.get("maintenance").and_then(|value| {
            if is_off(&value) {
                return Some(None);
            }
            let mut table = value.table(cx)?;
            let windows = table.require(cx, "windows", "like windows = [\"sun 02:00-04:00\"]");
            let schedule = schedule::of(cx, windows, table.get("time_zone"));
            table.finish(cx);
            Some(schedule?.map(Arc::new))
        }),
        slo: table.get("slo").and_then(|value| slo(cx, &value)),
    }
}

fn is_off(value: &Value<'_>) -> bool {
    value.value.as_str() == Some(OFF)
}

fn remind_every(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Option<Duration>> {
    if is_off(value) {
        return Some(None);
    }
    let (form, hint) = ("a duration of at least a minute", "at least \"1m\", like \"4h\"; or \"off\"");
    value.parsed(cx, form, hint, |text| {
        units::duration(text).filter(|every| *every >= REMIND_EVERY_MIN).map(Some)
    })
}

fn flap(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Option<Flap>> {
    if is_off(value) {
        return Some(None);
    }
    let mut table = value.table(cx)?;
    let hint = "like flap = { changes = 4, of = 10 }, or \"off\"";
    let changes = table.require(cx, "changes", hint).and_then(|value| value.number(cx, 2..=FLAP_RUNS_MAX));
    let of = table.require(cx, "of", hint).and_then(|value| value.number(cx, 2..=FLAP_RUNS_MAX));
    table.finish(cx);
    let flap = Flap { changes: changes?, of: of? };
    if flap.changes > flap.of {
        cx.faults
            .at(&value.spot, "the verdict cannot turn more often than there are runs")
            .hint("make `of` larger than `changes`");
        return None;
    }
    Some(Some(flap))
}

fn silence(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Silence> {
    let (form, hint) = ("\"learned\", \"never\" or a duration of at least a second", "like \"26h\"");
    value.parsed(cx, form, hint, |text| match text {
        "learned" => Some(Silence::Learned),
        "never" => Some(Silence::Never),
        text => units::duration(text).filter(|after| *after >= Duration::from_secs(1)).map(Silence::After),
    })
}

fn slo(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Option<f64>> {
    if is_off(value) {
        return Some(None);
    }
    let percent = number(cx, value, 0.0..=100.0, "99.9 for 99.9 % of the runs, or \"off\"")?;
    // To what people write: 99.9 / 100 is not 0.999.
    Some(Some((percent * 1e7).round() / 1e9))
}

fn severity(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Arc<[SeverityRule]>> {
    let items = value.list(cx)?;
    if items.len() > SEVERITY_RULES_MAX {
        cx.faults.at(&value.spot, "too many rules").hint(format!("at most {SEVERITY_RULES_MAX}"));
        return None;
    }
    let rules: Vec<SeverityRule> = items.iter().filter_map(|item| severity_rule(cx, item)).collect();
    (rules.len() == items.len()).then(|| rules.into())
}

fn severity_rule(cx: &mut Context<'_>, value: &Value<'_>) -> Option<SeverityRule> {
    let mut table = value.table(cx)?;
    let words = Severity::ALL.map(|severity| (severity.as_str(), severity));
    let hint = "like { severity = \"critical\", errors_at_least = 1 }";
    let severity = table.require(cx, "severity", hint).and_then(|value| value.word(cx, "severity", &words));
    let mut count = |cx: &mut Context<'_>, key| {
        let value = table.get(key);
        read::optional(value, |value| value.number(cx, 1..=COUNT_MAX))
    };
    let failed_tests = count(cx, "failed_tests_at_least");
    let errors = count(cx, "errors_at_least");
    let mut least = |cx: &mut Context<'_>, key, most: f64, hint: &str| {
        read::optional(table.get(key), |value| number(cx, value, 0.0..=most, hint))
    };
    let share = least(cx, "failed_share_at_least", 1.0, "0.1 for a tenth of the tests");
    let latency = least(cx, "latency_mean_ms_at_least", 1e9, "milliseconds, like 2000");
    table.finish(cx);
    Some(SeverityRule {
        severity: severity?,
        when: SeverityWhen {
            failed_tests_at_least: failed_tests?,
            failed_share_at_least: share?,
            errors_at_least: errors?,
            latency_mean_ms_at_least: latency?,
        },
    })
}

/// A number with or without a fraction, within `range`.
fn number(
    cx: &mut Context<'_>,
    value: &Value<'_>,
    range: std::ops::RangeInclusive<f64>,
    hint: &str,
) -> Option<f64> {
    let text = match value.value {
        DeValue::Float(float) => float.as_str().to_owned(),
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().to_owned(),
        _ => {
            value.refuse(cx, "a number", hint);
            return None;
        }
    };
    let number = text.parse::<f64>().ok().filter(|number| range.contains(number));
    if number.is_none() {
        let (low, high) = (range.start(), range.end());
        cx.faults.at(&value.spot, "the number is out of range").hint(format!("from {low} to {high}; {hint}"));
    }
    number
}
