//! What all the files about the versions of one collection say together.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::vault::{
    Collection,
    records::{Content, Pack, Stored, Version},
};

/// How long a body, and what is known of it, stays after nothing refers to it any more. No delivery, no list and no clock that
/// is wrong takes so long.
pub(crate) const GRACE_MS: u64 = 24 * 60 * 60 * 1000;

/// The versions of one collection. It only grows by what is joined to it, in any order: two writers who know nothing of each
/// other, and a file that comes both by itself and in a pack, make no difference.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// Which files are in it already.
    pub(super) files: BTreeMap<String, File>,
    /// All records by version, the one that counts last.
    records: BTreeMap<String, Vec<Arc<Version>>>,
    seen: BTreeMap<String, BTreeSet<u64>>,
    gone: BTreeMap<String, u64>,
}

/// A history that several look at. It is looked at for moments only, never while somebody waits for the storage.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared(Arc<Mutex<History>>);

impl Shared {
    pub(super) fn look(&self) -> MutexGuard<'_, History> {
        // It is joined file by file, and a file that was joined by half is joined again.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn into_inner(self) -> History {
        match Arc::try_unwrap(self.0) {
            Ok(history) => history.into_inner().unwrap_or_else(PoisonError::into_inner),
            Err(shared) => Self(shared).look().clone(),
        }
    }
}

/// A file that was read.
#[derive(Debug, Clone)]
pub(super) enum File {
    Loose,
    Pack { made_unix_ms: u64, of: BTreeSet<String>, versions: usize },
    Damaged(String),
}

impl History {
    pub(super) fn join(&mut self, name: &str, content: Result<Content, String>) {
        let file = match content {
            Err(why) => File::Damaged(why),
            Ok(Content::Version(version)) => {
                self.join_record(version);
                File::Loose
            }
            Ok(Content::Seen(seen)) => {
                self.seen.entry(seen.version).or_default().insert(seen.seen_unix_ms);
                File::Loose
            }
            Ok(Content::Gone(gone)) => {
                self.join_gone(gone.version, gone.gone_unix_ms);
                File::Loose
            }
            Ok(Content::Pack(pack)) => {
                let Pack { made_unix_ms, of, versions, seen, gone } = pack;
                let count = versions.len();
                versions.into_iter().for_each(|version| self.join_record(Arc::new(version)));
                seen.into_iter().for_each(|(id, times)| self.seen.entry(id).or_default().extend(times));
                gone.into_iter().for_each(|(id, time)| self.join_gone(id, time));
                File::Pack { made_unix_ms, of, versions: count }
            }
        };
        self.files.insert(name.to_owned(), file);
    }

    fn join_record(&mut self, version: Arc<Version>) {
        let records = self.records.entry(version.id.clone()).or_default();
        if let Err(place) = records.binary_search_by(|record| record.rank().cmp(&version.rank())) {
            records.insert(place, version);
        }
    }

    fn join_gone(&mut self, id: String, unix_ms: u64) {
        let gone = self.gone.entry(id).or_default();
        *gone = unix_ms.max(*gone);
    }

    /// Why files could not be read, by name.
    pub(crate) fn damaged(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(name, file)| match file {
            File::Damaged(why) => Some((name.as_str(), why.as_str())),
            _ => None,
        })
    }

    /// All of it in short.
    pub(super) fn summary(&self, key: String) -> Collection {
        let mut files: Vec<&Stored> = self.live().map(|version| &version.stored).collect();
        files.sort_unstable_by(|a, b| a.file.cmp(&b.file));
        files.dedup_by(|a, b| a.file == b.file);
        Collection {
            key,
            newest: self.newest().map(|version| self.full(version)),
            versions: self.count(),
            stored_bytes: files.iter().map(|stored| stored.bytes).sum(),
        }
    }

    /// The versions that are there, the oldest first.
    pub(crate) fn live(&self) -> impl DoubleEndedIterator<Item = &Arc<Version>> {
        self.records.iter().filter(|(id, _)| !self.gone.contains_key(*id)).filter_map(|(_, it)| it.last())
    }

    pub(crate) fn count(&self) -> usize {
        self.live().count()
    }

    /// How many records it takes memory for.
    pub(super) fn records(&self) -> usize {
        self.records.len() + self.gone.len()
    }

    pub(crate) fn newest(&self) -> Option<&Arc<Version>> {
        self.live().next_back()
    }

    /// The newest version beside this one.
    pub(super) fn newest_beside(&self, id: &str) -> Option<Arc<Version>> {
        self.live().rev().find(|version| version.id != id).map(Arc::clone)
    }

    /// The version that was the newest when this moment came.
    pub(crate) fn at(&self, received_unix_ms: u64) -> Option<&Arc<Version>> {
        self.live().rev().find(|version| version.received_unix_ms <= received_unix_ms)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Arc<Version>> {
        if self.is_gone(id) { None } else { self.records.get(id)?.last() }
    }

    pub(crate) fn is_gone(&self, id: &str) -> bool {
        self.gone.contains_key(id)
    }

    /// Whether this version was received again at this moment, as far as is known.
    pub(crate) fn was_seen(&self, id: &str, unix_ms: u64) -> bool {
        self.seen.get(id).is_some_and(|times| times.contains(&unix_ms))
    }

    /// A version with what is not in its record.
    pub(crate) fn full(&self, version: &Version) -> Version {
        let seen = self.seen.get(&version.id);
        Version {
            seen: seen.map_or(0, |times| u32::try_from(times.len()).unwrap_or(u32::MAX)),
            seen_unix_ms: seen.and_then(|times| times.last()).copied().unwrap_or(version.received_unix_ms),
            ..version.clone()
        }
    }

    /// The body files that must stay: those of versions that are there, and of those that were until a day ago.
    pub(crate) fn wanted(&self, now_unix_ms: u64) -> BTreeSet<&str> {
        let mut wanted = BTreeSet::new();
        for (id, records) in &self.records {
            let gone_for = self.gone.get(id).map(|gone| now_unix_ms.saturating_sub(*gone));
            let (last, earlier) = records.split_last().expect("a version has a record");
            if gone_for.is_none_or(|gone| gone < GRACE_MS) {
                wanted.insert(last.stored.file.as_str());
                if now_unix_ms.saturating_sub(last.written_unix_ms) < GRACE_MS {
                    wanted.extend(earlier.iter().map(|record| record.stored.file.as_str()));
                }
            }
        }
        wanted
    }

    /// All body files that any record names.
    pub(crate) fn named(&self) -> BTreeSet<&str> {
        self.records.values().flatten().map(|record| record.stored.file.as_str()).collect()
    }

    /// The versions that records name as the one before, and that are neither here nor known to be pruned.
    pub(crate) fn missing(&self) -> BTreeSet<&str> {
        let known = |id: &str| self.records.contains_key(id) || self.gone.contains_key(id);
        self.live().filter_map(|version| version.before.as_deref()).filter(|id| !known(id)).collect()
    }

    /// All of it as one pack that takes the place of `of`, without what nobody needs any more.
    pub(super) fn pack(&self, of: BTreeSet<String>, now_unix_ms: u64) -> Pack {
        let age = |unix_ms: u64| now_unix_ms.saturating_sub(unix_ms);
        // Twice the time after which bodies go, so that nobody takes one for a stray while it is still being counted.
        let forgotten = |id: &str| self.gone.get(id).is_some_and(|time| age(*time) > 2 * GRACE_MS);
        let mut versions = Vec::new();
        for (_, records) in self.records.iter().filter(|(id, _)| !forgotten(id)) {
            let (last, earlier) = records.split_last().expect("a version has a record");
            if age(last.written_unix_ms) < 2 * GRACE_MS {
                versions.extend(earlier.iter().map(|record| Version::clone(record)));
            }
            versions.push(Version::clone(last));
        }
        let seen = self.seen.iter().filter(|(id, _)| !forgotten(id));
        let seen = seen.map(|(id, times)| (id.clone(), times.clone())).collect();
        // Never forgotten: a record that some writer brings back much later must not come to life.
        Pack { made_unix_ms: now_unix_ms, of, versions, seen, gone: self.gone.clone() }
    }
}
