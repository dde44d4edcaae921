//! `postroom backup restore`: a version into a file, or back to Postman.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{
    Place,
    act::{Backups, RESTORING, not_understood},
    diff, fetch,
    find::{self, Found},
    shown::size_of,
};
use crate::{
    command::{Exit, Failure},
    output::{Output, plain},
};

/// Flags of `restore`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --to the version goes to Postman, with the key that the destination has in `postman.api_key`. With --over, on a
terminal, it tells what would change there, and asks. Ends with 1 when Postman was still at work as the time was up.

Examples:
  postroom backup restore checkout --to checkout.json
  postroom backup restore checkout --version 2026-11-21 --to - | jq .info
  postroom backup restore checkout --workspace 1f0df51a-8658-4ee8-a2a1-d2567dfa09a9
  postroom backup restore checkout --version 2026-11-21 --over --dry-run")]
pub(crate) struct Args {
    #[command(flatten)]
    collection: find::Wanted,
    /// The beginning of its id, its time or its SHA-256; the newest unless it is said
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Write it to this file, which Postman can import; `-` is standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["new", "over", "workspace", "dry_run", "name", "target", "yes"])]
    to: Option<PathBuf>,
    /// Replace the file that is there
    #[arg(long, requires = "to")]
    force: bool,
    /// Make a collection of it beside the one that may be there: this is what is done when nothing is said
    #[arg(long, conflicts_with = "over")]
    new: bool,
    /// Replace the collection in Postman
    #[arg(long)]
    over: bool,
    /// Which collection to replace, by its id in Postman; the one that the version is of unless it is said
    #[arg(long, value_name = "ID", requires = "over")]
    target: Option<String>,
    /// The id of the workspace that the new collection goes to; that of the settings unless it is said
    #[arg(long, value_name = "ID", conflicts_with = "over")]
    workspace: Option<String>,
    /// Another name for it
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only tell what would change in Postman
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before a collection is replaced
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let asks = args.over && !args.dry_run && !args.yes;
    if asks && !output.can_ask() {
        return Err(Failure::new(Exit::Usage, "what is in Postman would be replaced")
            .hint("add --yes if that is what you want; --dry-run tells what would change"));
    }
    let backups = Backups::open(&args.place)?;
    let found = args.collection.find(&backups)?;
    let version = find::version(&backups, &found, args.version.as_deref())?;
    if let Some(file) = &args.to {
        return to_file(args, file, &backups, &found, &version, output);
    }
    let restore = |dry_run: bool, output: &mut Output<'_>| {
        let doing = if dry_run { "comparing with what is in Postman" } else { "restoring to Postman" };
        output.progress(format_args!("{}: {doing}", found.name))?;
        backups.act("restore", input(args, &found, &version, dry_run)?, RESTORING)
    };
    if asks {
        let planned = restore(true, output)?;
        if !args.place.json {
            show(&planned, output)?;
        }
        if !output.ask(question(&planned, &version)?)? {
            output.say("nothing was restored")?;
            return Err(Failure::told(Exit::Failed));
        }
    }
    let answer = restore(args.dry_run, output)?;
    if args.place.json {
        output.json(&answer)?;
    } else {
        show(&answer, output)?;
    }
    if answer["state"] == "running" { Err(Failure::told(Exit::Failed)) } else { Ok(()) }
}

fn input(args: &Args, found: &Found, version: &Value, dry_run: bool) -> Result<Value, Failure> {
    let mut input = json!({
        "collection": found.key, "version": find::id(version)?, "over": args.over, "dry_run": dry_run,
    });
    for (name, value) in [("target", &args.target), ("workspace", &args.workspace), ("name", &args.name)] {
        if let Some(value) = value {
            input[name] = json!(value);
        }
    }
    Ok(input)
}

fn question(planned: &Value, version: &Value) -> Result<String, Failure> {
    let name = planned["name"].as_str().ok_or_else(not_understood)?;
    let uid = planned["uid"].as_str().map(|uid| format!(" ({uid})")).unwrap_or_default();
    let version = find::id(version)?;
    Ok(plain(format!("Replace {name}{uid} in Postman by version {version}?")))
}

fn show(answer: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let text = |name: &str| answer[name].as_str().unwrap_or_default();
    if answer["difference"].is_object() {
        diff::show(&answer["difference"], diff::Format::Text, output)?;
    }
    let (name, version) = (text("name"), answer["version"]["id"].as_str().unwrap_or_default());
    let state = text("state");
    let line = match (state, text("uid")) {
        ("done", uid) => format!("{name} is in Postman as it was in version {version}: {uid}"),
        ("running", uid) => {
            let task = text("task");
            format!("Postman has version {version} of {name} and is still at work: {uid}, task {task}")
        }
        ("dry_run", "") => {
            let size = size_of(answer["bytes"].as_u64().ok_or_else(not_understood)?);
            format!("version {version} would become a new collection {name}, {size}")
        }
        ("dry_run", uid) => format!("version {version} would replace {name}: {uid}"),
        _ => return Err(not_understood()),
    };
    output.line(plain(line.trim_end_matches([' ', ':'])))?;
    let notes = answer["notes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for note in notes {
        output.say(format_args!("note: {}", plain(note)))?;
    }
    Ok(())
}

fn to_file(
    args: &Args,
    file: &PathBuf,
    backups: &Backups,
    found: &Found,
    version: &Value,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let is_stdout = file.as_os_str() == "-";
    if is_stdout {
        if args.place.json {
            return Err(Failure::new(
                Exit::Usage,
                "the version itself goes to standard output, so --json cannot",
            ));
        }
        return fetch::to_output(backups, found, version, output);
    }
    fetch::into_file(backups, found, version, file, args.force, output)?;
    if args.place.json {
        let done = json!({ "collection": found.key, "version": version, "file": file });
        output.json(&done)?;
    } else {
        let bytes = size_of(version["bytes"].as_u64().unwrap_or_default());
        let id = find::id(version)?;
        let line = format!("wrote version {id} of {} to {}, {bytes}", found.name, file.display());
        output.line(plain(line))?;
    }
    if version["redacted"] == true {
        output.say(
            "note: secrets were taken out of this version before it was kept: set them again in Postman",
        )?;
    }
    Ok(())
}
