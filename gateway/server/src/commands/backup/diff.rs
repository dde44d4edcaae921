//! `postroom backup diff`: what changed between two versions.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::{
    Place,
    act::{Backups, WORKING, list, not_understood},
    find,
    shown::counted,
};
use crate::{
    command::Failure,
    output::{Output, plain},
};

/// Flags of `diff`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Ids that Postman makes anew with each save are no change, and secrets are not shown.

Examples:
  postroom backup diff checkout
  postroom backup diff checkout 2026-11-01 2026-11-21
  postroom backup diff checkout 2026-11-01 --format markdown > changes.md")]
pub(crate) struct Args {
    #[command(flatten)]
    collection: find::Wanted,
    /// The earlier version; the one before the later unless it is said
    #[arg(value_name = "BEFORE")]
    before: Option<String>,
    /// The later version; the newest unless it is said
    #[arg(value_name = "AFTER")]
    after: Option<String>,
    /// How it is told
    #[arg(long, value_enum, default_value = "text", conflicts_with = "json")]
    format: Format,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Line by line, for a terminal
    Text,
    /// For tickets and chats
    Markdown,
    /// Change by change, for programs
    Json,
}

pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let backups = Backups::open(&args.place)?;
    let found = args.collection.find(&backups)?;
    let mut input = json!({ "collection": found.key });
    for (name, wanted) in [("before", &args.before), ("after", &args.after)] {
        if let Some(wanted) = wanted {
            let version = find::version(&backups, &found, Some(wanted))?;
            input[name] = json!(find::id(&version)?);
        }
    }
    output.progress(format_args!("comparing versions of {}", found.name))?;
    let answer = backups.act("diff", input, WORKING)?;
    let format = if args.place.json { Format::Json } else { args.format };
    if format == Format::Json {
        return Ok(output.json(&answer)?);
    }
    show(&answer, format, output)
}

/// Shows a difference as text or Markdown.
pub(super) fn show(answer: &Value, format: Format, output: &mut Output<'_>) -> Result<(), Failure> {
    if list(answer, "changes")?.is_empty() && answer["changes_left_out"].as_u64().unwrap_or_default() == 0 {
        return Ok(output.line("no changes")?);
    }
    let name = if format == Format::Markdown { "markdown" } else { "text" };
    let text = answer[name].as_str().ok_or_else(not_understood)?;
    text.lines().try_for_each(|line| output.line(plain(line)))?;
    let left_out = answer["changes_left_out"].as_u64().unwrap_or_default();
    if left_out > 0 {
        let left_out = counted(left_out, "change");
        output.say(format_args!("{left_out} did not fit into the answer: compare the files"))?;
    }
    Ok(())
}
