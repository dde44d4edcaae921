//! A vault that is a git repository: a version is a commit that touches the file of its collection.
//!
//! What makes a commit a version are the trailers in its message, so nothing beside the history has to be kept in step. A
//! version counts as kept when the branch has it, and that was read back. Nothing is ever forced, and no history rewritten.

mod address;
mod copy;
mod index;
mod keep;
mod lost;
mod message;
mod naming;
mod pretty;
mod publish;
mod read;
mod remote;
mod repository;
mod template;
mod wire;
mod worktree;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use git2::{Oid, Repository};
use postroom_sdk::{
    Bytes, Secret,
    tokio::{sync, task::spawn_blocking, time::sleep},
};

pub(crate) use self::{address::Address, naming::Naming};
use self::{
    copy::Hold,
    index::Index,
    keep::{Candidate, Look, Step},
    remote::Remote,
};
use super::{
    Counts, Error, Kept, Snapshot, Stored, Version,
    body::{offload, sha256},
    compare, names,
};
use crate::{
    collection::{self, Format},
    config::git::GitConfig,
    name::hex,
    scan::{Looked, Scan},
    storage::StorageError,
};

/// How often a commit is made anew because the branch has moved.
const TRIES_MAX: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The branch of a repository that has none.
const FIRST_BRANCH: &str = "refs/heads/main";

/// How the vault keeps.
#[derive(Debug)]
struct Settings {
    naming: Naming,
    branch: Option<String>,
    pretty: bool,
    store_unchanged: bool,
    scan: Scan,
}

/// The versions of all collections in one repository. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct GitVault(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    folder: PathBuf,
    remote: Option<Remote>,
    index: Mutex<Index>,
    /// One commit after the other: each is made on top of the one before.
    turn: sync::Mutex<()>,
    /// Whether files beside a local repository are still to be brought to its branch.
    is_behind: AtomicBool,
    /// Keeps others away from the copy of a remote repository.
    _hold: Option<Hold>,
}

/// What a branch has.
#[derive(Debug, Clone)]
struct State {
    branch: String,
    /// Its newest commit; none while there is no such branch.
    on_branch: Option<Oid>,
    /// What the next commit stands on.
    tip: Option<Oid>,
}

fn git_error(doing: &'static str, path: &str) -> impl FnOnce(git2::Error) -> Error {
    move |error| Error::Storage { doing, path: path.to_owned(), source: repository::failed(doing, &error) }
}

fn config_error(setting: &'static str) -> impl FnOnce(String) -> StorageError {
    move |why| StorageError::Misconfigured { setting, why }
}

impl GitVault {
    /// Opens the repository in `root`, or the copy there of the one that `git.url` names. Neither is reached for yet.
    pub(crate) async fn open(
        root: PathBuf,
        config: &GitConfig,
        store_unchanged: bool,
        scan: Scan,
        client: reqwest::Client,
        token: Option<Secret>,
    ) -> Result<Self, StorageError> {
        let naming = config.naming().map_err(|(_, why)| config_error("git")(why))?;
        let branch = config.branch().map_err(config_error("git.branch"))?;
        let address = config.address().map_err(config_error("git.url"))?;
        let first_branch = branch.clone().unwrap_or_else(|| FIRST_BRANCH.to_owned());
        let (is_bare, of) = (config.bare, address.clone());
        let opened = spawn_blocking(move || match of {
            Some(address) => {
                let hold = Hold::take(&root, &address)?;
                let folder = hold.folder().to_owned();
                copy::open(&folder)?;
                Ok((folder, Some(hold)))
            }
            None => {
                if repository::open(&root)?.is_none() {
                    let short = first_branch.trim_start_matches("refs/heads/");
                    repository::make(&root, is_bare, short)?;
                }
                Ok((root, None))
            }
        });
        let opened = opened.await.unwrap_or_else(|_| Err(StorageError::other("interrupted", "interrupted")));
        let (folder, hold) = opened?;
        let remote =
            address.map(|address| Remote::new(client, address, &config.username, token)).transpose()?;
        Ok(Self(Arc::new(Inner {
            settings: Settings { naming, branch, pretty: config.pretty, store_unchanged, scan },
            folder,
            remote,
            index: Mutex::default(),
            turn: sync::Mutex::default(),
            is_behind: AtomicBool::new(true),
            _hold: hold,
        })))
    }

    /// Where it is, for people.
    pub(crate) fn describe(&self) -> String {
        match &self.0.remote {
            Some(remote) => format!("the git repository {}", remote.address),
            None => format!("the git repository {}", self.0.folder.display()),
        }
    }

    /// Keeps a snapshot. What this says is on the branch, and was read back.
    pub(crate) async fn keep(&self, snapshot: Snapshot, now_unix_ms: u64) -> Result<Kept, Error> {
        let candidate: keep::Shared = Arc::new(self.candidate(snapshot, now_unix_ms).await?);
        let _turn = self.0.turn.lock().await;
        let mut pause = FIRST_PAUSE;
        for _ in 0..TRIES_MAX {
            let state = self.refresh().await?;
            let (tip, given) = (state.tip, Arc::clone(&candidate));
            let step = {
                // With the one before it, which is about as long.
                let _turn = compare::turn(candidate.version.bytes.saturating_mul(2)).await;
                self.look(Some(tip), now_unix_ms, move |look| look.step(&given)).await?
            };
            match step {
                Step::Known(kept) => return Ok(*kept),
                Step::Made(made) => {
                    if let Some(made) = self.publish(&state, made, now_unix_ms).await? {
                        return Ok(Kept::New(Box::new(made.fresh)));
                    }
                }
            }
            sleep(pause).await;
            pause *= 2;
        }
        Err(Error::Unsteady)
    }

    async fn candidate(&self, snapshot: Snapshot, now_unix_ms: u64) -> Result<Candidate, Error> {
        let settings = &self.0.settings;
        let key = names::collection_key(snapshot.name.as_deref(), snapshot.id.as_deref());
        let Looked { mut body, secrets, redacted } = settings.scan.look(snapshot.bytes.clone()).await?;
        let given = body.clone();
        let scanned = offload(body.len(), move || collection::scan(&given).ok()).await?;
        if settings.pretty && scanned.is_some() {
            body = offload(body.len(), move || Bytes::from(pretty::pretty(&body))).await?;
        }
        let exact = match &scanned {
            Some(scanned) if !settings.pretty => hex(&scanned.exact),
            _ => sha256(body.clone()).await?,
        };
        let version = Version {
            id: names::version_id(snapshot.received_unix_ms, &exact),
            received_unix_ms: snapshot.received_unix_ms,
            written_unix_ms: now_unix_ms / 1000 * 1000,
            stored: Stored { file: String::new(), bytes: body.len() as u64, sha256: exact.clone() },
            sha256: exact,
            canonical: scanned.as_ref().map(|scanned| hex(&scanned.canonical)),
            bytes: body.len() as u64,
            name: snapshot.name,
            collection: snapshot.id,
            format: scanned.as_ref().map_or(Format::Unknown, |it| it.summary.format).to_string(),
            counts: scanned.as_ref().map(|it| Counts::from(&it.summary)).unwrap_or_default(),
            event_id: snapshot.event_id,
            secrets,
            redacted,
            before: None,
            changes: None,
            seen: 0,
            seen_unix_ms: snapshot.received_unix_ms,
        };
        Ok(Candidate { key, version, body })
    }

    /// Runs where it may block, with the repository.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner, &Repository) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.0);
        let done = spawn_blocking(move || {
            let open = || Error::storage("open", "the repository");
            let repository = repository::open(&inner.folder).map_err(open())?;
            let gone = || StorageError::NotFound { setting: "root", what: "the repository".to_owned() };
            let repository = repository.ok_or_else(gone).map_err(open())?;
            work(&inner, &repository)
        });
        match done.await {
            Ok(done) => done,
            // A panic goes on to the SDK, which reports it.
            Err(error) => match error.try_into_panic() {
                Ok(payload) => std::panic::resume_unwind(payload),
                Err(_) => Err(Error::Interrupted),
            },
        }
    }

    /// Looks at the history up to a commit, or as far as it is known.
    async fn look<T: Send + 'static>(
        &self,
        tip: Option<Option<Oid>>,
        now_unix_ms: u64,
        work: impl FnOnce(&Look<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.blocking(move |inner, repository| {
            let mut index = inner.index();
            if let Some(tip) = tip {
                index.follow(repository, tip).map_err(git_error("read", "the history"))?;
            }
            let tip = tip.flatten();
            work(&Look { repository, index: &index, settings: &inner.settings, tip, now_unix_ms })
        })
        .await
    }
}

impl Inner {
    fn index(&self) -> MutexGuard<'_, Index> {
        // What is in it is only a copy of what is in the repository.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
