//! Which commits are versions. Found by walking each commit once, and only those that are new since.

use std::collections::{BTreeMap, BTreeSet};

use git2::{Oid, Repository};
use sha2::{Digest, Sha256};

use super::message::{self, Note};
use crate::vault::{Version, names};

/// When a version was received, and the start of its hash: what its id says, and how versions are ordered.
pub(super) type Moment = (u64, [u8; 6]);

/// What is known of the history up to one commit: some dozen bytes for each version.
#[derive(Debug, Default)]
pub(super) struct Index {
    tip: Option<Oid>,
    collections: BTreeMap<String, Line>,
}

/// The versions of one collection.
#[derive(Debug, Default)]
pub(super) struct Line {
    entries: BTreeMap<Moment, Entry>,
    /// Every file that ever held it.
    pub(super) files: BTreeSet<String>,
    /// The one that holds it now.
    pub(super) file: String,
    /// How long all bodies are.
    pub(super) bytes: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) commit: Oid,
    event: [u8; 8],
}

fn event_mark(event_id: &str) -> [u8; 8] {
    let hash = Sha256::digest(event_id);
    std::array::from_fn(|at| hash[at])
}

pub(super) fn moment(version: &Version) -> Moment {
    moment_of(version.received_unix_ms, &version.sha256)
}

/// `sha256` is in hex, or the start of one.
pub(super) fn moment_of(received_unix_ms: u64, sha256: &str) -> Moment {
    let digit = |at: usize| sha256.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    (received_unix_ms, std::array::from_fn(|at| digit(at * 2).unwrap_or_default()))
}

impl Index {
    /// Takes in what is between the commit that is known and this one.
    pub(super) fn follow(&mut self, repository: &Repository, tip: Option<Oid>) -> Result<(), git2::Error> {
        if self.tip == tip {
            return Ok(());
        }
        let Some(tip) = tip else {
            *self = Self::default();
            return Ok(());
        };
        // A history that somebody wrote anew is read anew.
        let known = match self.tip {
            Some(known) if is_in(repository, tip, known) => Some(known),
            _ => None,
        };
        if known.is_none() {
            *self = Self::default();
        }
        let mut walk = repository.revwalk()?;
        walk.push(tip)?;
        if let Some(known) = known {
            walk.hide(known)?;
        }
        for commit in walk {
            let commit = repository.find_commit(commit?)?;
            if let Some(note) = message::read(&commit) {
                self.add(commit.id(), &note);
            }
        }
        self.tip = Some(tip);
        Ok(())
    }

    fn add(&mut self, commit: Oid, note: &Note) {
        let line = self.collections.entry(note.key.clone()).or_default();
        let moment = moment(&note.version);
        let file = &note.version.stored.file;
        line.files.insert(file.clone());
        if line.entries.last_key_value().is_none_or(|(newest, _)| *newest <= moment) {
            line.file.clone_from(file);
        }
        let entry = Entry { commit, event: event_mark(&note.version.event_id) };
        if line.entries.insert(moment, entry).is_none() {
            line.bytes += note.version.bytes;
        }
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = (&String, &Line)> {
        self.collections.iter()
    }

    pub(super) fn line(&self, key: &str) -> Option<&Line> {
        self.collections.get(key)
    }

    /// The collection that a file holds now.
    pub(super) fn owner(&self, file: &str) -> Option<&str> {
        self.collections.iter().find(|(_, line)| line.file == file).map(|(key, _)| key.as_str())
    }
}

impl Line {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn newest(&self) -> Option<(Moment, Entry)> {
        self.entries.last_key_value().map(|(moment, entry)| (*moment, *entry))
    }

    /// The version of this id.
    pub(super) fn named(&self, id: &str) -> Option<Entry> {
        let (received_unix_ms, hash) = names::parse_version(id)?;
        self.get(&moment_of(received_unix_ms, hash))
    }

    pub(super) fn get(&self, moment: &Moment) -> Option<Entry> {
        self.entries.get(moment).copied()
    }

    /// The version before that moment.
    pub(super) fn before(&self, moment: &Moment) -> Option<Entry> {
        self.entries.range(..moment).next_back().map(|(_, entry)| *entry)
    }

    /// The versions, the oldest first.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.entries.values().copied()
    }

    /// The versions that this event may have brought.
    pub(super) fn of_event(&self, event_id: &str) -> impl Iterator<Item = Entry> {
        let mark = event_mark(event_id);
        self.entries.values().copied().filter(move |entry| entry.event == mark)
    }
}

/// Whether a commit is in the history of another, or is it.
pub(super) fn is_in(repository: &Repository, tip: Oid, commit: Oid) -> bool {
    tip == commit || repository.graph_descendant_of(tip, commit).unwrap_or(false)
}
