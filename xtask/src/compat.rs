//! `cargo xtask compat`: whether a client that was made from the document of the last release works with what the document
//! says now. What breaks one has to be called breaking in the changelog.

mod operations;
mod schemas;

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::{root, say};

/// A release puts its document there, under its version: `0.2.0.json`.
const RELEASED: &str = "openapi/released";
const TODAY: &str = "openapi/postroom.json";
/// What the changelog says of a change that breaks clients.
const ADMITTED: &str = "breaking";

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let Some(verdict) = check(root())? else {
        say(&format!("nothing is in {RELEASED}: no release has promised anything yet"));
        return Ok(ExitCode::SUCCESS);
    };
    verdict.breaks.iter().for_each(|found| say(found));
    if verdict.is_fit() {
        say(&format!("{} breaking since {}", verdict.breaks.len(), verdict.version));
        return Ok(ExitCode::SUCCESS);
    }
    bail!(
        "{} changes break clients of {}; mend them, or say in CHANGELOG.md under Unreleased what is {ADMITTED}",
        verdict.breaks.len(),
        verdict.version
    )
}

struct Verdict {
    /// Of the release that today is compared with.
    version: String,
    breaks: Vec<String>,
    /// Whether the changelog says so.
    is_admitted: bool,
}

impl Verdict {
    fn is_fit(&self) -> bool {
        self.breaks.is_empty() || self.is_admitted
    }
}

/// Compares with the newest release; `None` before the first.
fn check(root: &Path) -> anyhow::Result<Option<Verdict>> {
    let folder = root.join(RELEASED);
    let mut versions = Vec::new();
    if folder.is_dir() {
        for file in fs::read_dir(&folder).with_context(|| format!("cannot read {RELEASED}"))? {
            let name = file.context("cannot read a folder")?.file_name();
            let version = name.to_str().and_then(|name| name.strip_suffix(".json"));
            let version = version.with_context(|| format!("{} is no VERSION.json", name.display()))?;
            versions.push((numbers(version)?, version.to_owned()));
        }
    }
    let Some((_, version)) = versions.into_iter().max() else { return Ok(None) };
    let read = |path: &str| -> anyhow::Result<Value> {
        let text = fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))?;
        serde_json::from_str(&text).with_context(|| format!("{path} is no JSON"))
    };
    let breaks = operations::breaks(&read(&format!("{RELEASED}/{version}.json"))?, &read(TODAY)?);
    let changelog = fs::read_to_string(root.join("CHANGELOG.md")).context("cannot read CHANGELOG.md")?;
    Ok(Some(Verdict { version, breaks, is_admitted: admits(&changelog) }))
}

fn numbers(version: &str) -> anyhow::Result<Vec<u64>> {
    let numbers = version.split('.').map(str::parse).collect::<Result<_, _>>();
    numbers.with_context(|| format!("{version} is no version"))
}

fn admits(changelog: &str) -> bool {
    let unreleased = changelog.split("\n## ").find(|section| section.starts_with("Unreleased"));
    unreleased.is_some_and(|section| section.to_lowercase().contains(ADMITTED))
}

#[cfg(test)]
mod tests;
