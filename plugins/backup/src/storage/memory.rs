//! A storage of tests, in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

use super::{Entry, StorageError, Write};

#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    files: Arc<Mutex<BTreeMap<String, Bytes>>>,
}

impl Memory {
    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<String, Bytes>) -> T) -> T {
        work(&mut self.files.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) async fn read(&self, path: &str) -> Result<Option<Bytes>, StorageError> {
        Ok(self.with(|files| files.get(path).cloned()))
    }

    pub(super) async fn write(&self, path: &str, bytes: Bytes, how: Write) -> Result<(), StorageError> {
        self.with(|files| {
            if how == Write::New && files.contains_key(path) {
                return Err(StorageError::Exists);
            }
            files.insert(path.to_owned(), bytes);
            Ok(())
        })
    }

    pub(super) async fn exists(&self, path: &str) -> Result<Option<u64>, StorageError> {
        Ok(self.with(|files| files.get(path).map(|bytes| bytes.len() as u64)))
    }

    pub(super) async fn list(&self, folder: &str) -> Result<Vec<Entry>, StorageError> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        Ok(self.with(|files| {
            let mut entries = Vec::new();
            for (path, bytes) in files {
                let Some(below) = path.strip_prefix(&prefix) else { continue };
                let entry = match below.split_once('/') {
                    Some((name, _)) => {
                        Entry { name: name.to_owned(), is_folder: true, bytes: None, modified_unix_ms: None }
                    }
                    None => Entry {
                        name: below.to_owned(),
                        is_folder: false,
                        bytes: Some(bytes.len() as u64),
                        modified_unix_ms: None,
                    },
                };
                entries.push(entry);
            }
            entries.sort();
            entries.dedup();
            entries
        }))
    }

    pub(super) async fn delete(&self, path: &str) -> Result<(), StorageError> {
        self.with(|files| files.remove(path));
        Ok(())
    }

    pub(super) async fn sweep(&self, _now_unix_ms: u64) -> Result<usize, StorageError> {
        Ok(0)
    }
}
