//! `postroom events`: what came in at a running gateway.

mod shown;
mod tail;

use std::path::PathBuf;

use clap::Subcommand;

use super::asked::{self, Length, OfOne, moment};
use crate::{
    command::{Exit, Failure, GatewayFlags},
    output::Output,
};

/// The commands about events.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Events, the newest first
    List(ListArgs),
    /// One event: what it is, where it went, and why
    Show(OfOne),
    /// The body of an event, byte for byte
    Body(BodyArgs),
    /// What happens, line by line as it happens, until it is interrupted
    Tail(tail::Args),
}

/// Flags of `events list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom events list --kind monitor_run --after 2026-11-22T06:00:00Z
  postroom events list --label team=payments --text checkout --json")]
pub(crate) struct ListArgs {
    /// Only those of this kind: monitor_run, collection_backup, activity …
    #[arg(long)]
    kind: Option<String>,
    /// Only those that came in by this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only those with this label
    #[arg(long, value_name = "NAME=VALUE")]
    label: Option<String>,
    /// Only those about the monitor or collection with this id
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// Only those of the monitor with this id
    #[arg(long, value_name = "ID")]
    monitor: Option<String>,
    /// Only those of the collection with this id
    #[arg(long, value_name = "ID")]
    collection: Option<String>,
    /// Only those with this in a name, an id or the note
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Only those that came in at this moment or later
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    after: Option<String>,
    /// Only those that came in before this moment
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    before: Option<String>,
    #[command(flatten)]
    length: Length,
}

/// Flags of `events body`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom events body 0192f0c1-2b7e-7c3a-9d52-7f2f7a5d1c01 | jq .
  postroom events body 0192f0c1-2b7e-7c3a-9d52-7f2f7a5d1c01 --to backup.json")]
pub(crate) struct BodyArgs {
    /// The event's id
    #[arg(value_name = "ID")]
    id: String,
    /// A file to write it to, which must not be there yet; without it standard output
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    gateway: GatewayFlags,
}

pub(crate) fn run(command: &Command, output: &mut Output<'_>) -> Result<(), Failure> {
    match command {
        Command::List(args) => {
            let table = ("event", shown::table as fn(&[_], &mut Output<'_>) -> _);
            asked::print_list("events", query(args), &args.length, table, output)
        }
        Command::Show(OfOne { id, plain }) => asked::print_one(&["events", id], plain, shown::facts, output),
        Command::Body(args) => body(args, output),
        Command::Tail(args) => tail::run(args, output),
    }
}

fn query(args: &ListArgs) -> Vec<(&'static str, String)> {
    let filters = [
        ("kind", &args.kind),
        ("source", &args.source),
        ("label", &args.label),
        ("subject", &args.subject),
        ("monitor", &args.monitor),
        ("collection", &args.collection),
        ("text", &args.text),
        ("received_after", &args.after),
        ("received_before", &args.before),
    ];
    filters.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
}

fn body(args: &BodyArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    use std::io::{ErrorKind, Write as _};

    let api = args.gateway.api()?;
    let path = ["events", &args.id, "body"];
    let Some(file) = &args.to else {
        return api.download(&path, Vec::new(), |piece| Ok(output.bytes(piece)?));
    };
    let unwritten = |error: std::io::Error| {
        Failure::new(Exit::Failed, format!("cannot write {}: {error}", file.display()))
    };
    let is_there = || {
        Failure::new(Exit::Failed, format!("there is a file {} already", file.display()))
            .hint("name another with --to, or remove it first")
    };
    if file.symlink_metadata().is_ok() {
        return Err(is_there());
    }
    // Beside the name until it is whole.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(std::path::Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::new(Exit::Failed, format!("there is no folder {}", folder.display())),
        _ => unwritten(error),
    })?;
    api.download(&path, Vec::new(), |piece| temporary.write_all(piece).map_err(unwritten))?;
    temporary.persist_noclobber(file).map_err(|error| match error.error.kind() {
        ErrorKind::AlreadyExists => is_there(),
        _ => unwritten(error.error),
    })?;
    Ok(())
}

#[cfg(test)]
mod tests;
