//! A commit for each version.

use std::{path::Path, sync::Arc};

use git2::{Blob, Commit, FileMode, Oid, Repository, build::TreeUpdateBuilder};
use postroom_sdk::Bytes;
use sha2::{Digest, Sha256};

use super::{
    Error, Settings, git_error,
    index::{self, Entry, Index, Line},
    message,
    repository::blob_at,
};
use crate::{
    collection,
    name::hex,
    storage::StorageError,
    vault::{Fresh, Kept, Version, compare, names},
};

/// What is to be kept.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) key: String,
    /// Without its file, and without what it changed.
    pub(super) version: Version,
    pub(super) body: Bytes,
}

/// What is to be done about a candidate.
#[derive(Debug)]
pub(super) enum Step {
    /// It is here already.
    Known(Box<Kept>),
    /// A commit was made, which no branch has yet.
    Made(Box<Made>),
}

#[derive(Debug)]
pub(super) struct Made {
    pub(super) fresh: Fresh,
    pub(super) commit: Oid,
    /// What somebody needs who has the commit before it.
    pub(super) objects: Vec<Oid>,
    /// The files that it wrote and removed.
    pub(super) files: Vec<String>,
}

/// One look at a repository.
pub(super) struct Look<'a> {
    pub(super) repository: &'a Repository,
    pub(super) index: &'a Index,
    pub(super) settings: &'a Settings,
    pub(super) tip: Option<Oid>,
    pub(super) now_unix_ms: u64,
}

impl Look<'_> {
    pub(super) fn step(&self, candidate: &Candidate) -> Result<Step, Error> {
        let version = &candidate.version;
        let moment = index::moment(version);
        let line = self.index.line(&candidate.key);
        if let Some(line) = line {
            for entry in line.of_event(&version.event_id).chain(line.get(&moment)) {
                let known = self.version(line, entry)?;
                if known.event_id == version.event_id || known.id == version.id {
                    if known.sha256 == version.sha256 && self.blob(entry, &known).is_err() {
                        self.mend(&candidate.body)?;
                    }
                    return Ok(Step::Known(Box::new(Kept::Again(known))));
                }
            }
        }
        let before = line.and_then(|line| Some((line, line.before(&moment)?)));
        let before =
            before.map(|(line, entry)| Ok::<_, Error>((self.version(line, entry)?, entry))).transpose()?;
        let newest = line.and_then(Line::newest).map(|(newest, _)| newest);
        let is_late = newest.is_some_and(|newest| newest > moment);
        if let Some((before, entry)) = &before
            && self.says_the_same(before, version)
            && self.blob(*entry, before).is_ok()
            && (is_late || self.is_at_tip(*entry, before)?)
        {
            return Ok(Step::Known(Box::new(Kept::Unchanged(before.clone()))));
        }
        self.make(candidate, line, before, is_late).map(|made| Step::Made(Box::new(made)))
    }

    fn says_the_same(&self, before: &Version, version: &Version) -> bool {
        before.sha256 == version.sha256
            || (!self.settings.store_unchanged
                && version.canonical.is_some()
                && before.canonical == version.canonical)
    }

    /// Whether nobody has changed the file of a version since.
    fn is_at_tip(&self, entry: Entry, version: &Version) -> Result<bool, Error> {
        let Some(tip) = self.tip_commit()? else { return Ok(false) };
        let file = &version.stored.file;
        let there = blob_at(self.repository, &tip, file).map_err(git_error("read", file))?;
        let here = self.repository.find_commit(entry.commit);
        let here = here.and_then(|commit| blob_at(self.repository, &commit, file));
        let here = here.map_err(git_error("read", file))?;
        Ok(there.map(|it| it.id()) == here.map(|it| it.id()))
    }

    pub(super) fn tip_commit(&self) -> Result<Option<Commit<'_>>, Error> {
        let commit = self.tip.map(|tip| self.repository.find_commit(tip)).transpose();
        commit.map_err(git_error("read", "the newest commit"))
    }

    /// The version that a commit keeps.
    pub(super) fn version(&self, line: &Line, entry: Entry) -> Result<Version, Error> {
        let mut version = self.note(entry)?;
        if let Some(before) = line.before(&index::moment(&version)) {
            version.before = Some(self.note(before)?.id);
        }
        Ok(version)
    }

    /// The same without the one before it.
    pub(super) fn note(&self, entry: Entry) -> Result<Version, Error> {
        let commit = self.repository.find_commit(entry.commit).map_err(git_error("read", "a commit"))?;
        let lost = || StorageError::other("git", "the commit is no version any more");
        let note = message::read(&commit).ok_or_else(lost);
        let note = note.map_err(Error::storage("read", &entry.commit.to_string()))?;
        Ok(note.version)
    }

    /// The body of a version, if it is what was kept.
    pub(super) fn body(&self, entry: Entry, version: &Version) -> Result<Bytes, Error> {
        Ok(Bytes::copy_from_slice(self.blob(entry, version)?.content()))
    }

    /// The same as git holds it.
    fn blob(&self, entry: Entry, version: &Version) -> Result<Blob<'_>, Error> {
        let damaged = |why: String| Error::Damaged { version: version.id.clone(), why };
        let file = &version.stored.file;
        let commit = self.repository.find_commit(entry.commit);
        let blob = commit.and_then(|commit| blob_at(self.repository, &commit, file));
        let blob = blob.map_err(|error| damaged(error.message().to_owned()))?;
        let blob = blob.ok_or_else(|| damaged(format!("{file} is not in its commit")))?;
        if hex(&Sha256::digest(blob.content())) != version.sha256 {
            return Err(damaged("its hash is another".to_owned()));
        }
        Ok(blob)
    }

    /// Writes a body whose object is lost or damaged; its name is its hash.
    pub(super) fn mend(&self, body: &[u8]) -> Result<(), Error> {
        let mend = || -> Result<(), git2::Error> {
            let id = Oid::hash_object(git2::ObjectType::Blob, body)?;
            if self.repository.find_blob(id).is_err() {
                let (folder, name) = (&id.to_string()[..2], &id.to_string()[2..]);
                let loose = self.repository.commondir().join("objects").join(folder).join(name);
                if loose.exists() {
                    std::fs::remove_file(&loose)
                        .map_err(|error| git2::Error::from_str(&error.to_string()))?;
                }
            }
            self.repository.blob(body).map(drop)
        };
        mend().map_err(git_error("mend", "a body"))
    }

    fn make(
        &self,
        candidate: &Candidate,
        line: Option<&Line>,
        before: Option<(Version, Entry)>,
        is_late: bool,
    ) -> Result<Made, Error> {
        let diff = before.as_ref().and_then(|(before, entry)| self.diff(*entry, before, candidate));
        let tip = self.tip_commit()?;
        let mut version = candidate.version.clone();
        version.stored.file = self.file(&candidate.key, &version, tip.as_ref())?;
        version.before = before.as_ref().map(|(before, _)| before.id.clone());
        version.changes = diff.as_ref().map(collection::Diff::summary);
        let left = line.filter(|_| !is_late).map(|line| line.file.clone());
        let left = left.filter(|file| *file != version.stored.file);
        let (commit, objects) = self
            .commit(candidate, &version, tip.as_ref(), left.as_deref(), is_late)
            .map_err(git_error("commit", &version.stored.file))?;
        let files = [Some(version.stored.file.clone()), left].into_iter().flatten().collect();
        let fresh = Fresh { version, before: before.map(|(before, _)| before), diff };
        Ok(Made { fresh, commit, objects, files })
    }

    /// What the version changed. That the one before cannot be read is no reason not to keep this one.
    fn diff(&self, entry: Entry, before: &Version, candidate: &Candidate) -> Option<collection::Diff> {
        if !compare::is_within(before, &candidate.version) {
            return None;
        }
        compare::diff(self.blob(entry, before).ok()?.content(), &candidate.body).ok()
    }

    /// The file of a collection: the first that no other collection has, and nobody's work.
    fn file(&self, key: &str, version: &Version, tip: Option<&Commit<'_>>) -> Result<String, Error> {
        let files = self.settings.naming.files(key, version);
        for file in &files {
            if self.is_free(key, file, tip).map_err(git_error("look for", file))? {
                return Ok(file.clone());
            }
        }
        let [_, _, last] = files;
        Ok(last)
    }

    fn is_free(&self, key: &str, file: &str, tip: Option<&Commit<'_>>) -> Result<bool, git2::Error> {
        let Some(tip) = tip else { return Ok(true) };
        let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
        let tree = tip.tree()?;
        let tree = if folder.is_empty() {
            tree
        } else {
            match tree.get_path(Path::new(folder)) {
                Ok(entry) => match self.repository.find_tree(entry.id()) {
                    Ok(tree) => tree,
                    Err(_) => {
                        return Err(git2::Error::from_str(&format!(
                            "{folder} is a file: choose another `git.directory`"
                        )));
                    }
                },
                Err(_) => return Ok(true),
            }
        };
        // On a disk that knows no case they would be one file.
        let small = name.to_lowercase();
        for entry in &tree {
            let other = String::from_utf8_lossy(entry.name_bytes());
            if other.to_lowercase() != small {
                continue;
            }
            let other = if folder.is_empty() { other.into_owned() } else { format!("{folder}/{other}") };
            let owner = match self.index.owner(&other) {
                Some(owner) => Some(owner.to_owned()),
                None if other == file => {
                    self.repository.find_blob(entry.id()).ok().and_then(|blob| key_of(blob.content()))
                }
                None => None,
            };
            if owner.as_deref() != Some(key) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn commit(
        &self,
        candidate: &Candidate,
        version: &Version,
        tip: Option<&Commit<'_>>,
        left: Option<&str>,
        is_late: bool,
    ) -> Result<(Oid, Vec<Oid>), git2::Error> {
        let repository = self.repository;
        let blob = repository.blob(&candidate.body)?;
        let base = match tip {
            Some(tip) => tip.tree()?,
            None => repository.find_tree(repository.treebuilder(None)?.write()?)?,
        };
        let mut update = TreeUpdateBuilder::new();
        if let Some(left) = left.filter(|left| base.get_path(Path::new(left)).is_ok()) {
            update.remove(left);
        }
        update.upsert(version.stored.file.as_str(), blob, FileMode::Blob);
        let tree = update.create_updated(repository, &base)?;
        let mut objects = vec![blob, tree];
        for file in [Some(version.stored.file.as_str()), left].into_iter().flatten() {
            let whole = repository.find_tree(tree)?;
            let folders = Path::new(file).ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
            objects.extend(folders.filter_map(|folder| Some(whole.get_path(folder).ok()?.id())));
        }
        let naming = &self.settings.naming;
        let author = naming.signature(version.received_unix_ms)?;
        let committer = naming.signature(self.now_unix_ms)?;
        let message = message::write(&naming.message, &candidate.key, version);
        let parents: Vec<&Commit<'_>> = tip.into_iter().collect();
        let tree = repository.find_tree(tree)?;
        let mut commit = repository.commit(None, &author, &committer, &message, &tree, &parents)?;
        objects.push(commit);
        if let (true, Some(tip)) = (is_late, tip) {
            // It came after a newer one: it is in the history, and the files stay as they are.
            let side = repository.find_commit(commit)?;
            let message =
                format!("Keep an earlier version, of {}\n", names::rfc3339(version.received_unix_ms));
            commit = repository.commit(None, &committer, &committer, &message, &base, &[tip, &side])?;
            objects.push(commit);
        }
        objects.sort_unstable();
        objects.dedup();
        Ok((commit, objects))
    }
}

/// The collection that a file holds, which nobody here wrote: Postman's own integration may have.
fn key_of(content: &[u8]) -> Option<String> {
    let summary = collection::scan(content).ok()?.summary;
    summary.id.as_ref()?;
    Some(names::collection_key(summary.name.as_deref(), summary.id.as_deref()))
}

/// The commits and what they need, as one pack.
pub(super) fn pack(repository: &Repository, made: &Made) -> Result<Vec<u8>, git2::Error> {
    let mut builder = repository.packbuilder()?;
    builder.set_threads(1);
    for object in &made.objects {
        builder.insert_object(*object, None)?;
    }
    let mut pack = git2::Buf::new();
    builder.write_buf(&mut pack)?;
    Ok(pack.to_vec())
}

pub(super) type Shared = Arc<Candidate>;
