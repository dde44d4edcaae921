//! Monitors in words.

use serde_json::Value;

use crate::{
    command::Failure,
    output::{Output, plain},
};

/// One line for each monitor.
pub(super) fn table(monitors: &[Value], output: &mut Output<'_>) -> Result<(), Failure> {
    let rows: Vec<[String; 5]> = monitors.iter().map(row).collect();
    Ok(output.table_within(["NAME", "LAST", "AT", "STATE", "ID"], &rows, 0)?)
}

fn row(monitor: &Value) -> [String; 5] {
    let text = |key: &str| monitor[key].as_str().unwrap_or("-").to_owned();
    [text("name"), text("last_verdict"), time(&monitor["last_run_at"]), state(monitor), text("uid")]
}

/// How a monitor stands, in a few words.
fn state(monitor: &Value) -> String {
    let mut words = Vec::new();
    let phase = monitor["phase"].as_str().unwrap_or_default();
    match monitor["incident"]["severity"].as_str() {
        Some(severity) if phase == "recovering" => words.push(format!("incident ({severity}, recovering)")),
        Some(severity) => words.push(format!("incident ({severity})")),
        None if phase == "failing" => {
            words.push(format!("failing ({} in a row)", monitor["failures_in_row"]))
        }
        None => {}
    }
    if monitor["silent"] == true {
        words.push("silent".to_owned());
    }
    if monitor["mute"].is_object() {
        words.push("muted".to_owned());
    }
    if monitor["maintenance_until"].is_string() {
        words.push("maintenance".to_owned());
    }
    if words.is_empty() { "ok".to_owned() } else { words.join(", ") }
}

/// A monitor with all that there is to say.
pub(super) fn facts(monitor: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let text = |key: &str| monitor[key].as_str().unwrap_or_default().to_owned();
    let counts = |key: &str| monitor["counts"][key].as_u64().unwrap_or_default();
    let facts = [
        ("name", text("name")),
        ("id", text("uid")),
        ("last run", last_run(monitor)),
        ("state", state(monitor)),
        ("incident", incident(&monitor["incident"])),
        ("silent", since(&monitor["silent_since"])),
        ("muted", mute(&monitor["mute"])),
        ("maintenance", until(&monitor["maintenance_until"])),
        (
            "expected",
            monitor["expected_every_s"].as_u64().map(|s| format!("every {}", span(s))).unwrap_or_default(),
        ),
        (
            "runs",
            format!(
                "{} passed, {} failed, {} unknown since {}",
                counts("passed"),
                counts("failed"),
                counts("unknown"),
                time(&monitor["first_seen_at"])
            ),
        ),
        ("objective", slo(&monitor["slo"])),
        ("collection", named(&monitor["collection"])),
        ("environment", named(&monitor["environment"])),
        ("source", text("source")),
        ("labels", labels(&monitor["labels"])),
        ("hint", text("hint")),
    ];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        output.line(format_args!("{name:<11}  {}", plain(value)))?;
    }
    Ok(())
}

fn last_run(monitor: &Value) -> String {
    let Some(verdict) = monitor["last_verdict"].as_str() else { return String::new() };
    let run = &monitor["last_run"];
    let mut words = vec![format!("{verdict} at {}", time(&monitor["last_run_at"]))];
    if let (Some(failed), passed) = (run["failed_tests"].as_u64(), run["passed_tests"].as_u64()) {
        let of = passed.map(|passed| format!(" of {}", passed + failed)).unwrap_or_default();
        words.push(format!("{failed}{of} tests failed"));
    }
    let errors = run["errors"].as_u64().filter(|errors| *errors > 0);
    words.extend(errors.map(|errors| format!("{errors} {}", if errors == 1 { "error" } else { "errors" })));
    words.extend(run["latency_mean_ms"].as_f64().map(|mean| format!("{mean:.0} ms a request")));
    words.join(", ")
}

fn incident(incident: &Value) -> String {
    let Some(id) = incident["id"].as_str() else { return String::new() };
    let severity = incident["severity"].as_str().unwrap_or_default();
    let (failed, runs) = (&incident["failed_runs"], &incident["runs"]);
    format!("{severity} since {}, {failed} of {runs} runs failed: {id}", time(&incident["opened_at"]))
}

fn since(at: &Value) -> String {
    if at.is_string() { format!("since {}", time(at)) } else { String::new() }
}

fn until(at: &Value) -> String {
    if at.is_string() { format!("until {}", time(at)) } else { String::new() }
}

fn mute(mute: &Value) -> String {
    let Some(by) = mute["by"].as_str() else { return String::new() };
    let reason = mute["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("until {} by {by}{reason}", time(&mute["until"]))
}

fn slo(slo: &Value) -> String {
    let percent = |key: &str| slo[key].as_f64().map(|share| share * 100.0);
    let (Some(target), Some(left)) = (percent("target"), percent("budget_left")) else {
        return String::new();
    };
    let availability = percent("availability")
        .map_or("no run".to_owned(), |share| format!("{} % of {} runs", rounded(share), slo["runs"]));
    let left = if left < 0.0 {
        format!("the error budget is overdrawn by {} %", rounded(-left))
    } else {
        format!("{} % of the error budget is left", rounded(left))
    };
    format!("{} %, passed {availability} since {}, {left}", rounded(target), time(&slo["since"]))
}

/// A number with no more digits than it needs, at most three behind the point.
fn rounded(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn named(named: &Value) -> String {
    let text = |key: &str| named[key].as_str();
    match (text("name"), text("id")) {
        (Some(name), Some(id)) => format!("{name} ({id})"),
        (name, id) => name.or(id).unwrap_or_default().to_owned(),
    }
}

fn labels(labels: &Value) -> String {
    let labels = labels.as_object().into_iter().flatten();
    let labels = labels.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
    labels.collect::<Vec<_>>().join(", ")
}

/// A moment to the second.
pub(in crate::commands) fn time(at: &Value) -> String {
    let text = at.as_str().unwrap_or("-");
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text.to_owned(),
    }
}

/// So many seconds in the largest two units.
pub(in crate::commands) fn span(seconds: u64) -> String {
    let parts = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let mut left = seconds;
    let mut words = Vec::new();
    for (length, unit) in parts {
        let count = left / length;
        left %= length;
        if count > 0 && words.len() < 2 {
            words.push(format!("{count}{unit}"));
        } else if !words.is_empty() {
            break;
        }
    }
    if words.is_empty() { "0s".to_owned() } else { words.join(" ") }
}
