//! `postroom backup prune`: what the retention does not keep goes.

use serde_json::{Value, json};

use super::{
    Place,
    act::{Backups, list, number},
    chores::{self, collections_in},
    find::Found,
    shown::{counted, size},
};
use crate::{
    command::{Exit, Failure},
    output::Output,
};

/// Flags of `prune`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
On a terminal it tells what would go, and asks.

Examples:
  postroom backup prune --dry-run
  postroom backup prune checkout
  postroom backup prune --yes --json")]
pub(crate) struct Args {
    /// A collection, by its id, its name or a part of its name; all unless it is said
    #[arg(value_name = "COLLECTION")]
    collection: Option<String>,
    /// Only tell what would go, and why the rest stays
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    if !args.dry_run && !args.yes && !output.can_ask() {
        return Err(Failure::new(Exit::Usage, "versions that are pruned do not come back")
            .hint("add --yes if that is what you want; --dry-run tells what would go"));
    }
    let backups = Backups::open(&args.place)?;
    let collections = chores::meant(&backups, args.collection.as_deref())?;
    let pruned = |dry_run: bool, output: &mut Output<'_>| {
        let doing = if dry_run { "looking at" } else { "pruning" };
        let input = json!({ "dry_run": dry_run });
        let answer = chores::each(&backups, &collections, "prune", &input, doing, output)?;
        Ok::<_, Failure>(if answer.is_null() { nothing(dry_run) } else { answer })
    };
    if args.dry_run {
        let answer = pruned(true, output)?;
        if args.place.json {
            return Ok(output.json(&answer)?);
        }
        fates(&answer, &collections, false, output)?;
        return told(&answer, output);
    }
    if !args.yes {
        let planned = pruned(true, output)?;
        if number(&planned, "gone")? > 0 || number(&planned, "bodies")? > 0 {
            if !args.place.json {
                fates(&planned, &collections, true, output)?;
            }
            if !output.ask(question(&planned)?)? {
                output.say("nothing was removed")?;
                return Err(Failure::told(Exit::Failed));
            }
        }
    }
    let answer = pruned(false, output)?;
    if args.place.json { Ok(output.json(&answer)?) } else { told(&answer, output) }
}

/// What there is to say where there are no collections.
fn nothing(dry_run: bool) -> Value {
    json!({ "dry_run": dry_run, "versions": [], "gone": 0, "kept": 0, "bodies": 0, "freed_bytes": 0 })
}

fn question(planned: &Value) -> Result<String, Failure> {
    let gone = number(planned, "gone")?;
    if gone == 0 {
        let bodies = number(planned, "bodies")?;
        let bodies = if bodies == 1 { "1 body".to_owned() } else { format!("{bodies} bodies") };
        return Ok(format!("Delete {bodies} that no version needs, {}?", size(&planned["freed_bytes"])));
    }
    let going: Vec<&Value> = list(planned, "versions")?.iter().filter(|it| goes(it)).collect();
    let of = collections_in(&json!({ "versions": going }), "versions")?;
    Ok(format!("Remove {} of {}?", counted(gone, "version"), counted(of, "collection")))
}

fn goes(fate: &Value) -> bool {
    fate["kept_by"].as_array().is_some_and(Vec::is_empty)
}

/// What becomes of each version, or only of those that go.
fn fates(
    answer: &Value,
    collections: &[Found],
    only_gone: bool,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let row = |fate: &Value| {
        let key = fate["collection"].as_str().unwrap_or("-");
        let name = collections.iter().find(|found| found.key == key).map_or(key, |found| &found.name);
        let why = fate["kept_by"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let why = why.map(|rule| rule.replace('_', " ")).collect::<Vec<_>>().join(", ");
        let fate_of = if why.is_empty() { "goes".to_owned() } else { format!("stays: {why}") };
        [name.to_owned(), fate["version"].as_str().unwrap_or("-").to_owned(), fate_of]
    };
    let fates = list(answer, "versions")?.iter().filter(|fate| !only_gone || goes(fate));
    let rows: Vec<_> = fates.map(row).collect();
    Ok(output.table_within(["COLLECTION", "VERSION", "FATE"], &rows, 0)?)
}

/// What was done, or would be, in a line.
fn told(answer: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let (gone, kept) = (number(answer, "gone")?, number(answer, "kept")?);
    let (would, done) = if answer["dry_run"] == true { ("would be ", "") } else { ("", "were ") };
    let verb = |count: u64| if would.is_empty() && count == 1 { "was " } else { done };
    let stay = if kept == 1 { "stays" } else { "stay" };
    let mut line = format!("{} {would}{}removed, {kept} {stay}", counted(gone, "version"), verb(gone));
    let bodies = number(answer, "bodies")?;
    if bodies > 0 {
        let noun = if bodies == 1 { "body" } else { "bodies" };
        let freed = size(&answer["freed_bytes"]);
        line = format!("{line}; {bodies} {noun} {would}{}deleted, {freed}", verb(bodies));
    }
    Ok(output.line(line)?)
}
