//! What is in the repository, and whether it is what was kept.

use std::collections::BTreeSet;

use postroom_sdk::Bytes;

use super::{GitVault, State, names, sha256};
use crate::{
    collection,
    vault::{Collection, Damage, Error, Mending, Verified, Version, compare, objects},
};

impl GitVault {
    /// What the vault calls the collections that are here, and those of which the server has lost all versions, in order.
    pub(crate) async fn keys(&self) -> Result<Vec<String>, Error> {
        let State { branch, tip, .. } = self.refresh().await?;
        self.look(Some(tip), 0, move |look| {
            let mut keys: BTreeSet<String> = look.lost(&branch)?.into_keys().collect();
            keys.extend(look.index.lines().map(|(key, _)| key.clone()));
            Ok(keys.into_iter().collect())
        })
        .await
    }

    /// These collections. One without a line is one that the server has lost.
    pub(crate) async fn collections(&self, keys: &[String]) -> Result<Vec<Collection>, Error> {
        let keys = keys.to_vec();
        self.look(None, 0, move |look| {
            let collections = keys.into_iter().map(|key| {
                let Some(line) = look.index.line(&key) else {
                    return Ok(Collection { key, newest: None, versions: 0, stored_bytes: 0 });
                };
                let newest = line.newest().map(|(_, entry)| look.version(line, entry)).transpose()?;
                Ok(Collection { key, newest, versions: line.len(), stored_bytes: line.bytes })
            });
            collections.collect()
        })
        .await
    }

    /// What the vault calls the collection that somebody names by its id, with or without the owner before it, or by the
    /// vault's own name for it.
    pub(crate) async fn find(&self, collection: &str) -> Result<String, Error> {
        let State { branch, tip, .. } = self.refresh().await?;
        let without_owner = collection.split_once('-').map_or(collection, |(_, tail)| tail);
        let mut wanted =
            [collection.to_owned(), names::collection_key(None, Some(collection)), without_owner.to_owned()]
                .into_iter();
        let found = self.look(Some(tip), 0, move |look| {
            let lost = look.lost(&branch)?;
            Ok(wanted.find(|wanted| look.index.line(wanted).is_some() || lost.contains_key(wanted)))
        });
        found.await?.ok_or_else(|| Error::NoCollection(collection.to_owned()))
    }

    /// The versions of a collection, the oldest first.
    pub(crate) async fn versions(&self, key: &str) -> Result<Vec<Version>, Error> {
        let state = self.refresh().await?;
        self.versions_at(&state, key).await
    }

    async fn versions_at(&self, state: &State, key: &str) -> Result<Vec<Version>, Error> {
        let key = key.to_owned();
        self.look(Some(state.tip), 0, move |look| {
            let Some(line) = look.index.line(&key) else { return Ok(Vec::new()) };
            let mut versions: Vec<Version> = Vec::with_capacity(line.len());
            for entry in line.entries() {
                let mut version = look.note(entry)?;
                version.before = versions.last().map(|before| before.id.clone());
                versions.push(version);
            }
            Ok(versions)
        })
        .await
    }

    /// One version; the newest unless one is named.
    pub(crate) async fn version(&self, key: &str, id: Option<&str>) -> Result<Version, Error> {
        let state = self.refresh().await?;
        let (key, id) = (key.to_owned(), id.map(str::to_owned));
        self.look(Some(state.tip), 0, move |look| {
            let line = look.index.line(&key);
            let entry = line.and_then(|line| match &id {
                Some(id) => line.named(id),
                None => line.newest().map(|(_, entry)| entry),
            });
            match (line, entry) {
                (Some(line), Some(entry)) => look.version(line, entry),
                _ => Err(no_version(&key, id.as_deref())),
            }
        })
        .await
    }

    /// The body of a version, byte for byte as it was kept.
    pub(crate) async fn body(&self, key: &str, version: &Version) -> Result<Bytes, Error> {
        let known = self.body_if_known(key, version).await?;
        if let Some(body) = known {
            return Ok(body);
        }
        self.refresh().await?;
        self.body_if_known(key, version).await?.ok_or_else(|| no_version(key, Some(&version.id)))
    }

    async fn body_if_known(&self, key: &str, version: &Version) -> Result<Option<Bytes>, Error> {
        let (key, version) = (key.to_owned(), version.clone());
        self.look(None, 0, move |look| {
            let entry = look.index.line(&key).and_then(|line| line.named(&version.id));
            entry.map(|entry| look.body(entry, &version)).transpose()
        })
        .await
    }

    /// What changed from one version to another.
    pub(crate) async fn diff(
        &self,
        key: &str,
        before: &Version,
        after: &Version,
    ) -> Result<collection::Diff, Error> {
        let _turn = compare::turn(before.bytes.saturating_add(after.bytes)).await;
        let (before, after) = (self.body(key, before).await?, self.body(key, after).await?);
        objects::diff(before, after).await
    }

    /// Asks the server what its branch has, reads every version of a collection in that history, and tells which ones it had.
    /// The bodies are read from the copy, whose objects have the names that the server gave them, and those are hashes.
    pub(crate) async fn verify(&self, key: &str) -> Result<Verified, Error> {
        let state = self.refresh().await?;
        let versions = self.versions_at(&state, key).await?;
        let mut verified = Verified::default();
        let (branch, wanted) = (state.branch.clone(), key.to_owned());
        let lost = self.look(Some(state.tip), 0, move |look| Ok(look.lost(&branch)?.remove(&wanted)));
        let lost = lost.await?.unwrap_or_default().into_values();
        verified.damaged.extend(lost.map(|lost| lost.damage(&state.branch)));
        for version in versions {
            verified.versions += 1;
            match self.body(key, &version).await {
                Ok(body) => verified.bytes += body.len() as u64,
                Err(Error::Damaged { version: id, why }) => verified.damaged.push(Damage {
                    version: Some(id),
                    file: Some(version.stored.file),
                    what: why,
                }),
                Err(error) => return Err(error),
            }
        }
        Ok(verified)
    }

    /// Gives a version its body again: from the remote repository if there is one, else from what is given.
    pub(crate) async fn mend(
        &self,
        key: &str,
        version: &Version,
        body: Bytes,
        _now_unix_ms: u64,
    ) -> Result<Mending, Error> {
        if body.len() as u64 != version.bytes || sha256(body.clone()).await? != version.sha256 {
            return Ok(Mending::OtherBody);
        }
        match self.body(key, version).await {
            Ok(_) => return Ok(Mending::NotNeeded),
            Err(Error::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
        let _turn = self.0.turn.lock().await;
        if self.0.remote.is_some() {
            self.renew().await?;
            self.refresh().await?;
        } else {
            self.look(None, 0, move |look| look.mend(&body)).await?;
        }
        self.body(key, version).await.map(|_| Mending::Done)
    }
}

fn no_version(key: &str, id: Option<&str>) -> Error {
    Error::NoVersion { collection: key.to_owned(), version: id.unwrap_or("at all").to_owned() }
}
