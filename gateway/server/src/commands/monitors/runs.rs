//! `postroom monitors runs`: the runs of a monitor, or their sums.

use clap::ValueEnum;
use serde_json::Value;

use super::{find, moment, not_understood, shown::time};
use crate::{
    command::{Failure, GatewayFlags},
    commands::asked::print_items,
    output::Output,
};

/// Flags of `monitors runs`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom monitors runs checkout --limit 20
  postroom monitors runs checkout --resolution day --since 2026-11-01T00:00:00Z
  postroom monitors runs checkout --csv > runs.csv")]
pub(crate) struct Args {
    #[command(flatten)]
    monitor: find::Wanted,
    /// Only runs from this moment on
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    since: Option<String>,
    /// Only runs before this moment
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    until: Option<String>,
    /// Sum runs up
    #[arg(long, value_enum, default_value = "run")]
    resolution: Resolution,
    /// Whose hours, days, weeks and months: an IANA name
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
    /// Most runs, the newest first; of sums and of CSV all there are
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Print CSV, oldest first
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Resolution {
    /// Each run
    Run,
    /// By the hour
    Hour,
    /// By the day
    Day,
    /// By the week, from Monday on
    Week,
    /// By the month
    Month,
}

pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let api = args.gateway.api()?;
    let uid = args.monitor.find(&api)?.uid();
    let path = ["monitors", uid.as_str(), "runs"];
    let mut query = Vec::new();
    query.extend(args.since.clone().map(|since| ("since", since)));
    query.extend(args.until.clone().map(|until| ("until", until)));
    if args.resolution != Resolution::Run {
        query.push(("resolution", format!("{:?}", args.resolution).to_lowercase()));
        query.push(("time_zone", args.time_zone.clone()));
    }
    if args.csv {
        query.push(("format", "csv".to_owned()));
        return api.download(&path, query, |piece| Ok(output.bytes(piece)?));
    }
    if args.resolution == Resolution::Run {
        let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
        let listed = find::pages(&api, &path, query, limit)?;
        return print_items(listed, args.json, ("run", table_of_runs), output);
    }
    let sums = api.get_with(&path, query)?;
    if args.json {
        return Ok(output.json(&sums)?);
    }
    table_of_sums(sums["buckets"].as_array().ok_or_else(not_understood)?, output)
}

fn table_of_runs(runs: &[Value], output: &mut Output<'_>) -> Result<(), Failure> {
    let row = |run: &Value| {
        let text = |key: &str| run[key].as_str().unwrap_or("-").to_owned();
        [
            time(&run["at"]),
            text("verdict"),
            number(&run["requests"]),
            number(&run["latency_mean_ms"]),
            number(&run["failed_tests"]),
            number(&run["errors"]),
            text("event_id"),
        ]
    };
    let rows: Vec<_> = runs.iter().map(row).collect();
    Ok(output.table(["AT", "VERDICT", "REQUESTS", "MEAN MS", "FAILED TESTS", "ERRORS", "EVENT"], &rows)?)
}

fn table_of_sums(buckets: &[Value], output: &mut Output<'_>) -> Result<(), Failure> {
    if buckets.is_empty() {
        output.say("no run in this time")?;
    }
    let row = |bucket: &Value| {
        let passed = bucket["availability"].as_f64();
        [
            time(&bucket["start"]),
            number(&bucket["runs"]),
            number(&bucket["failed"]),
            number(&bucket["unknown"]),
            passed.map_or("-".to_owned(), |share| format!("{:.2} %", share * 100.0)),
            number(&bucket["latency_mean_ms"]),
            number(&bucket["latency_p50_ms"]),
            number(&bucket["latency_p95_ms"]),
        ]
    };
    let rows: Vec<_> = buckets.iter().map(row).collect();
    let header = ["FROM", "RUNS", "FAILED", "UNKNOWN", "PASSED", "MEAN MS", "P50 MS", "P95 MS"];
    Ok(output.table(header, &rows)?)
}

/// A number without digits that nobody reads.
fn number(value: &Value) -> String {
    match (value.as_u64(), value.as_f64()) {
        (Some(whole), _) => whole.to_string(),
        (None, Some(number)) => format!("{number:.0}"),
        (None, None) => "-".to_owned(),
    }
}
