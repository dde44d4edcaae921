//! Who may have written a file: code is loaded only from where nobody else can put it.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use rustix::{fs::Mode, process::geteuid};

use super::InspectError;

/// Opens a plugin's file for reading. It and its folder belong to root or to the gateway's user, and nobody else can write
/// to them; the file is no link, so that what is checked is what is opened.
pub(crate) fn open(path: &Path) -> Result<File, InspectError> {
    let io_error = |source| InspectError::Io { path: path.to_owned(), source };
    // Without O_NONBLOCK a named pipe would hold up the caller until someone writes to it.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW).open(path);
    let file = file.map_err(|error| match error.raw_os_error() {
        Some(libc::ELOOP) => InspectError::Link { path: path.to_owned() },
        _ => io_error(error),
    })?;
    let metadata = file.metadata().map_err(io_error)?;
    if !metadata.is_file() {
        return Err(InspectError::NotAFile { path: path.to_owned() });
    }
    check(path, &metadata)?;
    let folder = match path.parent() {
        Some(folder) if folder != "" => folder,
        _ => Path::new("."),
    };
    let metadata = fs::metadata(folder)
        .map_err(|source: io::Error| InspectError::Io { path: folder.to_owned(), source })?;
    check(folder, &metadata)?;
    Ok(file)
}

fn check(path: &Path, metadata: &Metadata) -> Result<(), InspectError> {
    let (owner, us) = (metadata.uid(), geteuid().as_raw());
    if owner != 0 && owner != us {
        return Err(InspectError::ForeignOwner { path: path.to_owned(), owner });
    }
    if writable_by_others(metadata.mode(), owner, metadata.gid()) {
        return Err(InspectError::Writable { path: path.to_owned() });
    }
    Ok(())
}

/// Many systems give each user a group of the same number with nobody else in it, and let files be writable for it.
fn writable_by_others(mode: u32, owner: u32, group: u32) -> bool {
    let others = if group == owner { Mode::WOTH } else { Mode::WGRP | Mode::WOTH };
    Mode::from_raw_mode(mode).intersects(others)
}

#[cfg(test)]
mod tests;
