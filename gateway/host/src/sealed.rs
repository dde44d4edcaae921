//! A plugin's library on its way into a process: read once, checked, and closed to every change.
//!
//! The bytes that were checked are the bytes that are loaded. A file could be replaced in between.

use std::{
    fs::File,
    io::{self, Read, Seek, Write},
    path::PathBuf,
    sync::Arc,
};

use rustix::{
    fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create},
    io::Errno,
};
use sha2::{Digest as _, Sha256};

use crate::{
    digest::Digest,
    inspect::{InspectError, PluginFile, inspect_open, open_trusted},
};

/// Largest library that is loaded. It is in memory once for each process that has it.
const LIBRARY_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Why a plugin's file is not loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error(transparent)]
    Refused(InspectError),
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} has more than {LIBRARY_BYTES_MAX} bytes", path.display())]
    TooLarge { path: PathBuf },
    #[error("cannot keep the library in memory")]
    Memory(#[source] io::Error),
    #[error("{} has the SHA-256 {found}, the configuration wants {wanted}", path.display())]
    OtherDigest { path: PathBuf, wanted: Digest, found: Digest },
    #[error("{} is now the plugin {found:?}: restart the gateway to look for {wanted:?} again", path.display())]
    OtherPlugin { path: PathBuf, wanted: String, found: String },
    #[error("{} is now version {found} and no longer {wanted}: reload the destination to choose again", path.display())]
    OtherVersion { path: PathBuf, wanted: String, found: String },
}

/// A library whose bytes cannot change any more, and what they say of themselves.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    pub(crate) library: Arc<File>,
    pub(crate) plugin: PluginFile,
}

/// Reads the library of `plugin` again and checks it as if for the first time.
pub(crate) fn seal(plugin: &PluginFile) -> Result<Sealed, SealError> {
    let path = &plugin.path;
    let file = open_trusted(path).map_err(SealError::Refused)?;
    let mut library = memory().map_err(SealError::Memory)?;
    let found = copy(file, &mut library, plugin)?;
    if let (Some(wanted), Some(found)) = (plugin.pin, found)
        && wanted != found
    {
        return Err(SealError::OtherDigest { path: path.clone(), wanted, found });
    }
    let all = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    fcntl_add_seals(&library, all).map_err(|error| SealError::Memory(error.into()))?;
    library.rewind().map_err(SealError::Memory)?;
    let handle = library.try_clone().map_err(SealError::Memory)?;
    let inspected = inspect_open(handle, path).map_err(SealError::Refused)?;
    let (wanted, found) = (&plugin.manifest.id, &inspected.manifest.id);
    if wanted != found {
        let (wanted, found) = (wanted.clone(), found.clone());
        return Err(SealError::OtherPlugin { path: path.clone(), wanted, found });
    }
    let (wanted, found) = (&plugin.manifest.version, &inspected.manifest.version);
    if wanted != found {
        let (wanted, found) = (wanted.clone(), found.clone());
        return Err(SealError::OtherVersion { path: path.clone(), wanted, found });
    }
    Ok(Sealed { library: Arc::new(library), plugin: PluginFile { pin: plugin.pin, ..inspected } })
}

/// A file without a name. Code in it may be run, which has to be said where the system would forbid it otherwise.
fn memory() -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let made = match memfd_create("plugin", flags | MemfdFlags::EXEC) {
        // A kernel before 6.3, where it need not be said.
        Err(Errno::INVAL) => memfd_create("plugin", flags),
        made => made,
    };
    Ok(File::from(made?))
}

/// Copies the file; gives its digest if there is one to compare it with.
fn copy(file: File, library: &mut File, plugin: &PluginFile) -> Result<Option<Digest>, SealError> {
    let read = |source| SealError::Read { path: plugin.path.clone(), source };
    let mut file = file.take(LIBRARY_BYTES_MAX + 1);
    let mut hash = plugin.pin.map(|_| Sha256::new());
    let mut piece = vec![0; 256 * 1024];
    loop {
        let bytes = match file.read(&mut piece) {
            Ok(0) => break,
            Ok(bytes) => &piece[..bytes],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(read(error)),
        };
        if let Some(hash) = &mut hash {
            hash.update(bytes);
        }
        library.write_all(bytes).map_err(SealError::Memory)?;
    }
    if file.limit() == 0 {
        return Err(SealError::TooLarge { path: plugin.path.clone() });
    }
    Ok(hash.map(|hash| Digest::from(<[u8; 32]>::from(hash.finalize()))))
}

#[cfg(test)]
mod tests;
