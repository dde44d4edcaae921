//! `postroom incidents`: when monitors failed, and for how long, at a running gateway.

use clap::{Subcommand, ValueEnum};
use serde_json::Value;

use super::{
    asked::print_items,
    monitors::{Wanted, pages, span, time},
};
use crate::{
    command::{Failure, GatewayFlags},
    output::{Output, plain},
};

/// The commands about incidents.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Incidents, the newest first
    List(ListArgs),
    /// One incident, with all that happened
    Show(ShowArgs),
}

/// Flags of `incidents list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom incidents list --state open
  postroom incidents list --monitor checkout --json")]
pub(crate) struct ListArgs {
    /// Only those in this state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Only those of this monitor: its id or name, or the beginning of either if only one monitor has it
    #[arg(long, value_name = "MONITOR")]
    monitor: Option<String>,
    /// Most incidents to list
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    Open,
    Resolved,
}

/// Flags of `incidents show`.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The incident's id
    #[arg(value_name = "ID")]
    incident: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

pub(crate) fn run(command: &Command, output: &mut Output<'_>) -> Result<(), Failure> {
    match command {
        Command::List(args) => list(args, output),
        Command::Show(args) => {
            let incident = args.gateway.api()?.get(&["incidents", &args.incident])?;
            if args.json { Ok(output.json(&incident)?) } else { facts(&incident, output) }
        }
    }
}

fn list(args: &ListArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut query = Vec::new();
    query.extend(args.state.map(|state| ("state", format!("{state:?}").to_lowercase())));
    let api = args.gateway.api()?;
    if let Some(monitor) = &args.monitor {
        query.push(("monitor", Wanted::new(monitor).find(&api)?.uid()));
    }
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let listed = pages(&api, &["incidents"], query, limit)?;
    print_items(listed, args.json, ("incident", table), output)
}

fn table(incidents: &[Value], output: &mut Output<'_>) -> Result<(), Failure> {
    let rows: Vec<_> = incidents.iter().map(row).collect();
    Ok(output.table_within(["OPENED", "LASTED", "SEVERITY", "FAILED", "MONITOR", "ID"], &rows, 4)?)
}

fn row(incident: &Value) -> [String; 6] {
    let text = |key: &str| incident[key].as_str().unwrap_or("-").to_owned();
    [
        time(&incident["opened_at"]),
        lasted(incident),
        text("severity"),
        failed(incident),
        monitor(incident),
        text("id"),
    ]
}

fn facts(incident: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let text = |key: &str| incident[key].as_str().unwrap_or_default().to_owned();
    let run = |key: &str| {
        let run = &incident[key];
        run["event_id"]
            .as_str()
            .map(|event| format!("{} (event {event})", time(&run["at"])))
            .unwrap_or_default()
    };
    let told = if incident["announced"] == true { "" } else { "nobody" };
    let facts = [
        ("id", text("id")),
        ("monitor", format!("{} ({})", monitor(incident), text("monitor_uid"))),
        ("state", text("state")),
        ("severity", text("severity")),
        ("opened", time(&incident["opened_at"])),
        (
            "resolved",
            if incident["resolved_at"].is_string() { time(&incident["resolved_at"]) } else { String::new() },
        ),
        ("lasted", lasted(incident)),
        ("failed", failed(incident)),
        ("first run", run("first_failing")),
        ("last run", run("last_failing")),
        ("resolved by", run("resolved_by")),
        ("told", told.to_owned()),
    ];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        output.line(format_args!("{name:<11}  {}", plain(value)))?;
    }
    let timeline: Vec<[String; 4]> =
        incident["timeline"].as_array().into_iter().flatten().map(timeline_row).collect();
    output.line("")?;
    Ok(output.table(["AT", "WHAT", "NOTE", "EVENT"], &timeline)?)
}

fn timeline_row(entry: &Value) -> [String; 4] {
    let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    [time(&entry["at"]), text("what"), text("note"), text("event_id")]
}

fn lasted(incident: &Value) -> String {
    incident["duration_s"].as_u64().map_or_else(|| "still open".to_owned(), span)
}

fn failed(incident: &Value) -> String {
    format!("{} of {} runs", incident["failed_runs"], incident["runs"])
}

fn monitor(incident: &Value) -> String {
    let text = |key: &str| incident[key].as_str();
    text("monitor_name").or_else(|| text("monitor_uid")).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
