//! A storage of tests. Each call is one step: tests stop after any of them, and count them.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use postroom_sdk::Bytes;

use crate::storage::{Entry, StorageError, Write};

#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    files: Arc<Mutex<BTreeMap<String, Bytes>>>,
    calls: Arc<AtomicU64>,
    /// How many calls are answered before all fail.
    left: Arc<Mutex<Option<u64>>>,
}

impl Memory {
    pub(crate) fn files(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The paths of all files that begin so.
    pub(crate) fn paths(&self, prefix: &str) -> Vec<String> {
        self.files().keys().filter(|path| path.starts_with(prefix)).cloned().collect()
    }

    /// How many calls there were since this was asked last.
    pub(crate) fn take_calls(&self) -> u64 {
        self.calls.swap(0, Ordering::Relaxed)
    }

    /// Lets this many more calls succeed; `None` lets all.
    pub(crate) fn fail_after(&self, calls: Option<u64>) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = calls;
    }

    async fn step(&self) -> Result<(), StorageError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Pause(false).await;
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        match left.as_mut() {
            Some(0) => Err(StorageError::Busy { after: None, why: "it is a test".to_owned() }),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub(crate) async fn read(&self, path: &str) -> Result<Option<Bytes>, StorageError> {
        self.step().await?;
        Ok(self.files().get(path).cloned())
    }

    pub(crate) async fn write(&self, path: &str, bytes: Bytes, how: Write) -> Result<(), StorageError> {
        self.step().await?;
        let mut files = self.files();
        if how == Write::New && files.contains_key(path) {
            return Err(StorageError::Exists);
        }
        files.insert(path.to_owned(), bytes);
        Ok(())
    }

    pub(crate) async fn exists(&self, path: &str) -> Result<Option<u64>, StorageError> {
        self.step().await?;
        Ok(self.files().get(path).map(|bytes| bytes.len() as u64))
    }

    /// In two steps, as services that list by pages: what happens between them is seen by halves.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<Entry>, StorageError> {
        self.step().await?;
        let first = self.entries(folder);
        let middle = first.get(first.len() / 2).map(|entry| entry.name.clone()).unwrap_or_default();
        self.step().await?;
        let mut entries: Vec<_> = first.into_iter().filter(|entry| entry.name < middle).collect();
        entries.extend(self.entries(folder).into_iter().filter(|entry| entry.name >= middle));
        Ok(entries)
    }

    fn entries(&self, folder: &str) -> Vec<Entry> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut entries = Vec::new();
        for (path, bytes) in self.files().range(prefix.clone()..) {
            let Some(below) = path.strip_prefix(&prefix) else { break };
            let (name, is_folder) =
                below.split_once('/').map_or((below, false), |(folder, _)| (folder, true));
            entries.push(Entry {
                name: name.to_owned(),
                is_folder,
                bytes: (!is_folder).then_some(bytes.len() as u64),
                modified_unix_ms: None,
            });
        }
        entries.dedup();
        entries
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<(), StorageError> {
        self.step().await?;
        self.files().remove(path);
        Ok(())
    }
}

/// Lets others run once.
struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
