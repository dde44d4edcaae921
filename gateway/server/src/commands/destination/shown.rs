//! Destinations in words.

use serde_json::Value;

use crate::{
    command::Failure,
    output::{Output, plain},
};

/// One line for each destination.
pub(super) fn table(destinations: &[Value], output: &mut Output<'_>) -> Result<(), Failure> {
    let rows: Vec<[String; 5]> = destinations.iter().map(row).collect();
    Ok(output.table(["NAME", "PLUGIN", "STATE", "WAITING", "SANDBOX"], &rows)?)
}

fn row(destination: &Value) -> [String; 5] {
    let text = |key: &str| destination[key].as_str().unwrap_or_default().to_owned();
    let state = match destination["gate"].as_str() {
        None | Some("open") => text("state"),
        Some(gate) => format!("{} ({gate})", text("state")),
    };
    let behind = if destination["behind"] == true { "+" } else { "" };
    [
        text("name"),
        plugin(destination),
        state,
        format!("{}{behind}", destination["waiting"]),
        sandbox(destination),
    ]
}

/// A destination with all that there is to say.
pub(super) fn facts(destination: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let text = |key: &str| destination[key].as_str().unwrap_or_default().to_owned();
    let behind = if destination["behind"] == true { ", and more in the store" } else { "" };
    let mut facts = vec![
        ("name", text("name")),
        ("plugin", plugin(destination)),
        ("state", text("state")),
        ("detail", detail(destination)),
        ("backoff", backoff(&destination["backoff"])),
        ("gate", gate(destination)),
        ("in flight", destination["in_flight"].to_string()),
        ("waiting", format!("{}{behind}", destination["waiting"])),
        ("process", process(&destination["process"])),
        ("faults", faults(&destination["process"]["faults"])),
        ("health", health(&destination["health"])),
    ];
    let layers = destination["sandbox"]["active"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mode = destination["sandbox"]["mode"].as_str().unwrap_or_default();
    let active = layers.collect::<Vec<_>>().join(", ");
    facts.push(("sandbox", if active.is_empty() { mode.to_owned() } else { format!("{mode}: {active}") }));
    for layer in destination["sandbox"]["missing"].as_array().into_iter().flatten() {
        let part = |key: &str| layer[key].as_str().unwrap_or_default();
        facts.push(("without", format!("{}: {}", part("layer"), part("reason"))));
    }
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        output.line(format_args!("{name:<10} {}", plain(value)))?;
    }
    Ok(())
}

fn plugin(destination: &Value) -> String {
    let text = |key: &str| destination[key].as_str().unwrap_or_default();
    format!("{} {}", text("plugin"), text("plugin_version")).trim_end().to_owned()
}

/// The sandbox in a word or two.
fn sandbox(destination: &Value) -> String {
    let sandbox = &destination["sandbox"];
    match sandbox["mode"].as_str() {
        None => "-".to_owned(),
        Some("off") => "off".to_owned(),
        Some(_) => {
            let missing = sandbox["missing"].as_array().into_iter().flatten();
            let missing: Vec<&str> = missing.filter_map(|layer| layer["layer"].as_str()).collect();
            if missing.is_empty() { "full".to_owned() } else { format!("without {}", missing.join(", ")) }
        }
    }
}

/// Why it is in its state, where nothing else says it.
fn detail(destination: &Value) -> String {
    let detail = destination["detail"].as_str().unwrap_or_default();
    let is_said = destination["backoff"]["last_error"] == detail;
    if is_said { String::new() } else { detail.to_owned() }
}

fn gate(destination: &Value) -> String {
    let mut words = destination["gate"].as_str().unwrap_or_default().to_owned();
    for (key, before) in [("paused_by", " by "), ("paused_since", " since "), ("paused_until", " until ")] {
        if let Some(text) = destination[key].as_str() {
            words = format!("{words}{before}{text}");
        }
    }
    words
}

fn process(process: &Value) -> String {
    let Some(pid) = process["pid"].as_u64() else { return String::new() };
    let since = process["since"].as_str().unwrap_or_default();
    let mut words = vec![format!("pid {pid}"), format!("since {since}")];
    words.extend(process["restarts"].as_u64().map(|restarts| counted(restarts, "restart")));
    words.extend(process["memory_bytes"].as_u64().map(|bytes| format!("{} of memory", in_mib(bytes))));
    words.extend(process["threads"].as_u64().map(|threads| counted(threads, "thread")));
    words.join(", ")
}

/// With one decimal, rounded up: a process without any memory there is not.
fn in_mib(bytes: u64) -> String {
    let tenths = (bytes * 10).div_ceil(1024 * 1024);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

/// What the plugin does against its contract.
fn faults(faults: &Value) -> String {
    let words = [("stale", "ended without holding them"), ("slow", "taken on too slowly")];
    let words = words.iter().filter_map(|(key, what)| {
        let count = faults[*key].as_u64().filter(|count| *count > 0)?;
        Some(format!("{count} deliveries {what}"))
    });
    words.collect::<Vec<_>>().join(", ")
}

fn backoff(backoff: &Value) -> String {
    let Some(failures) = backoff["failures"].as_u64() else { return String::new() };
    let text = |key: &str| backoff[key].as_str().unwrap_or_default();
    let restarts = backoff["restarts"].as_u64().unwrap_or_default();
    format!(
        "{} in a row, {}, started again at {}: {}",
        counted(failures, "failure"),
        counted(restarts, "restart"),
        text("next_start"),
        text("last_error")
    )
}

fn health(health: &Value) -> String {
    let Some(state) = health["state"].as_str() else { return String::new() };
    let since = health["since"].as_str().unwrap_or_default();
    match &health["detail"] {
        Value::Null => format!("{state} since {since}"),
        detail => format!("{state} since {since}: {detail}"),
    }
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
