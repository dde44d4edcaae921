//! Finds the plugins in the folders of the search path.

mod version;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::inspect::{InspectError, PluginFile, inspect_open, open_trusted};

/// The plugins that were found, by id, and the files that were refused.
#[derive(Debug, Default)]
pub struct Catalog {
    /// By id; the versions of a plugin in the order of preference.
    plugins: BTreeMap<String, Vec<PluginFile>>,
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
    /// An earlier file has the same id and version.
    #[error("has the id {id:?} and the version of {}, which comes first on the search path", first.display())]
    Duplicate {
        /// The id.
        id: String,
        /// The file that is used.
        first: PathBuf,
    },
}

impl Catalog {
    /// The plugin of this name, an id (`itoc360`) or an id with a version (`itoc360@1.2`, which is every 1.2.x).
    ///
    /// Of several versions that fit, the first folder of the search path that has one wins, and in it the newest.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&PluginFile> {
        match name.split_once('@') {
            None => self.plugins.get(name)?.first(),
            Some((id, wanted)) => {
                self.plugins.get(id)?.iter().find(|plugin| version::is(&plugin.manifest.version, wanted))
            }
        }
    }

    /// All plugins, ordered by id; the versions of one in the order of preference.
    pub fn plugins(&self) -> impl Iterator<Item = &PluginFile> {
        self.plugins.values().flatten()
    }

    /// What was refused, in the order of the search path.
    #[must_use]
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }

    /// Adds the plugins of one folder behind those of the folders before it.
    fn add_folder(&mut self, files: &[PathBuf]) {
        let mut found: Vec<PluginFile> = files.iter().filter_map(|path| self.look_at(path)).collect();
        // Stable, so that of files with the same version the first name stays first.
        found.sort_by(|one, other| version::compare(&other.manifest.version, &one.manifest.version));
        for plugin in found {
            let versions = self.plugins.entry(plugin.manifest.id.clone()).or_default();
            match versions.iter().find(|before| before.manifest.version == plugin.manifest.version) {
                None => versions.push(plugin),
                Some(first) => {
                    let reason =
                        RejectReason::Duplicate { id: plugin.manifest.id.clone(), first: first.path.clone() };
                    self.rejected.push(Rejected { path: plugin.path, reason });
                }
            }
        }
    }

    fn look_at(&mut self, path: &Path) -> Option<PluginFile> {
        // Not a byte is read of what anybody may have written.
        match open_trusted(path).and_then(|file| inspect_open(file, path)) {
            Ok(plugin) => Some(plugin),
            Err(InspectError::NotAPlugin) => None,
            Err(fault) => {
                self.reject(path, RejectReason::File(fault));
                None
            }
        }
    }

    fn reject(&mut self, path: &Path, reason: RejectReason) {
        self.rejected.push(Rejected { path: path.to_owned(), reason });
    }
}

/// Looks through `folders`, in order, for files named `lib*.so`. Runs none of their code.
///
/// Several versions of a plugin may be there, see [`Catalog::find`]. Where two files have the same id and version, the first
/// folder wins; within a folder, the first name. A file that others can change is refused unread. Libraries that do not claim
/// to be plugins are passed over, and so are folders that do not exist: the default search path names some that may be there.
#[must_use]
pub fn discover(folders: &[PathBuf]) -> Catalog {
    let mut catalog = Catalog::default();
    for folder in folders {
        match library_files(folder) {
            Ok(files) => catalog.add_folder(&files),
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
