//! `postroom monitors`: what the runs of Postman's monitors say, at a running gateway.

mod chart;
mod find;
mod history;
mod runs;
mod shown;

use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use postroom_engine::Clock;
use serde_json::{Value, json};

pub(super) use self::{
    find::{Wanted, pages},
    shown::{span, time},
};
use super::asked::{moment, print_items};
use crate::{
    command::{Exit, Failure, GatewayFlags, Question},
    config,
    output::{Output, plain},
};

/// The commands about monitors.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Every monitor, and how it stands
    List(ListArgs),
    /// One monitor, with a chart of its runs
    Show(ShowArgs),
    /// The runs of a monitor, or their sums
    Runs(runs::Args),
    /// Tell nothing new about a monitor for a while
    Mute(MuteArgs),
    /// Tell about it again
    Unmute(UnmuteArgs),
    /// Remove a monitor that was deleted in Postman, with its runs
    Forget(ForgetArgs),
}

/// Flags of `monitors list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom monitors list --incident
  postroom monitors list --text checkout --verdict failed
  postroom monitors list --json | jq -r '.items[] | select(.silent).name'")]
pub(crate) struct ListArgs {
    /// Only those with this text in the name or id of monitor, collection or environment
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Only those whose last run says this
    #[arg(long, value_enum)]
    verdict: Option<Verdict>,
    /// Only those that are silent
    #[arg(long)]
    silent: bool,
    /// Only those with an open incident
    #[arg(long)]
    incident: bool,
    /// Only those that somebody has muted
    #[arg(long)]
    muted: bool,
    /// Only those of this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only those with this label, like team=payments or team
    #[arg(long, value_name = "NAME[=VALUE]")]
    label: Option<String>,
    /// Most monitors to list
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Verdict {
    Passed,
    Failed,
    Unknown,
}

/// Flags of `monitors show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom monitors show 1e8eea47-8a24-4d6e-9f0d-3b6a5a5e3f10
  postroom monitors show checkout --last 7d")]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    monitor: find::Wanted,
    /// How far back the chart goes
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = chart_range)]
    last: Duration,
    /// Print JSON, without the chart
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

/// Flags of `monitors mute`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom monitors mute checkout --for 2h --reason \"deployment\"
  postroom monitors mute 1e8eea47 --until 2026-11-23T06:00:00Z")]
pub(crate) struct MuteArgs {
    #[command(flatten)]
    monitor: find::Wanted,
    /// For how long
    #[arg(long = "for", value_name = "DURATION", value_parser = mute_range, required_unless_present = "until")]
    lasts: Option<Duration>,
    /// Until when, as a moment with its time zone
    #[arg(long, value_name = "MOMENT", value_parser = moment, conflicts_with = "lasts")]
    until: Option<String>,
    /// Why, for those who wonder
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

/// Flags of `monitors unmute`.
#[derive(Debug, clap::Args)]
pub(crate) struct UnmuteArgs {
    #[command(flatten)]
    monitor: find::Wanted,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

/// Flags of `monitors forget`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What is open of it is told to be over. Its past incidents stay. A run that comes later makes it a new monitor.

Examples:
  postroom monitors forget 1e8eea47-8a24-4d6e-9f0d-3b6a5a5e3f10")]
pub(crate) struct ForgetArgs {
    /// Its whole id: what goes does not come back
    #[arg(value_name = "ID")]
    uid: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

pub(crate) fn run(command: &Command, output: &mut Output<'_>) -> Result<(), Failure> {
    match command {
        Command::List(args) => list(args, output),
        Command::Show(args) => show(args, &Clock::system(), output),
        Command::Runs(args) => runs::run(args, output),
        Command::Mute(args) => mute(args, output),
        Command::Unmute(args) => {
            let api = args.gateway.api()?;
            let uid = args.monitor.find(&api)?.uid();
            acted(&api.delete(&["monitors", &uid, "mute"])?, args.json, output)
        }
        Command::Forget(args) => forget(args, output),
    }
}

fn list(args: &ListArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut query = Vec::new();
    let mut add = |name, value: Option<String>| query.extend(value.map(|value| (name, value)));
    add("text", args.text.clone());
    add("verdict", args.verdict.map(|verdict| format!("{verdict:?}").to_lowercase()));
    add("silent", args.silent.then(|| "true".to_owned()));
    add("incident", args.incident.then(|| "open".to_owned()));
    add("muted", args.muted.then(|| "true".to_owned()));
    add("source", args.source.clone());
    add("label", args.label.clone());
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let listed = pages(&args.gateway.api()?, &["monitors"], query, limit)?;
    print_items(listed, args.json, ("monitor", shown::table), output)
}

fn show(args: &ShowArgs, clock: &Clock, output: &mut Output<'_>) -> Result<(), Failure> {
    let api = args.gateway.api()?;
    let monitor = args.monitor.find(&api)?.whole(&api)?;
    if args.json {
        return Ok(output.json(&monitor)?);
    }
    shown::facts(&monitor, output)?;
    let uid = monitor["uid"].as_str().unwrap_or_default();
    let span = history::Span::until(clock.now(), args.last);
    let points = history::points(&api, uid, span)?;
    output.line("")?;
    chart::draw(&points, span, output)
}

fn mute(args: &MuteArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    let api = args.gateway.api()?;
    let uid = args.monitor.find(&api)?.uid();
    let mut body = json!({});
    if let Some(lasts) = args.lasts {
        body["for_s"] = json!(lasts.as_secs());
    }
    if let Some(until) = &args.until {
        body["until"] = json!(until);
    }
    if let Some(reason) = &args.reason {
        body["reason"] = json!(reason);
    }
    let question = Question { path: &["monitors", &uid, "mute"], body: Some(body), ..Question::default() };
    acted(&api.post(question)?, args.json, output)
}

fn forget(args: &ForgetArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    if args.uid.trim().is_empty() {
        return Err(Failure::new(Exit::Usage, "the monitor has no id"));
    }
    let forgotten = args.gateway.api()?.delete(&["monitors", &args.uid]).map_err(|failure| {
        let is_unknown = failure.exit() == Exit::NotFound;
        if is_unknown {
            failure.hint("this wants the whole id, which `postroom monitors show` says")
        } else {
            failure
        }
    })?;
    if args.json {
        return Ok(output.json(&forgotten)?);
    }
    let name = forgotten["name"].as_str().unwrap_or(&args.uid);
    let runs = forgotten["runs"].as_u64().unwrap_or_default();
    output.line(format_args!(
        "forgot {} with {runs} {}",
        plain(name),
        if runs == 1 { "run" } else { "runs" }
    ))?;
    if let Some(incident) = forgotten["resolved_incident"].as_str() {
        output.line(format_args!("its incident {} is resolved", plain(incident)))?;
    }
    if forgotten["was_silent"] == true {
        output.line("its silence is over")?;
    }
    Ok(())
}

/// Shows how a monitor stands now.
fn acted(monitor: &Value, json: bool, output: &mut Output<'_>) -> Result<(), Failure> {
    if json { Ok(output.json(monitor)?) } else { shown::table(std::slice::from_ref(monitor), output) }
}

fn mute_range(text: &str) -> Result<Duration, &'static str> {
    let lasts = config::duration(text).filter(|lasts| *lasts >= Duration::from_secs(1));
    lasts.ok_or("expected a duration from a second to 365 days, like 30m, 2h or 1d")
}

fn chart_range(text: &str) -> Result<Duration, &'static str> {
    let last = config::duration(text).filter(|last| *last >= Duration::from_secs(60));
    last.ok_or("expected a duration from a minute to 365 days, like 12h, 1d or 7d")
}

/// A failure to understand what the gateway said: it is of another version.
fn not_understood() -> Failure {
    Failure::new(Exit::Failed, "the gateway's answer is not understood: is it of another version?")
}

#[cfg(test)]
mod tests;
