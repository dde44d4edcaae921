//! Bytes under paths, wherever they are kept.
//!
//! Every storage keeps the same promises, and one suite of tests (`storage/contract.rs`) holds each of them to it:
//!
//! - A write is whole or not at all, and durable when it returns. One that is broken off leaves nothing to be seen.
//! - What was written is read and listed at once.
//! - Folders come into being with what is in them.
//!
//! Paths are relative, with `/` between their parts. There are no locks, and no retries: the gateway tries again.

mod answer;
mod box_cloud;
mod dal;
mod error;
mod folder;
mod gdrive;
mod google;
mod oauth;
mod open;
mod path;
mod services;
mod setup;
mod sftp;
mod transport;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod doubles;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod tests;

use bytes::Bytes;

use self::{box_cloud::BoxCloud, dal::Dal, folder::Folder, sftp::Sftp};
pub(crate) use self::{error::StorageError, setup::Setup};

/// Where backups are kept. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    service: Service,
}

#[derive(Debug, Clone)]
enum Service {
    Folder(Folder),
    Dal(Dal),
    Box(BoxCloud),
    Sftp(Sftp),
    #[cfg(test)]
    Memory(memory::Memory),
}

/// What a write does when something has the name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    /// Takes its place.
    Replace,
    /// Fails with [`StorageError::Exists`]. Where a service has no such condition it is asked before, so that of two
    /// writers at the same moment both may be told that they were first.
    New,
}

/// One file or folder of a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// Its own name, without the folder's path.
    pub(crate) name: String,
    pub(crate) is_folder: bool,
    /// Length of a file, if the list tells.
    pub(crate) bytes: Option<u64>,
    /// When it was written last, in milliseconds since 1970, if the list tells.
    pub(crate) modified_unix_ms: Option<i64>,
}

/// The same call on whichever service it is.
macro_rules! each {
    ($self:ident, $service:ident => $call:expr) => {
        match &$self.service {
            Service::Folder($service) => $call.await,
            Service::Dal($service) => $call.await,
            Service::Box($service) => $call.await,
            Service::Sftp($service) => $call.await,
            #[cfg(test)]
            Service::Memory($service) => $call.await,
        }
    };
}

impl Storage {
    /// The whole content of a file; `None` when there is none.
    pub(crate) async fn read(&self, path: &str) -> Result<Option<Bytes>, StorageError> {
        path::check(path)?;
        each!(self, service => service.read(path))
    }

    /// Writes a whole file, and the folders above it. It is durable when this returns.
    pub(crate) async fn write(&self, path: &str, bytes: Bytes, how: Write) -> Result<(), StorageError> {
        path::check(path)?;
        each!(self, service => service.write(path, bytes, how))
    }

    /// The length of a file; `None` when there is none.
    pub(crate) async fn exists(&self, path: &str) -> Result<Option<u64>, StorageError> {
        path::check(path)?;
        each!(self, service => service.exists(path))
    }

    /// The files and folders directly in a folder, by name; none when there is no such folder. The root is `""`.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<Entry>, StorageError> {
        path::check_folder(folder)?;
        let mut entries = each!(self, service => service.list(folder))?;
        entries.retain(|entry| !entry.name.starts_with(path::TEMPORARY_PREFIX));
        entries.sort_unstable();
        Ok(entries)
    }

    /// Removes a file; one that is not there is fine.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), StorageError> {
        path::check(path)?;
        each!(self, service => service.delete(path))
    }

    /// Removes what interrupted writes left behind an hour ago or more; gives the number of files.
    pub(crate) async fn sweep(&self, now_unix_ms: u64) -> Result<usize, StorageError> {
        each!(self, service => service.sweep(now_unix_ms))
    }

    /// Where it is, for people; never a secret.
    pub(crate) fn describe(&self) -> String {
        match &self.service {
            Service::Folder(service) => service.describe(),
            Service::Dal(service) => service.describe(),
            Service::Box(service) => service.describe(),
            Service::Sftp(service) => service.describe(),
            #[cfg(test)]
            Service::Memory(_) => "memory".to_owned(),
        }
    }
}
