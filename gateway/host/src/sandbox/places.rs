//! The files and folders that the rules of a process's sandbox are about.
//!
//! A rule is about what stood at a path when the process was started. It stays with that when it is moved away, and is no rule
//! about what is put in its place.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::Access;

/// Which file it is, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl FileId {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// A path with a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) access: Access,
    /// What the rule is about; there is no rule where there was nothing.
    pub(crate) id: Option<FileId>,
}

/// Whether a process that is started now would have other rules than one with those. Waits for the file system.
pub(crate) fn have_moved(places: &[Place]) -> bool {
    places.iter().any(|place| match (place.now(), place.id) {
        (now, id) if now == id => false,
        // Nothing to have a rule about; a folder to write to is made by the start.
        (None, _) => place.access == Access::Write,
        (Some(_), _) => !place.lies_in(places),
    })
}

impl Place {
    fn now(&self) -> Option<FileId> {
        fs::metadata(&self.path).ok().as_ref().map(FileId::of)
    }

    /// Whether it leads into another place whose rule covers it, as a link to a file that a service of the system writes anew.
    fn lies_in(&self, places: &[Self]) -> bool {
        let Ok(target) = fs::canonicalize(&self.path) else { return false };
        let covers = |other: &Self| {
            let folder = fs::canonicalize(&other.path).ok();
            let is_above = |folder: &Path| target != folder && target.starts_with(folder);
            other.id.is_some()
                && other.now() == other.id
                && other.access >= self.access
                && folder.as_deref().is_some_and(is_above)
        };
        places.iter().any(covers)
    }
}

#[cfg(test)]
mod tests;
