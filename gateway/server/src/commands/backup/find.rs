//! Which collection and which version a person means.

use serde_json::{Value, json};

use super::act::{Backups, READING, list, not_understood, number};
use crate::{
    command::{Exit, Failure},
    output::plain,
};

/// Versions in one answer: with their secrets and changes they must fit into the 4 MiB of an action.
const PAGE: usize = 500;
/// Candidates that are named.
const NAMED_MAX: usize = 10;
/// A shorter piece of a hash says too little.
const HASH_DIGITS_MIN: usize = 4;

/// A collection that a person means.
#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    /// Its id, its name, or a part of its name if no other collection has it
    #[arg(value_name = "COLLECTION")]
    collection: String,
}

/// A collection that was found.
pub(super) struct Found {
    /// By which the actions know it.
    pub(super) key: String,
    /// Its name, else its id.
    pub(super) name: String,
}

impl Wanted {
    /// Finds the one collection that this can mean: by its id, else by its whole name, else by how it begins, else by any
    /// part of it.
    pub(super) fn find(&self, backups: &Backups) -> Result<Found, Failure> {
        find(&self.collection, backups)
    }
}

/// As [`Wanted::find`].
pub(super) fn find(wanted: &str, backups: &Backups) -> Result<Found, Failure> {
    if wanted.trim().is_empty() {
        return Err(Failure::new(Exit::Usage, "the collection has no name"));
    }
    match backups.act("versions", json!({ "collection": wanted, "limit": 1 }), READING) {
        Ok(answer) => {
            let key = answer["collection"].as_str().ok_or_else(not_understood)?.to_owned();
            let name = answer["versions"][0]["name"].as_str().unwrap_or(&key).to_owned();
            return Ok(Found { key, name });
        }
        Err(failure) if failure.exit() == Exit::NotFound => {}
        Err(failure) => return Err(failure),
    }
    let collections = backups.collections()?;
    let lower = wanted.trim().to_lowercase();
    let rules: [fn(&str, &str) -> bool; 3] = [
        |text, wanted| text == wanted,
        |text, wanted| text.starts_with(wanted),
        |text, wanted| text.contains(wanted),
    ];
    let mut similar = Vec::new();
    for is in rules {
        let called = |text: &str| is(&text.trim().to_lowercase(), &lower);
        similar = collections.iter().filter(|(key, name)| called(key) || called(name)).collect();
        if let [(key, name)] = &similar[..] {
            return Ok(Found { key: key.clone(), name: name.clone() });
        }
        if !similar.is_empty() {
            break;
        }
    }
    let wanted = plain(wanted);
    if similar.is_empty() {
        return Err(Failure::new(Exit::NotFound, format!("there is no backup of a collection \"{wanted}\""))
            .hint("`postroom backup collections` names them all"));
    }
    let candidates = similar.into_iter().map(|(key, name)| (key.as_str(), name.as_str()));
    Err(several(&format!("\"{wanted}\" can mean several collections"), candidates.collect()))
}

/// The version that is meant: the newest, the one with this id, or the only one whose id, time or hash begins so.
pub(super) fn version(backups: &Backups, found: &Found, wanted: Option<&str>) -> Result<Value, Failure> {
    let Some(wanted) = wanted else {
        let newest = page(backups, &found.key, 1, None)?.0.pop();
        return newest.ok_or_else(|| no_version(found, "at all"));
    };
    let wanted = wanted.trim();
    let mut similar = Vec::new();
    for_each_version(backups, &found.key, |version| {
        if version["id"] == wanted {
            similar = vec![version];
            return false;
        }
        let begins = |name: &str| version[name].as_str().is_some_and(|text| text.starts_with(wanted));
        let hash = wanted.len() >= HASH_DIGITS_MIN && begins("sha256");
        if !wanted.is_empty() && (hash || begins("id") || begins("received_at")) {
            similar.push(version);
        }
        true
    })?;
    if similar.len() > 1 {
        let text = |version: &Value, name: &str| version[name].as_str().unwrap_or_default().to_owned();
        let candidates: Vec<_> =
            similar.iter().map(|version| (text(version, "id"), text(version, "changes"))).collect();
        let candidates = candidates.iter().map(|(id, changes)| (id.as_str(), changes.as_str())).collect();
        return Err(several(&format!("\"{}\" can mean several versions", plain(wanted)), candidates));
    }
    similar.pop().ok_or_else(|| no_version(found, &format!("\"{}\"", plain(wanted))))
}

/// Versions of a collection, the newest first, `limit` at most; and how many there are.
pub(super) fn versions(backups: &Backups, key: &str, limit: usize) -> Result<(Vec<Value>, u64), Failure> {
    let (mut versions, mut total) = (Vec::new(), 0);
    loop {
        let last = versions.last().map(id).transpose()?;
        let (page, all) = page(backups, key, (limit - versions.len()).min(PAGE), last)?;
        let is_end = page.is_empty();
        versions.extend(page);
        total = all.max(total);
        if is_end || versions.len() >= limit || versions.len() as u64 >= total {
            return Ok((versions, total));
        }
    }
}

/// Looks at versions, the newest first, until `look` has seen enough.
fn for_each_version(
    backups: &Backups,
    key: &str,
    mut look: impl FnMut(Value) -> bool,
) -> Result<(), Failure> {
    let mut last = None;
    loop {
        let (versions, _) = page(backups, key, PAGE, last.take())?;
        let is_end = versions.len() < PAGE;
        last = versions.last().map(id).transpose()?;
        if !versions.into_iter().all(&mut look) || is_end {
            return Ok(());
        }
    }
}

fn page(
    backups: &Backups,
    key: &str,
    limit: usize,
    older_than: Option<String>,
) -> Result<(Vec<Value>, u64), Failure> {
    let mut input = json!({ "collection": key, "limit": limit });
    if let Some(than) = older_than {
        input["older_than"] = json!(than);
    }
    let answer = backups.act("versions", input, READING)?;
    Ok((list(&answer, "versions")?.to_vec(), number(&answer, "total")?))
}

/// The id of a version.
pub(super) fn id(version: &Value) -> Result<String, Failure> {
    version["id"].as_str().map(str::to_owned).ok_or_else(not_understood)
}

fn no_version(found: &Found, which: &str) -> Failure {
    Failure::new(Exit::NotFound, format!("{} has no version {which}", plain(&found.name)))
        .hint(format!("`postroom backup versions {}` names them all", plain(&found.key)))
}

fn several(message: &str, candidates: Vec<(&str, &str)>) -> Failure {
    let line = |(id, name): &(&str, &str)| format!("\n      {}  {}", plain(id), plain(name));
    let named: String = candidates.iter().take(NAMED_MAX).map(line).collect();
    let rest = candidates.len().saturating_sub(NAMED_MAX);
    let rest = if rest == 0 { String::new() } else { format!("\n      and {rest} more") };
    Failure::new(Exit::NotFound, message).hint(format!("write the id of one:{named}{rest}"))
}
