//! `postroom replay`: many finished deliveries once more, at a running gateway.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::{
    asked::{self, Length, OfOne, Plain, number, pairs, text},
    deliveries::Filter,
    monitors::time,
};
use crate::{
    command::{Exit, Failure, Question},
    output::Output,
};

/// The commands about replays.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Deliver once more all finished deliveries that match
    Create(CreateArgs),
    /// Replays, the newest first
    List(Length),
    /// One replay, and what became of its deliveries
    Show(OfOne),
    /// Make no more deliveries; those it has made go on
    Cancel(OfOne),
}

/// Flags of `replay create`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Counts first, and asks before anything happens.

Examples:
  postroom replay create --state dead --destination itoc360
  postroom replay create --after 2026-11-22T06:00:00Z --before 2026-11-22T07:00:00Z --yes --json")]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    filter: Filter,
    /// How many deliveries to make in a second; 50 without it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    per_second: Option<u32>,
    /// Only count them
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    plain: Plain,
}

pub(crate) fn run(command: &Command, output: &mut Output<'_>) -> Result<(), Failure> {
    match command {
        Command::Create(args) => create(args, output),
        Command::List(length) => {
            let table = ("replay", table as fn(&[_], &mut Output<'_>) -> _);
            asked::print_list("replays", Vec::new(), length, table, output)
        }
        Command::Show(OfOne { id, plain }) => asked::print_one(&["replays", id], plain, facts, output),
        Command::Cancel(OfOne { id, plain }) => {
            let replay = asked::act(&plain.gateway.api()?, &["replays", id, "cancel"])?;
            if plain.json { Ok(output.json(&replay)?) } else { table(&[replay], output) }
        }
    }
}

fn create(args: &CreateArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    let api = args.plain.gateway.api()?;
    let filter: Map<String, Value> =
        args.filter.parts().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let ask = |dry_run: bool| {
        let mut body = json!({ "filter": filter, "dry_run": dry_run });
        if let Some(per_second) = args.per_second {
            body["per_second"] = json!(per_second);
        }
        api.post(Question { path: &["replays"], body: Some(body), ..Question::default() })
    };
    let counted = ask(true)?;
    let is_nothing = counted["count"] == 0;
    if args.plain.json && (is_nothing || args.dry_run) {
        return Ok(output.json(&counted)?);
    }
    if is_nothing {
        return Ok(output.line("nothing matches")?);
    }
    if !args.yes {
        let count = number(&counted["count"]);
        if args.dry_run {
            return Ok(output.line(format_args!("{count} deliveries match"))?);
        }
        if !output.can_ask() {
            return Err(Failure::new(
                Exit::Usage,
                format!("{count} deliveries match, and there is nobody to ask"),
            )
            .hint("add --yes to deliver them once more"));
        }
        if !output.ask(format_args!("deliver {count} deliveries once more?"))? {
            return Err(Failure::new(Exit::Failed, "nothing was done"));
        }
    }
    let begun = ask(false)?;
    if args.plain.json {
        return Ok(output.json(&begun)?);
    }
    Ok(output.line(format_args!(
        "replay {} delivers {} deliveries once more",
        text(&begun["id"]),
        number(&begun["count"])
    ))?)
}

fn table(replays: &[Value], output: &mut Output<'_>) -> Result<(), Failure> {
    let row = |replay: &Value| {
        let part = |key: &str| text(&replay[key]);
        [
            time(&replay["created_at"]),
            part("state"),
            format!("{} of {}", number(&replay["made"]), number(&replay["count"])),
            part("created_by"),
            pairs(&replay["filter"]),
            part("id"),
        ]
    };
    let rows: Vec<[String; 6]> = replays.iter().map(row).collect();
    Ok(output.table_within(["BEGAN", "STATE", "MADE", "BY", "FILTER", "ID"], &rows, 4)?)
}

fn facts(replay: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let part = |key: &str| text(&replay[key]);
    let progress = |key: &str| number(&replay["progress"][key]);
    asked::print_facts(
        &[
            ("id", part("id")),
            ("state", part("state")),
            ("filter", pairs(&replay["filter"])),
            ("by", part("created_by")),
            ("began", part("created_at")),
            ("finished", part("finished_at")),
            ("matched", number(&replay["count"])),
            ("made", format!("{}, {} a second", number(&replay["made"]), number(&replay["per_second"]))),
            ("waiting", progress("waiting")),
            ("delivered", progress("delivered")),
            ("dead", progress("dead")),
            ("other", progress("other")),
        ],
        output,
    )
}

#[cfg(test)]
mod tests;
