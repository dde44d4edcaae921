//! From a commit to a branch that has it.

use std::sync::atomic::Ordering;

use git2::Repository;

use super::{
    Error, GitVault, Inner, State, config_error, git_error, index,
    keep::{self, Made},
    remote::{Push, Service},
    repository, worktree,
};
use crate::storage::StorageError;

impl GitVault {
    /// Puts a commit on the branch; `None` when the branch has moved meanwhile.
    pub(super) async fn publish(
        &self,
        state: &State,
        made: Box<Made>,
        now_unix_ms: u64,
    ) -> Result<Option<Box<Made>>, Error> {
        let state = state.clone();
        if self.0.remote.is_some() {
            return self.push(&state, made).await;
        }
        self.blocking(move |inner, repository| {
            let moved =
                repository::move_branch(repository, &state.branch, state.on_branch, made.commit, now_unix_ms)
                    .map_err(Error::storage("move", &state.branch))?;
            if !moved {
                return Ok(None);
            }
            let tip = repository::tip(repository, &state.branch).map_err(git_error("read", &state.branch))?;
            if !tip.is_some_and(|tip| index::is_in(repository, tip, made.commit)) {
                return Err(Error::NotAsWritten { path: state.branch.clone() });
            }
            // The version is kept. Files that somebody holds for himself follow with the next one.
            if worktree::follow(repository, &state.branch, &made.files, now_unix_ms).is_err() {
                inner.is_behind.store(true, Ordering::Relaxed);
            }
            Ok(Some(made))
        })
        .await
    }

    async fn push(&self, state: &State, made: Box<Made>) -> Result<Option<Box<Made>>, Error> {
        let Some(remote) = &self.0.remote else { return Ok(None) };
        let failed = |doing| Error::storage(doing, &state.branch);
        let advert = remote.advert(Service::Push).await.map_err(failed("push"))?;
        if advert.refs.get(&state.branch).copied() != state.on_branch {
            return Ok(None);
        }
        let (made, pack) = self
            .blocking(move |_, repository| {
                let pack = keep::pack(repository, &made).map_err(git_error("pack", "the new commit"))?;
                Ok((made, pack))
            })
            .await?;
        let push = Push { branch: &state.branch, from: state.on_branch, to: made.commit, pack };
        if let Some(why) = remote.push(&advert, push).await.map_err(failed("push"))? {
            return if is_final(&why) {
                Err(failed("push")(StorageError::Denied { setting: "git.branch", why }))
            } else {
                Ok(None)
            };
        }
        let now = self.refresh().await?;
        let (commit, branch) = (made.commit, state.branch.clone());
        let is_there = self.blocking(move |_, repository| {
            Ok(now.branch == branch && now.on_branch.is_some_and(|tip| index::is_in(repository, tip, commit)))
        });
        Ok(is_there.await?.then_some(made))
    }

    /// Looks what the branch has, and which of its commits are versions.
    pub(super) async fn refresh(&self) -> Result<State, Error> {
        let state = match &self.0.remote {
            Some(_) => self.fetch().await?,
            None => self.blocking(|inner, repository| inner.local(repository)).await?,
        };
        if let Err(error) = self.look(Some(state.tip), 0, |_| Ok(())).await {
            if self.0.remote.is_none() {
                return Err(error);
            }
            // A copy that was damaged is got anew.
            self.renew().await?;
            let state = self.fetch().await?;
            self.look(Some(state.tip), 0, |_| Ok(())).await?;
            return Ok(state);
        }
        if self.0.remote.is_none() && self.0.is_behind.swap(false, Ordering::Relaxed) {
            let branch = state.branch.clone();
            let followed = self.blocking(move |inner, repository| {
                let files: Vec<String> =
                    inner.index().lines().flat_map(|(_, line)| line.files.iter().cloned()).collect();
                Ok(worktree::follow(repository, &branch, &files, 0).is_ok())
            });
            if !followed.await? {
                self.0.is_behind.store(true, Ordering::Relaxed);
            }
        }
        Ok(state)
    }
}

impl Inner {
    fn local(&self, repository: &Repository) -> Result<State, Error> {
        let failed = |error| git_error("read", "the branch")(error);
        let head = repository.find_reference("HEAD").map_err(failed)?;
        let head = head.symbolic_target().map_err(failed)?.map(str::to_owned);
        let Some(branch) = self.settings.branch.clone().or_else(|| head.clone()) else {
            let why = "no branch is checked out".to_owned();
            return Err(Error::storage("read", "HEAD")(config_error("git.branch")(why)));
        };
        let on_branch = repository::tip(repository, &branch).map_err(failed)?;
        let tip = match (on_branch, head) {
            (None, Some(head)) => repository::tip(repository, &head).map_err(failed)?,
            (tip, _) => tip,
        };
        Ok(State { branch, on_branch, tip })
    }
}

/// Whether a server that refused a push will refuse the next one too.
fn is_final(why: &str) -> bool {
    ["declined", "protected", "denied", "permission", "prohibited", "deny"].iter().any(|it| why.contains(it))
}
