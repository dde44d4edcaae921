//! What the vault asks of a storage, in the vault's words. Tests put a memory in its place that can stop at any step.

#[cfg(test)]
pub(crate) mod memory;

use postroom_sdk::Bytes;

use super::{Error, body::sha256};
use crate::storage::{Entry, Storage, Write};

/// Where files are kept. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) enum Shelf {
    Storage(Storage),
    #[cfg(test)]
    Memory(memory::Memory),
}

/// The same call on whichever it is.
macro_rules! on {
    ($self:ident, $shelf:ident => $call:expr) => {
        match $self {
            Shelf::Storage($shelf) => $call.await,
            #[cfg(test)]
            Shelf::Memory($shelf) => $call.await,
        }
    };
}

impl Shelf {
    /// The content of a file; `None` when there is none.
    pub(crate) async fn read(&self, path: &str) -> Result<Option<Bytes>, Error> {
        on!(self, shelf => shelf.read(path)).map_err(Error::storage("read", path))
    }

    /// The length of a file; `None` when there is none.
    pub(crate) async fn length(&self, path: &str) -> Result<Option<u64>, Error> {
        on!(self, shelf => shelf.exists(path)).map_err(Error::storage("look at", path))
    }

    /// What is in a folder; nothing where there is none.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<Entry>, Error> {
        on!(self, shelf => shelf.list(folder)).map_err(Error::storage("list", folder))
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<(), Error> {
        on!(self, shelf => shelf.delete(path)).map_err(Error::storage("delete", path))
    }

    /// Writes a file that nobody else writes, and reads it back. It is there, whole and right, when this returns.
    pub(crate) async fn keep(&self, path: &str, bytes: Bytes) -> Result<Bytes, Error> {
        self.write(path, bytes, Write::New).await
    }

    /// The same for a file whose name is made from its content: another that writes it writes the same.
    pub(crate) async fn keep_named(&self, path: &str, bytes: Bytes) -> Result<Bytes, Error> {
        self.write(path, bytes, Write::Replace).await
    }

    /// Writes a file in the place of an earlier one. Others may do so too, so it is not read back.
    pub(crate) async fn replace(&self, path: &str, bytes: Bytes) -> Result<(), Error> {
        on!(self, shelf => shelf.write(path, bytes, Write::Replace)).map_err(Error::storage("write", path))
    }

    async fn write(&self, path: &str, bytes: Bytes, how: Write) -> Result<Bytes, Error> {
        let length = bytes.len();
        // The hash and not the bytes: what was written can be dropped before it is read back, which halves the memory.
        let expected = sha256(bytes.clone()).await?;
        on!(self, shelf => shelf.write(path, bytes, how)).map_err(Error::storage("write", path))?;
        let back = self.read(path).await?.filter(|back| back.len() == length);
        match back {
            Some(back) if sha256(back.clone()).await? == expected => Ok(back),
            _ => Err(Error::NotAsWritten { path: path.to_owned() }),
        }
    }
}
