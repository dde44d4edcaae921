//! Finds the plugins in the folders of the search path.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs, io,
    path::{Path, PathBuf},
};

use crate::inspect::{InspectError, PluginFile, inspect};

/// The plugins that were found, by id, and the files that were refused.
#[derive(Debug, Default)]
pub struct Catalog {
    plugins: BTreeMap<String, PluginFile>,
    rejected: Vec<Rejected>,
}

/// A file or folder of the search path that was refused.
#[derive(Debug)]
pub struct Rejected {
    /// The file or folder.
    pub path: PathBuf,
    /// What speaks against it.
    pub reason: RejectReason,
}

/// What speaks against a file or folder of the search path.
#[derive(Debug, thiserror::Error)]
pub enum RejectReason {
    /// The folder cannot be listed.
    #[error("cannot list the folder")]
    Folder(#[source] io::Error),
    /// The file claims to be a plugin, or cannot be read, and fails a check.
    #[error(transparent)]
    File(#[from] InspectError),
    /// An earlier file has the same id.
    #[error("has the id {id:?} of {}, which comes first on the search path", first.display())]
    Duplicate {
        /// The id.
        id: String,
        /// The file that is used.
        first: PathBuf,
    },
}

impl Catalog {
    /// The plugin with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&PluginFile> {
        self.plugins.get(id)
    }

    /// All plugins, ordered by id.
    pub fn plugins(&self) -> impl Iterator<Item = &PluginFile> {
        self.plugins.values()
    }

    /// What was refused, in the order of the search path.
    #[must_use]
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }

    fn add(&mut self, path: &Path) {
        let plugin = match inspect(path) {
            Ok(plugin) => plugin,
            Err(InspectError::NotAPlugin) => return,
            Err(fault) => return self.reject(path, RejectReason::File(fault)),
        };
        match self.plugins.entry(plugin.manifest.id.clone()) {
            Entry::Vacant(entry) => drop(entry.insert(plugin)),
            Entry::Occupied(entry) => {
                let reason =
                    RejectReason::Duplicate { id: entry.key().clone(), first: entry.get().path.clone() };
                self.reject(path, reason);
            }
        }
    }

    fn reject(&mut self, path: &Path, reason: RejectReason) {
        self.rejected.push(Rejected { path: path.to_owned(), reason });
    }
}

/// Looks through `folders`, in order, for files named `lib*.so`. Runs none of their code.
///
/// Where two plugins have the same id, the first folder wins; within a folder, the first name. Libraries that do not
/// claim to be plugins are passed over, and so are folders that do not exist: the default search path names some
/// that may be there.
#[must_use]
pub fn discover(folders: &[PathBuf]) -> Catalog {
    let mut catalog = Catalog::default();
    for folder in folders {
        match library_files(folder) {
            Ok(files) => files.iter().for_each(|file| catalog.add(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => catalog.reject(folder, RejectReason::Folder(error)),
        }
    }
    catalog
}

/// The files `lib*.so` of a folder by name, because a folder lists its files in no order at all.
fn library_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(b"lib") && name.ends_with(b".so") {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests;
