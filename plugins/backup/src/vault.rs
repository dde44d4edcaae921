//! Every version of every collection, and what can be done with them.

mod compare;
pub(crate) mod git;
mod objects;
mod records;

pub(crate) mod body;
pub(crate) mod copies;
pub(crate) mod names;
pub(crate) mod shelf;

use postroom_sdk::Bytes;
use thiserror::Error;

pub(crate) use self::{
    git::GitVault,
    objects::{Damage, Mending, Objects, Packing, Pruned, Settings, Verified},
    records::{Counts, Found, Stored, Version},
};
use crate::{
    collection::{Diff, Unreadable},
    retention::Retention,
    storage::StorageError,
};

/// One collection as it was received.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) bytes: Bytes,
    pub(crate) event_id: String,
    pub(crate) received_unix_ms: u64,
    pub(crate) name: Option<String>,
    pub(crate) id: Option<String>,
}

/// What became of a snapshot.
#[derive(Debug)]
pub(crate) enum Kept {
    /// It is a version of its own now.
    New(Box<Fresh>),
    /// It says what this version says, which has been seen once more.
    Unchanged(Version),
    /// It is this version: an earlier try has kept it.
    Again(Version),
    /// It was this version, which has been pruned since.
    Gone(String),
}

/// A new version.
#[derive(Debug)]
pub(crate) struct Fresh {
    pub(crate) version: Version,
    pub(crate) before: Option<Version>,
    /// What changed from the one before, where that can be read.
    pub(crate) diff: Option<Diff>,
}

/// A collection that has versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Collection {
    /// What the vault calls it.
    pub(crate) key: String,
    /// The newest version; absent when none can be read.
    pub(crate) newest: Option<Version>,
    pub(crate) versions: usize,
    /// How many bytes all bodies take in the storage.
    pub(crate) stored_bytes: u64,
}

#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("cannot {doing} {path}")]
    Storage { doing: &'static str, path: String, source: StorageError },
    #[error("the collection {0} is not here")]
    NoCollection(String),
    #[error("the collection {collection} has no version {version}")]
    NoVersion { collection: String, version: String },
    #[error("the body of version {version} is damaged: {why}; `repair` mends it from another copy")]
    Damaged { version: String, why: String },
    #[error("the bodies are encrypted: set `decrypt_with` to read them here")]
    NoIdentity,
    #[error("{path} is not what was written to it a moment ago")]
    NotAsWritten { path: String },
    #[error("the list of versions changes faster than it can be read")]
    Unsteady,
    #[error("the collection cannot be read: {0}")]
    Unreadable(#[from] Unreadable),
    #[error("the body cannot be encoded")]
    Encode(#[source] std::io::Error),
    #[error("git keeps every version: nothing is taken out of its history")]
    KeepsAll,
    #[error("the work was interrupted")]
    Interrupted,
}

impl Error {
    pub(crate) fn storage(doing: &'static str, path: &str) -> impl FnOnce(StorageError) -> Self {
        move |source| Self::Storage { doing, path: path.to_owned(), source }
    }
}

/// The versions of all collections. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) enum Vault {
    Objects(Objects),
    Git(GitVault),
}

/// The same call on whichever vault it is.
macro_rules! each {
    ($self:ident, $vault:ident => $call:expr) => {
        match $self {
            Vault::Objects($vault) => $call.await,
            Vault::Git($vault) => $call.await,
        }
    };
}

impl Vault {
    /// Keeps a snapshot.
    pub(crate) async fn keep(&self, snapshot: Snapshot, now_unix_ms: u64) -> Result<Kept, Error> {
        each!(self, vault => vault.keep(snapshot, now_unix_ms))
    }

    /// What the vault calls the collections that are here, in order.
    pub(crate) async fn keys(&self) -> Result<Vec<String>, Error> {
        each!(self, vault => vault.keys())
    }

    /// These collections, as many of them as are here.
    pub(crate) async fn collections(&self, keys: &[String]) -> Result<Vec<Collection>, Error> {
        each!(self, vault => vault.collections(keys))
    }

    /// What the vault calls the collection that somebody names by its id, with or without the owner before it, or by the
    /// vault's own name for it.
    pub(crate) async fn find(&self, collection: &str) -> Result<String, Error> {
        each!(self, vault => vault.find(collection))
    }

    /// The versions of a collection, the oldest first.
    pub(crate) async fn versions(&self, key: &str) -> Result<Vec<Version>, Error> {
        each!(self, vault => vault.versions(key))
    }

    /// One version; the newest unless one is named.
    pub(crate) async fn version(&self, key: &str, id: Option<&str>) -> Result<Version, Error> {
        each!(self, vault => vault.version(key, id))
    }

    /// The body of a version, byte for byte as it was kept.
    pub(crate) async fn body(&self, key: &str, version: &Version) -> Result<Bytes, Error> {
        each!(self, vault => vault.body(key, version))
    }

    /// What changed from one version to another.
    pub(crate) async fn diff(&self, key: &str, before: &Version, after: &Version) -> Result<Diff, Error> {
        each!(self, vault => vault.diff(key, before, after))
    }

    /// Reads every version of a collection.
    pub(crate) async fn verify(&self, key: &str) -> Result<Verified, Error> {
        each!(self, vault => vault.verify(key))
    }

    /// Gives a version its body again.
    pub(crate) async fn mend(
        &self,
        key: &str,
        version: &Version,
        body: Bytes,
        now_unix_ms: u64,
    ) -> Result<Mending, Error> {
        each!(self, vault => vault.mend(key, version, body, now_unix_ms))
    }

    /// Whether nothing can be pruned: what is in git stays in git.
    pub(crate) fn keeps_all(&self) -> bool {
        matches!(self, Self::Git(_))
    }

    /// Prunes a collection. A dry run only tells.
    pub(crate) async fn prune(
        &self,
        key: &str,
        retention: Option<&Retention>,
        now_unix_ms: u64,
        dry_run: bool,
    ) -> Result<Pruned, Error> {
        match self {
            Self::Objects(vault) => vault.prune(key, retention, now_unix_ms, dry_run).await,
            Self::Git(_) => Err(Error::KeepsAll),
        }
    }

    /// Makes few files of many, and marks what the retention does not keep. Git has nothing to tidy.
    pub(crate) async fn tidy(
        &self,
        key: &str,
        retention: Option<&Retention>,
        now_unix_ms: u64,
    ) -> Result<(), Error> {
        match self {
            Self::Objects(vault) => vault.tidy(key, retention, now_unix_ms).await.map(drop),
            Self::Git(_) => Ok(()),
        }
    }

    /// Makes few files of many. Git has files of its own.
    pub(crate) async fn pack(&self, key: &str, now_unix_ms: u64) -> Result<(), Error> {
        match self {
            Self::Objects(vault) => vault.pack(key, now_unix_ms).await,
            Self::Git(_) => Ok(()),
        }
    }

    /// Where the copy of a version for people is, if it has one. In git the version itself is one.
    pub(crate) fn copy_path(&self, version: &Version) -> Option<String> {
        match self {
            Self::Objects(vault) => vault.copy_path(version),
            Self::Git(_) => None,
        }
    }
}
