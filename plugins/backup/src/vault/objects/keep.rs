//! Keeping a snapshot: body, read back, record, read back. Only then it is said to be kept.

use std::sync::Arc;

use postroom_sdk::Bytes;

use super::{Objects, diff, history::Shared};
use crate::{
    collection::{self, Format, Scanned},
    name::hex,
    scan::Looked,
    vault::{
        Error, Fresh, Kept, Snapshot, Stored, Version,
        body::{DecodeError, offload, sha256},
        compare, names,
        records::{Content, Counts, Seen},
    },
};

impl Objects {
    /// Keeps a snapshot. What this says is on the storage, and was read back.
    pub(crate) async fn keep(&self, snapshot: Snapshot, now_unix_ms: u64) -> Result<Kept, Error> {
        let key = names::collection_key(snapshot.name.as_deref(), snapshot.id.as_deref());
        let Looked { body, secrets, redacted } = self.settings.scan.look(snapshot.bytes.clone()).await?;
        let scanned = scan(body.clone()).await?;
        let exact = match &scanned {
            Some(scanned) => hex(&scanned.exact),
            None => sha256(body.clone()).await?,
        };
        let id = names::version_id(snapshot.received_unix_ms, &exact);
        let history = self.load(&key).await?;

        let (gone, known) = {
            let history = history.look();
            (history.is_gone(&id), history.get(&id).map(|known| history.full(known)))
        };
        if gone {
            return Ok(Kept::Gone(id));
        }
        if let Some(mut known) = known {
            if !self.holds(&known.stored).await? {
                known.stored =
                    self.store(&key, &snapshot.event_id, &known, body.clone(), now_unix_ms).await?;
                known.written_unix_ms = now_unix_ms.max(known.written_unix_ms + 1);
                self.record(&key, &known, now_unix_ms).await?;
            }
            self.copy(&history, &known, body).await?;
            return Ok(Kept::Again(known));
        }

        let canonical = scanned.as_ref().map(|scanned| hex(&scanned.canonical));
        let (before, was_seen) = {
            let history = history.look();
            let before = history.at(snapshot.received_unix_ms);
            let was_seen = before.is_some_and(|it| history.was_seen(&it.id, snapshot.received_unix_ms));
            (before.map(|before| history.full(before)), was_seen)
        };
        if let Some(before) = &before
            && self.says_the_same(before, &exact, canonical.as_deref())
            && self.holds(&before.stored).await?
        {
            if !was_seen {
                self.mark_seen(&key, before, &snapshot, exact.clone(), now_unix_ms).await?;
            }
            if before.sha256 == exact {
                self.copy_if_missing(&history, before, body).await?;
            }
            return Ok(Kept::Unchanged(before.clone()));
        }

        let mut version = Version {
            id,
            received_unix_ms: snapshot.received_unix_ms,
            written_unix_ms: now_unix_ms,
            sha256: exact,
            canonical,
            bytes: body.len() as u64,
            name: snapshot.name.clone(),
            collection: snapshot.id.clone(),
            format: scanned.as_ref().map_or(Format::Unknown, |it| it.summary.format).to_string(),
            counts: scanned.as_ref().map(|it| Counts::from(&it.summary)).unwrap_or_default(),
            event_id: snapshot.event_id.clone(),
            secrets,
            redacted,
            before: before.as_ref().map(|before| before.id.clone()),
            changes: None,
            stored: Stored { file: String::new(), bytes: 0, sha256: String::new() },
            seen: 0,
            seen_unix_ms: snapshot.received_unix_ms,
        };
        version.stored = match self.reusable(&history, &version).await? {
            Some(stored) => stored,
            None => self.store(&key, &snapshot.event_id, &version, body.clone(), now_unix_ms).await?,
        };
        let diff = self.changes(&key, before.as_ref(), &version, body.clone()).await?;
        version.changes = diff.as_ref().map(collection::Diff::summary);
        self.record(&key, &version, now_unix_ms).await?;
        self.copy(&history, &version, body).await?;
        Ok(Kept::New(Box::new(Fresh { version, before, diff })))
    }

    fn says_the_same(&self, before: &Version, exact: &str, canonical: Option<&str>) -> bool {
        before.sha256 == exact
            || (!self.settings.store_unchanged
                && canonical.is_some_and(|canonical| before.canonical.as_deref() == Some(canonical)))
    }

    /// A body that is here already. Only one that a version refers to: others may be about to be deleted.
    async fn reusable(&self, history: &Shared, version: &Version) -> Result<Option<Stored>, Error> {
        // One written when other settings were in force may be readable by others, or by nobody here.
        let extension = self.settings.coding.extension();
        let is_same =
            |other: &Version| other.sha256 == version.sha256 && other.stored.file.ends_with(extension);
        let same = history.look().live().rev().find(|it| is_same(it)).map(|same| same.stored.clone());
        match same {
            Some(same) if self.holds(&same).await? => Ok(Some(same)),
            _ => Ok(None),
        }
    }

    /// Writes the body of a version, and makes sure that it is there.
    pub(super) async fn store(
        &self,
        key: &str,
        event_id: &str,
        version: &Version,
        body: Bytes,
        now_unix_ms: u64,
    ) -> Result<Stored, Error> {
        let coding = &self.settings.coding;
        let nonce = names::nonce(event_id, now_unix_ms);
        let name = names::object_file(&version.sha256, now_unix_ms, &nonce, coding.extension());
        let file = format!("{}/{name}", names::objects_folder(key));
        let encoded = coding.encode(body, coding.compress).await?;
        let back = self.shelf.keep(&file, encoded).await?;
        if coding.reads(&file) {
            match coding.hash(&file, back.clone(), version.bytes).await {
                Ok(sha256) if sha256 == version.sha256 => {}
                // Encrypted to others than to who reads here.
                Err(DecodeError::NoIdentity) => {}
                Err(DecodeError::Interrupted) => return Err(Error::Interrupted),
                Ok(_) | Err(DecodeError::Damaged(_)) => return Err(Error::NotAsWritten { path: file }),
            }
        }
        Stored::describe(file, back).await
    }

    /// Writes the record of a version, which makes it one.
    pub(super) async fn record(&self, key: &str, version: &Version, now_unix_ms: u64) -> Result<(), Error> {
        let name = names::record_file(&version.id, &names::nonce(&version.event_id, now_unix_ms));
        self.write_file(key, &name, version).await?;
        self.learn(key, &name, Content::Version(Arc::new(version.clone())));
        Ok(())
    }

    async fn mark_seen(
        &self,
        key: &str,
        version: &Version,
        snapshot: &Snapshot,
        sha256: String,
        now_unix_ms: u64,
    ) -> Result<(), Error> {
        let nonce = names::nonce(&snapshot.event_id, now_unix_ms);
        let name = names::seen_file(snapshot.received_unix_ms, &sha256, &nonce);
        let seen = Seen {
            version: version.id.clone(),
            seen_unix_ms: snapshot.received_unix_ms,
            event_id: snapshot.event_id.clone(),
            sha256,
        };
        self.write_file(key, &name, &seen).await?;
        self.learn(key, &name, Content::Seen(seen));
        Ok(())
    }

    pub(super) async fn write_file(
        &self,
        key: &str,
        name: &str,
        content: &impl serde::Serialize,
    ) -> Result<(), Error> {
        let bytes = serde_json::to_vec(content).map_err(|error| Error::Encode(error.into()))?;
        self.shelf.keep(&format!("{}/{name}", names::versions_folder(key)), bytes.into()).await?;
        Ok(())
    }

    /// What the version changed. That the one before cannot be read is no reason not to keep this one.
    async fn changes(
        &self,
        key: &str,
        before: Option<&Version>,
        version: &Version,
        body: Bytes,
    ) -> Result<Option<collection::Diff>, Error> {
        let Some(before) = before else { return Ok(None) };
        if !compare::is_within(before, version) || !self.settings.coding.reads(&before.stored.file) {
            return Ok(None);
        }
        let _turn = compare::turn(before.bytes.saturating_add(version.bytes)).await;
        let before = match self.body(key, before).await {
            Ok(before) => before,
            Err(Error::Damaged { .. } | Error::NoIdentity | Error::NoVersion { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        match diff(before, body).await {
            Ok(diff) => Ok(Some(diff)),
            Err(Error::Unreadable(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What a body says; `None` for one that is no JSON, which is kept all the same.
pub(super) async fn scan(body: Bytes) -> Result<Option<Scanned>, Error> {
    offload(body.len(), move || collection::scan(&body).ok()).await
}
