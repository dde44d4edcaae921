//! The layout of the first version of this plugin: `{name}-{id}/{time}-{hash}.json` below the root. Its files are taken in as
//! versions where they lie, and never written.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use postroom_sdk::Bytes;

use super::{History, Objects, keep::scan};
use crate::{
    collection::Format,
    name::{hex, is_uuid},
    storage::Entry,
    vault::{
        Error, Stored, Version,
        body::sha256,
        names,
        records::{Content, Counts},
    },
};

/// How many are taken in at once: what is read before a crash need not be read again.
const AT_ONCE: usize = 256;
const UUID_BYTES: usize = 36;

/// The folders of the old layout that are not taken in yet, by collection; nothing until the root was looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct OldFolders(Arc<Mutex<Option<Folders>>>);

type Folders = BTreeMap<String, Vec<String>>;

impl OldFolders {
    fn lock(&self) -> MutexGuard<'_, Option<Folders>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Objects {
    /// Takes in the old versions of all collections.
    pub(super) async fn take_in_all(&self) -> Result<(), Error> {
        self.look_for_old().await?;
        let keys: Vec<String> = self.old.lock().iter().flat_map(BTreeMap::keys).cloned().collect();
        for key in keys {
            self.take_in(&key).await?;
        }
        Ok(())
    }

    /// Takes in the old versions of one collection.
    pub(super) async fn take_in(&self, key: &str) -> Result<(), Error> {
        self.look_for_old().await?;
        let folders = self.old.lock().as_ref().and_then(|old| old.get(key).cloned()).unwrap_or_default();
        if folders.is_empty() {
            return Ok(());
        }
        let history = self.load_fresh(key).await?;
        for folder in folders {
            let files = self.old_files(&folder).await?;
            let new: Vec<String> =
                files.into_iter().filter(|id| !history.is_gone(id) && history.get(id).is_none()).collect();
            for ids in new.chunks(AT_ONCE) {
                let mut taken = History::default();
                for id in ids {
                    if let Some(version) = self.old_version(&folder, id).await? {
                        taken.join(id, Ok(Content::Version(Arc::new(version))));
                    }
                }
                if taken.count() > 0 {
                    // The time of the newest, so that two that do this write the same file.
                    let made = taken.newest().map_or(0, |version| version.written_unix_ms);
                    self.write_pack(key, &taken, BTreeSet::new(), made).await?;
                }
            }
        }
        if let Some(old) = self.old.lock().as_mut() {
            old.remove(key);
        }
        Ok(())
    }

    /// Finds the folders of the old layout, once.
    async fn look_for_old(&self) -> Result<(), Error> {
        if self.old.lock().is_some() {
            return Ok(());
        }
        let mut old: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for Entry { name, is_folder, .. } in self.shelf.list("").await? {
            if !is_folder || name == names::COLLECTIONS || !name.contains('-') {
                continue;
            }
            if let Some(key) = self.old_key(&name).await? {
                old.entry(key).or_default().push(name);
            }
        }
        *self.old.lock() = Some(old);
        Ok(())
    }

    /// Whose versions a folder has; `None` when it has none.
    async fn old_key(&self, folder: &str) -> Result<Option<String>, Error> {
        let tail = folder.len().checked_sub(UUID_BYTES).and_then(|start| folder.get(start..));
        if let Some(id) = tail.filter(|id| is_uuid(id)) {
            return Ok(Some(names::collection_key(None, Some(id))));
        }
        // Only a UUID tells for sure: `-7` also ends a folder of the id `1-7`. The newest version says whose it is.
        let Some(newest) = self.old_files(folder).await?.pop() else { return Ok(None) };
        let Some(bytes) = self.shelf.read(&format!("{folder}/{newest}.json")).await? else { return Ok(None) };
        let Some(scanned) = scan(bytes).await? else { return Ok(None) };
        let (name, id) = (scanned.summary.name.as_deref().map(str::trim), scanned.summary.id.as_deref());
        Ok(Some(names::collection_key(name, id)))
    }

    /// The versions in a folder, the oldest first.
    async fn old_files(&self, folder: &str) -> Result<Vec<String>, Error> {
        let files = self.shelf.list(folder).await?.into_iter().filter(|entry| !entry.is_folder);
        let ids = files.filter_map(|entry| entry.name.strip_suffix(".json").map(str::to_owned));
        let mut ids: Vec<String> = ids.filter(|id| names::parse_version(id).is_some()).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// What is known of an old version; `None` when somebody has changed its file.
    async fn old_version(&self, folder: &str, id: &str) -> Result<Option<Version>, Error> {
        let file = format!("{folder}/{id}.json");
        let Some(body) = self.shelf.read(&file).await? else { return Ok(None) };
        let Some((received_unix_ms, hash)) = names::parse_version(id) else { return Ok(None) };
        let exact = sha256(body.clone()).await?;
        if !exact.starts_with(hash) {
            return Ok(None);
        }
        let scanned = scan(Bytes::clone(&body)).await?;
        let summary = scanned.as_ref().map(|scanned| &scanned.summary);
        Ok(Some(Version {
            id: id.to_owned(),
            received_unix_ms,
            written_unix_ms: received_unix_ms,
            canonical: scanned.as_ref().map(|scanned| hex(&scanned.canonical)),
            bytes: body.len() as u64,
            name: summary.and_then(|summary| summary.name.clone()),
            collection: summary.and_then(|summary| summary.id.clone()),
            format: summary.map_or(Format::Unknown, |summary| summary.format).to_string(),
            counts: summary.map(Counts::from).unwrap_or_default(),
            event_id: String::new(),
            secrets: Vec::new(),
            redacted: false,
            before: None,
            changes: None,
            stored: Stored { file, bytes: body.len() as u64, sha256: exact.clone() },
            sha256: exact,
            seen: 0,
            seen_unix_ms: received_unix_ms,
        }))
    }
}
