//! What plugin processes are started from.

use std::path::{Path, PathBuf};

/// The program that a plugin process runs; it answers `plugin-host`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Program {
    /// The one that this process runs, even after its file was replaced or deleted. An upgrade must not change what a
    /// running gateway starts, because the two ends speak a protocol that has no versions.
    #[default]
    ThisProcess,
    /// The one in this file.
    File(PathBuf),
}

impl Program {
    pub(crate) fn path(&self) -> &Path {
        match self {
            // The kernel leads this to the file that was started, and not to its name.
            Self::ThisProcess => Path::new("/proc/self/exe"),
            Self::File(path) => path,
        }
    }
}

#[cfg(test)]
mod tests;
