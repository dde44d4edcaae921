//! The copy of a remote repository. It is never more than a copy: what is wrong with it is mended by getting it anew.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
};

use git2::Oid;
use postroom_sdk::tokio::task::spawn_blocking;
use sha2::{Digest, Sha256};

use super::{
    Error, FIRST_BRANCH, GitVault, State, address::Address, git_error, lost, remote::Service, repository,
};
use crate::{
    durable,
    name::{hex, safe},
    storage::StorageError,
};

/// How many copies there can be at once: one for each program that has the same root.
const COPIES_MAX: usize = 16;
/// How many commits a server is told of, to find what both have.
const HAVE_MAX: usize = 64;
/// How many loose objects are too many; a fresh copy has them in one pack.
const LOOSE_MAX: usize = 20_000;
const NAME_BYTES_MAX: usize = 40;

/// A folder for a copy, while nobody else may use it.
#[derive(Debug)]
pub(super) struct Hold {
    folder: PathBuf,
    _lock: File,
}

impl Hold {
    /// Takes the first copy that nobody has. One that belonged to a killed process is free.
    pub(super) fn take(root: &Path, address: &Address) -> Result<Self, StorageError> {
        durable::create_folder(root).map_err(|error| StorageError::io("create the folder", root, &error))?;
        let url = address.to_string();
        let name = url.trim_end_matches('/').trim_end_matches(".git").rsplit('/').next().unwrap_or_default();
        let name = format!("{}-{}", safe(name, NAME_BYTES_MAX), &hex(&Sha256::digest(&url))[..8]);
        for number in 1..=COPIES_MAX {
            let path = root.join(format!("{name}-{number}.lock"));
            let failed = |error: &_| StorageError::io("lock", &path, error);
            let lock = File::options().create(true).truncate(false).write(true).open(&path);
            let lock = lock.map_err(|error| failed(&error))?;
            match lock.try_lock() {
                Ok(()) => {
                    return Ok(Self { folder: root.join(format!("{name}-{number}.git")), _lock: lock });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(failed(&error)),
            }
        }
        Err(StorageError::other("locked", "16 others have a copy of the repository below `root`"))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Makes sure that there is a copy, be it empty.
pub(super) fn open(folder: &Path) -> Result<(), StorageError> {
    repository::sweep(folder).map_err(|error| StorageError::io("sweep", folder, &error))?;
    match repository::open(folder) {
        Ok(Some(_)) if loose(folder) < LOOSE_MAX => Ok(()),
        _ => make(folder),
    }
}

/// Makes an empty copy, whatever was there.
fn make(folder: &Path) -> Result<(), StorageError> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| StorageError::io("delete", folder, &error))?;
    }
    repository::make(folder, true, "main").map(drop)
}

/// About how many loose objects there are: their hashes spread them evenly over 256 folders.
fn loose(folder: &Path) -> usize {
    fs::read_dir(folder.join("objects/17")).map_or(0, |entries| entries.count() * 256)
}

impl GitVault {
    /// Gets what the remote branch has.
    pub(super) async fn fetch(&self) -> Result<State, Error> {
        let Some(remote) = &self.0.remote else { return Err(Error::Interrupted) };
        let failed = |doing| Error::storage(doing, "the remote repository");
        let advert = remote.advert(Service::Fetch).await.map_err(failed("reach"))?;
        let head = advert.head().map(str::to_owned);
        let named = self.0.settings.branch.clone();
        let branch = named.or_else(|| head.clone()).unwrap_or_else(|| FIRST_BRANCH.to_owned());
        let on_branch = advert.refs.get(&branch).copied();
        let tip = on_branch.or_else(|| advert.refs.get(head.as_deref().unwrap_or("HEAD")).copied());
        if let Some(tip) = tip
            && !self.has(tip).await?
        {
            let have = self.known().await?;
            remote.fetch(&advert, tip, &have, self.0.folder.clone()).await.map_err(failed("fetch"))?;
            if !self.has(tip).await? {
                self.renew().await?;
                remote.fetch(&advert, tip, &[], self.0.folder.clone()).await.map_err(failed("fetch"))?;
            }
        }
        let name = branch.clone();
        self.blocking(move |_, copy| {
            let follow = || {
                lost::keep(copy, &name, tip)?;
                tip.map_or(Ok(()), |tip| copy.reference(&name, tip, true, "postroom: fetch").map(drop))
            };
            follow().map_err(git_error("write", &name))
        })
        .await?;
        Ok(State { branch, on_branch, tip })
    }

    /// Throws the copy away.
    pub(super) async fn renew(&self) -> Result<(), Error> {
        let inner = Arc::clone(&self.0);
        let made = spawn_blocking(move || {
            *inner.index() = super::Index::default();
            make(&inner.folder).map_err(Error::storage("renew", "the copy of the repository"))
        });
        made.await.unwrap_or(Err(Error::Interrupted))
    }

    async fn has(&self, tip: Oid) -> Result<bool, Error> {
        self.blocking(move |_, copy| Ok(copy.find_commit(tip).and_then(|commit| commit.tree()).is_ok())).await
    }

    /// The newest commits of the copy.
    async fn known(&self) -> Result<Vec<Oid>, Error> {
        self.blocking(|_, copy| {
            let walk = || -> Result<Vec<Oid>, git2::Error> {
                let mut walk = copy.revwalk()?;
                walk.push_glob("refs/heads/*")?;
                walk.take(HAVE_MAX).collect()
            };
            // Of a damaged copy nothing is known.
            Ok(walk().unwrap_or_default())
        })
        .await
    }
}
