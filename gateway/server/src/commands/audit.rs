//! `postroom audit`: who changed what at a running gateway, and when.

use serde_json::{Map, Value};

use super::{
    asked::{moment, print_items},
    monitors::{pages, time},
};
use crate::{
    command::{Failure, GatewayFlags},
    output::Output,
};

/// Flags of `audit`. It needs a key with the role admin.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom audit
  postroom audit --who ci --since 2026-11-22T00:00:00Z
  postroom audit --operation createKey --json")]
pub(crate) struct Args {
    /// Only by this API key, or by SIGHUP or "file watch"
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Only this operation, by its id in the OpenAPI document
    #[arg(long, value_name = "OPERATION")]
    operation: Option<String>,
    /// Only at this moment or later
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    since: Option<String>,
    /// Only before this moment
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    until: Option<String>,
    /// Most changes to list
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

pub(crate) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let filters =
        [("who", &args.who), ("operation", &args.operation), ("since", &args.since), ("until", &args.until)];
    let query = filters.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let listed = pages(&args.gateway.api()?, &["audit"], query, limit)?;
    print_items(listed, args.json, ("change", table), output)
}

fn table(entries: &[Value], output: &mut Output<'_>) -> Result<(), Failure> {
    let rows: Vec<_> = entries.iter().map(row).collect();
    Ok(output.table_within(["AT", "WHO", "WHAT", "OF", "OUTCOME", "CHANGE"], &rows, 5)?)
}

fn row(entry: &Value) -> [String; 6] {
    let text = |key: &str| entry[key].as_str().unwrap_or("-").to_owned();
    let outcome = match entry["code"].as_str() {
        Some(code) => format!("{} ({code})", text("outcome")),
        None => text("outcome"),
    };
    let change = change(entry["before"].as_object(), entry["after"].as_object());
    [time(&entry["at"]), text("who"), text("operation"), text("object"), outcome, change]
}

/// `gate: open -> held`: what differs, in a few words.
fn change(before: Option<&Map<String, Value>>, after: Option<&Map<String, Value>>) -> String {
    let of =
        |object: Option<&Map<String, Value>>, key: &str| object.and_then(|object| object.get(key)).map(word);
    let only_before = before.into_iter().flat_map(Map::keys).filter(|key| of(after, key).is_none());
    let keys = after.into_iter().flat_map(Map::keys).chain(only_before);
    let parts = keys.filter_map(|key| match (of(before, key), of(after, key)) {
        (before, after) if before == after => None,
        (Some(before), Some(after)) => Some(format!("{key}: {before} -> {after}")),
        (Some(only), None) | (None, Some(only)) => Some(format!("{key}: {only}")),
        (None, None) => None,
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests;
