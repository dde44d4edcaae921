//! Pruning: a version is marked as gone first, and its body goes a day later if nothing refers to it then.

use std::{collections::BTreeSet, sync::Arc};

use super::{History, Objects, history::GRACE_MS};
use crate::{
    retention::{Reason, Retention},
    vault::{
        Error, Version, names,
        records::{Content, Gone},
    },
};

/// What was, or would be, pruned of one collection.
#[derive(Debug, Default)]
pub(crate) struct Pruned {
    /// The versions that go, the oldest first.
    pub(crate) gone: Vec<Version>,
    /// Those that stay, and why.
    pub(crate) kept: Vec<(Arc<Version>, Vec<Reason>)>,
    /// Bodies that were deleted, of versions that went a day ago or more, and of writes that came to nothing.
    pub(crate) bodies: usize,
    pub(crate) freed_bytes: u64,
}

impl Objects {
    /// Prunes a collection. A dry run only tells.
    pub(crate) async fn prune(
        &self,
        key: &str,
        retention: Option<&Retention>,
        now_unix_ms: u64,
        dry_run: bool,
    ) -> Result<Pruned, Error> {
        let mut pruned = self.mark(key, retention, now_unix_ms, dry_run).await?;
        (pruned.bodies, pruned.freed_bytes) = self.sweep(key, now_unix_ms, dry_run).await?;
        Ok(pruned)
    }

    /// Marks the versions as gone that no rule keeps.
    async fn mark(
        &self,
        key: &str,
        retention: Option<&Retention>,
        now_unix_ms: u64,
        dry_run: bool,
    ) -> Result<Pruned, Error> {
        let history = self.load(key).await?;
        let mut pruned = Pruned::default();
        {
            let history = history.look();
            let times: Vec<u64> = history.live().map(|version| version.received_unix_ms).collect();
            let plan = match retention {
                Some(retention) => retention.plan(&times, now_unix_ms),
                None => vec![vec![Reason::Last]; times.len()],
            };
            for (version, reasons) in history.live().zip(plan) {
                match reasons.is_empty() {
                    true => pruned.gone.push(history.full(version)),
                    false => pruned.kept.push((Arc::clone(version), reasons)),
                }
            }
        }
        if !dry_run {
            for version in &pruned.gone {
                let name = names::gone_file(&version.id, &names::nonce(&version.event_id, now_unix_ms));
                let gone = Gone { version: version.id.clone(), gone_unix_ms: now_unix_ms };
                self.write_file(key, &name, &gone).await?;
                self.learn(key, &name, Content::Gone(gone));
            }
        }
        Ok(pruned)
    }

    /// Deletes the bodies that nothing has referred to for a day; gives their number and length.
    async fn sweep(&self, key: &str, now_unix_ms: u64, dry_run: bool) -> Result<(usize, u64), Error> {
        let history = self.load_fresh(key).await?;
        let unwanted = self.unwanted(key, &history, now_unix_ms).await?;
        if unwanted.is_empty() {
            return Ok((0, 0));
        }
        // A list that was read while others wrote is not trusted alone.
        let again = self.load_fresh(key).await?;
        let again = self.unwanted(key, &again, now_unix_ms).await?;
        let (mut count, mut freed) = (0, 0);
        for file in unwanted.intersection(&again) {
            let Some(length) = self.shelf.length(file).await? else { continue };
            if !dry_run {
                self.shelf.delete(file).await?;
            }
            count += 1;
            freed += length;
        }
        Ok((count, freed))
    }

    /// The body files that can go.
    async fn unwanted(
        &self,
        key: &str,
        history: &History,
        now_unix_ms: u64,
    ) -> Result<BTreeSet<String>, Error> {
        // A file that cannot be read may name any of them.
        if history.damaged().next().is_some() {
            return Ok(BTreeSet::new());
        }
        let folder = names::objects_folder(key);
        let listed = self.shelf.list(&folder).await?.into_iter().filter(|entry| !entry.is_folder);
        let strays = listed
            .filter(|entry| {
                let made = names::object_made_unix_ms(&entry.name);
                made.is_some_and(|made| now_unix_ms.saturating_sub(made) >= GRACE_MS)
            })
            .map(|entry| format!("{folder}/{}", entry.name));
        // Bodies of the old layout lie elsewhere.
        let named = history.named().into_iter().filter(|file| !file.starts_with(&folder)).map(str::to_owned);
        let wanted = history.wanted(now_unix_ms);
        // The body of a version whose record is lost is all that is left of it.
        let missing = history.missing();
        let hashes: Vec<String> = missing
            .into_iter()
            .filter_map(|id| names::parse_version(id))
            .map(|(_, hash)| format!("{folder}/{hash}"))
            .collect();
        let is_left = |file: &String| hashes.iter().any(|hash| file.starts_with(hash));
        let unwanted = strays.chain(named).filter(|file| !wanted.contains(file.as_str()) && !is_left(file));
        Ok(unwanted.collect())
    }

    /// What is done after each new version: packing, and marking what the retention no longer keeps.
    pub(crate) async fn tidy(
        &self,
        key: &str,
        retention: Option<&Retention>,
        now_unix_ms: u64,
    ) -> Result<Pruned, Error> {
        self.pack(key, now_unix_ms).await?;
        match retention {
            Some(_) => self.mark(key, retention, now_unix_ms, false).await,
            None => Ok(Pruned::default()),
        }
    }
}
