//! `postroom backup verify`: whether every version is as it was written.

use serde_json::{Value, json};

use super::{
    Place,
    act::{Backups, list, number},
    chores,
    shown::{counted, size},
};
use crate::{
    command::{Exit, Failure},
    output::Output,
};

/// Flags of `verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Ends with 1 when something is damaged.

Examples:
  postroom backup verify
  postroom backup verify checkout --json")]
pub(crate) struct Args {
    /// A collection, by its id, its name or a part of its name; all unless it is said
    #[arg(value_name = "COLLECTION")]
    collection: Option<String>,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let backups = Backups::open(&args.place)?;
    let collections = chores::meant(&backups, args.collection.as_deref())?;
    let mut answer = chores::each(&backups, &collections, "verify", &json!({}), "reading", output)?;
    if answer.is_null() {
        answer = nothing();
    }
    if args.place.json {
        output.json(&answer)?;
    } else {
        show(&answer, output)?;
    }
    if answer["ok"] == true { Ok(()) } else { Err(Failure::told(Exit::Failed)) }
}

/// What there is to say where there are no collections.
fn nothing() -> Value {
    json!({
        "ok": true, "collections": 0, "versions": 0, "bytes": 0, "not_decrypted": 0, "damaged": [], "damages": 0,
    })
}

fn show(answer: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let row =
        |it: &Value| [text(&it["collection"]), text(&it["version"]), text(&it["what"]), text(&it["file"])];
    let rows: Vec<_> = list(answer, "damaged")?.iter().map(row).collect();
    output.table(["COLLECTION", "VERSION", "DAMAGE", "FILE"], &rows)?;

    let versions = counted(number(answer, "versions")?, "version");
    let collections = counted(number(answer, "collections")?, "collection");
    let damages = number(answer, "damages")?;
    let damages = if damages == 0 { "no damage".to_owned() } else { counted(damages, "damage") };
    let read = size(&answer["bytes"]);
    output.line(format_args!("{damages} in {versions} of {collections}, {read} read"))?;
    let shut = answer["not_decrypted"].as_u64().unwrap_or_default();
    if shut > 0 {
        let shut = counted(shut, "version");
        output.say(format_args!("{shut} could be checked only as far as that goes without the key"))?;
    }
    if answer["ok"] != true {
        output
            .say("    hint: the action `repair` gives a damaged version its body again, from another copy")?;
    }
    Ok(())
}
