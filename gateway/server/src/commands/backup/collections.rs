//! `postroom backup collections`, `versions` and `show`: what there is.

use serde_json::json;

use super::{
    Place,
    act::{Backups, READING, list as listed},
    find, shown,
};
use crate::{command::Failure, output::Output};

/// Flags of `collections`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom backup collections
  postroom backup collections --destination s3 --json | jq -r '.collections[].collection'")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    place: Place,
}

/// Flags of `versions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom backup versions checkout
  postroom backup versions 711a2044-c4fc-441b-b169-233c07489031 --limit 1000 --json")]
pub(crate) struct VersionsArgs {
    #[command(flatten)]
    collection: find::Wanted,
    /// Most versions to list
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    place: Place,
}

/// Flags of `show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom backup show checkout
  postroom backup show checkout --version 2026-11-21
  postroom backup show checkout --json | jq -r .body")]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    collection: find::Wanted,
    /// The beginning of its id, its time or its SHA-256; the newest unless it is said
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    #[command(flatten)]
    place: Place,
}

pub(super) fn list(args: &ListArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    let answer = Backups::open(&args.place)?.list_collections()?;
    if args.place.json {
        return Ok(output.json(&answer)?);
    }
    let collections = listed(&answer, "collections")?;
    if collections.is_empty() {
        output.say("there is no backup yet")?;
    }
    shown::collections(collections, output)
}

pub(super) fn versions(args: &VersionsArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    let backups = Backups::open(&args.place)?;
    let found = args.collection.find(&backups)?;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let (versions, total) = find::versions(&backups, &found.key, limit)?;
    if args.place.json {
        let answer = json!({ "collection": found.key, "versions": versions, "total": total });
        return Ok(output.json(&answer)?);
    }
    if versions.is_empty() {
        output.say("every version is gone")?;
    }
    shown::versions(&versions, output)?;
    if total > versions.len() as u64 {
        output.say(format_args!("there are {total} versions: see --limit"))?;
    }
    Ok(())
}

pub(super) fn show(args: &ShowArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    let backups = Backups::open(&args.place)?;
    let found = args.collection.find(&backups)?;
    let version = find::version(&backups, &found, args.version.as_deref())?;
    if !args.place.json {
        // From the list, so that a version is shown whose body is damaged or encrypted.
        return shown::facts(&found.key, &version, output);
    }
    let input = json!({ "collection": found.key, "version": find::id(&version)? });
    Ok(output.json(&backups.act("show", input, READING)?)?)
}
