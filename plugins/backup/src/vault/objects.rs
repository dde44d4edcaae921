//! A vault on any storage, without locks: files are only added, each by one writer, and joined when they are read.
//!
//! - `collections/{key}/objects/` has bodies. Their names are never used twice.
//! - `collections/{key}/versions/` says what there is: a record for each version, written last, marks that a version was
//!   seen again or is gone, and packs of many of these.

mod copy;
mod history;
mod keep;
mod load;
mod old;
mod pack;
mod prune;
mod verify;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use postroom_sdk::Bytes;

use self::{
    history::{History, Shared},
    old::OldFolders,
};
pub(crate) use self::{
    prune::Pruned,
    verify::{Damage, Mending, Verified},
};
use super::{
    Collection, Error, Version,
    body::{Coding, DecodeError, offload, sha256},
    compare,
    copies::Template,
    names,
    records::Stored,
    shelf::Shelf,
};
use crate::{collection, scan::Scan};

/// Most records that are remembered; the collections used longest ago are forgotten first.
const REMEMBERED_MAX: usize = 100_000;

/// How the vault keeps.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) coding: Coding,
    /// Where a copy for people goes.
    pub(crate) path: Option<Template>,
    /// Whether a body that says the same with other generated ids is a version.
    pub(crate) store_unchanged: bool,
    pub(crate) scan: Scan,
    pub(crate) packing: Packing,
}

/// When packs are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packing {
    /// How many small files make a pack.
    pub(crate) loose: usize,
    /// How many packs of about the same size make a larger one, and how much larger it is.
    pub(crate) fanout: usize,
}

impl Default for Packing {
    /// No list has more than a few hundred files: one answer of every service.
    fn default() -> Self {
        Self { loose: 64, fanout: 8 }
    }
}

/// The versions of all collections on one storage. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    shelf: Shelf,
    settings: Arc<Settings>,
    remembered: Arc<Mutex<Remembered>>,
    old: OldFolders,
}

#[derive(Debug, Default)]
struct Remembered {
    histories: HashMap<String, (u64, Shared)>,
    /// Counts uses, so that the one used longest ago is known.
    uses: u64,
}

impl Objects {
    pub(crate) fn new(shelf: Shelf, settings: Settings) -> Self {
        Self { shelf, settings: Arc::new(settings), remembered: Arc::default(), old: OldFolders::default() }
    }

    /// What the vault calls the collections that are here, in order.
    pub(crate) async fn keys(&self) -> Result<Vec<String>, Error> {
        self.take_in_all().await?;
        let entries = self.shelf.list(names::COLLECTIONS).await?;
        let folders = entries.into_iter().filter(|entry| entry.is_folder);
        let mut keys: Vec<String> = folders.map(|entry| entry.name).collect();
        keys.sort_unstable();
        Ok(keys)
    }

    /// These collections.
    pub(crate) async fn collections(&self, keys: &[String]) -> Result<Vec<Collection>, Error> {
        let mut collections = Vec::new();
        for key in keys {
            let history = self.load(key).await?;
            collections.push(history.look().summary(key.clone()));
        }
        Ok(collections)
    }

    /// What the vault calls the collection that somebody names by its id, with or without the owner before it, or by the
    /// vault's own name for it.
    pub(crate) async fn find(&self, collection: &str) -> Result<String, Error> {
        let keys = self.keys().await?;
        let without_owner = collection.split_once('-').map_or(collection, |(_, tail)| tail);
        let wanted =
            [collection.to_owned(), names::collection_key(None, Some(collection)), without_owner.to_owned()];
        let found = wanted.into_iter().find(|wanted| keys.contains(wanted));
        found.ok_or_else(|| Error::NoCollection(collection.to_owned()))
    }

    /// The versions of a collection, the oldest first.
    pub(crate) async fn versions(&self, key: &str) -> Result<Vec<Version>, Error> {
        let history = self.load(key).await?;
        let history = history.look();
        Ok(history.live().map(|version| history.full(version)).collect())
    }

    /// One version; the newest unless one is named.
    pub(crate) async fn version(&self, key: &str, id: Option<&str>) -> Result<Version, Error> {
        let history = self.load(key).await?;
        let history = history.look();
        let version = match id {
            Some(id) => history.get(id),
            None => history.newest(),
        };
        version.map(|version| history.full(version)).ok_or_else(|| Error::NoVersion {
            collection: key.to_owned(),
            version: id.unwrap_or("at all").to_owned(),
        })
    }

    /// The body of a version, byte for byte as it was received.
    pub(crate) async fn body(&self, key: &str, version: &Version) -> Result<Bytes, Error> {
        match self.body_at(version).await {
            Err(Error::Damaged { .. }) => {}
            done => return done,
        }
        // Another writer may have moved it since the record was read.
        let fresh = self.load_fresh(key).await?;
        match fresh.get(&version.id) {
            Some(fresh) => self.body_at(fresh).await,
            None => Err(Error::NoVersion { collection: key.to_owned(), version: version.id.clone() }),
        }
    }

    async fn body_at(&self, version: &Version) -> Result<Bytes, Error> {
        let damaged = |why: &str| Error::Damaged { version: version.id.clone(), why: why.to_owned() };
        let file = &version.stored.file;
        let Some(stored) = self.shelf.read(file).await? else {
            return Err(damaged(&format!("{file} is not there")));
        };
        let body =
            self.settings.coding.decode(file, stored, version.bytes).await.map_err(|error| match error {
                DecodeError::NoIdentity => Error::NoIdentity,
                DecodeError::Damaged(why) => damaged(&why),
                DecodeError::Interrupted => Error::Interrupted,
            })?;
        if sha256(body.clone()).await? != version.sha256 {
            return Err(damaged("its hash is another"));
        }
        Ok(body)
    }

    /// What changed from one version to another.
    pub(crate) async fn diff(
        &self,
        key: &str,
        before: &Version,
        after: &Version,
    ) -> Result<collection::Diff, Error> {
        let _turn = compare::turn(before.bytes.saturating_add(after.bytes)).await;
        let (before, after) = (self.body(key, before).await?, self.body(key, after).await?);
        diff(before, after).await
    }

    /// Whether the file of a body is there as it was written.
    async fn holds(&self, stored: &Stored) -> Result<bool, Error> {
        match self.shelf.read(&stored.file).await? {
            Some(bytes) if bytes.len() as u64 == stored.bytes => Ok(sha256(bytes).await? == stored.sha256),
            _ => Ok(false),
        }
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        // What is in it is only a copy of what is on the storage.
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn diff(before: Bytes, after: Bytes) -> Result<collection::Diff, Error> {
    Ok(offload(before.len() + after.len(), move || compare::diff(&before, &after)).await??)
}

#[cfg(test)]
mod tests;
