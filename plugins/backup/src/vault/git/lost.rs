//! What the server's branch had, and does not have any more.
//!
//! A copy follows its server, also when somebody took commits out of the branch there. What it had until then stays in it,
//! under references of its own, so that `verify` can tell what is gone.

use std::collections::BTreeMap;

use git2::{Oid, Repository};

use super::{
    Error, git_error,
    index::{self, Moment},
    keep::Look,
    message, repository,
};
use crate::vault::{Damage, Version};

/// A version that is here, and not at the server.
#[derive(Debug)]
pub(super) struct Lost {
    commit: Oid,
    version: Version,
}

/// By collection, the oldest first.
pub(super) type AllLost = BTreeMap<String, BTreeMap<Moment, Lost>>;

/// Where the commits are kept that a branch had at its end.
fn folder(branch: &str) -> String {
    format!("refs/postroom/lost/{}/", short(branch))
}

fn short(branch: &str) -> &str {
    branch.trim_start_matches("refs/heads/")
}

/// Keeps what the copy has of a branch, if the newest commit at the server stands on something else.
pub(super) fn keep(copy: &Repository, branch: &str, tip: Option<Oid>) -> Result<(), git2::Error> {
    let Some(before) = repository::tip(copy, branch)? else { return Ok(()) };
    if tip.is_some_and(|tip| index::is_in(copy, tip, before)) {
        return Ok(());
    }
    let name = format!("{}{before}", folder(branch));
    copy.reference(&name, before, true, "postroom: gone at the server").map(drop)
}

impl Lost {
    pub(super) fn damage(self, branch: &str) -> Damage {
        let Self { commit, version } = self;
        let what = format!(
            "the server's branch {} does not have it any more: a replay of event {} brings it back; the copy here has it in \
             commit {commit}",
            short(branch),
            version.event_id
        );
        Damage { version: Some(version.id), file: Some(version.stored.file), what }
    }
}

impl Look<'_> {
    /// The versions that the branch had, as far as this copy has seen them. What came back since is not among them.
    pub(super) fn lost(&self, branch: &str) -> Result<AllLost, Error> {
        self.walk_lost(branch).map_err(git_error("read", "what the server lost"))
    }

    fn walk_lost(&self, branch: &str) -> Result<AllLost, git2::Error> {
        let mut lost = AllLost::new();
        let folder = folder(branch);
        let mut walk = self.repository.revwalk()?;
        let mut is_empty = true;
        for reference in self.repository.references_glob(&format!("{folder}*"))? {
            let reference = reference?;
            // Another branch may have a name that begins like this one's.
            let is_own = reference.name()?.strip_prefix(&folder).is_some_and(|rest| !rest.contains('/'));
            if let Some(commit) = reference.target().filter(|_| is_own) {
                walk.push(commit)?;
                is_empty = false;
            }
        }
        if is_empty {
            return Ok(lost);
        }
        if let Some(tip) = self.tip {
            walk.hide(tip)?;
        }
        for commit in walk {
            let commit = self.repository.find_commit(commit?)?;
            let Some(note) = message::read(&commit) else { continue };
            let moment = index::moment(&note.version);
            if self.index.line(&note.key).and_then(|line| line.get(&moment)).is_none() {
                let version = Lost { commit: commit.id(), version: note.version };
                lost.entry(note.key).or_default().insert(moment, version);
            }
        }
        Ok(lost)
    }
}
