//! Packs keep lists short: many small files become one, which is written before they are deleted.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::{History, Objects, Packing, history::File};
use crate::{
    name::hex,
    vault::{Error, Version, names, records::Content},
};

/// How long a pack lies beside what it is made of. A list that was begun before the pack was there sees the files still: no
/// list takes so long.
pub(super) const BESIDE_MS: u64 = 10 * 60 * 1000;

impl Objects {
    /// Makes packs of what has gathered, and deletes what earlier packs have. Two that do it at once do it twice, and no more.
    pub(crate) async fn pack(&self, key: &str, now_unix_ms: u64) -> Result<(), Error> {
        let history = self.load(key).await?;
        let packing = self.settings.packing;
        let (covered, loose, packs) = {
            let history = history.look();
            let covered = history.covered();
            let have: BTreeSet<&str> =
                covered.values().flat_map(|(_, of)| of.iter().map(String::as_str)).collect();
            let loose: BTreeSet<String> =
                history.loose().filter(|name| !have.contains(name.as_str())).cloned().collect();
            let packs = history.packs_to_merge(&have, packing);
            (covered, loose, packs)
        };
        self.delete_covered(key, covered, now_unix_ms).await?;
        match packs {
            _ if loose.len() > packing.loose => self.make(key, loose, now_unix_ms).await,
            Some(packs) => self.make(key, packs, now_unix_ms).await,
            None => Ok(()),
        }
    }

    /// Writes what these files say as one pack.
    async fn make(&self, key: &str, of: BTreeSet<String>, now_unix_ms: u64) -> Result<(), Error> {
        let folder = names::versions_folder(key);
        let mut joined = History::default();
        let mut all = of.clone();
        for name in &of {
            // Gone: somebody else has packed it.
            let Some(bytes) = self.shelf.read(&format!("{folder}/{name}")).await? else { return Ok(()) };
            let Some(content) = Content::read(name, &bytes) else { return Ok(()) };
            // What those packs were made of may still be there, and goes with them.
            if let Ok(Content::Pack(pack)) = &content {
                all.extend(pack.of.iter().cloned());
            }
            joined.join(name, content);
        }
        if joined.damaged().next().is_some() {
            return Ok(());
        }
        self.write_pack(key, &joined, all, now_unix_ms).await
    }

    pub(super) async fn write_pack(
        &self,
        key: &str,
        history: &History,
        of: BTreeSet<String>,
        now_unix_ms: u64,
    ) -> Result<(), Error> {
        let pack = history.pack(of, now_unix_ms);
        let id = |version: Option<&Version>| version.map(|version| version.id.clone()).unwrap_or_default();
        let (first, last) = (id(pack.versions.first()), id(pack.versions.last()));
        let bytes = serde_json::to_vec(&pack).map_err(|error| Error::Encode(error.into()))?;
        let name = names::pack_file(&first, &last, &bytes);
        self.shelf.keep_named(&format!("{}/{name}", names::versions_folder(key)), bytes.into()).await?;
        self.learn(key, &name, Content::Pack(pack));
        Ok(())
    }

    /// Deletes files that packs have had for long enough.
    async fn delete_covered(&self, key: &str, covered: Covered, now_unix_ms: u64) -> Result<(), Error> {
        let folder = names::versions_folder(key);
        for (pack, (made_unix_ms, of)) in covered {
            if of.is_empty() || now_unix_ms.saturating_sub(made_unix_ms) < BESIDE_MS {
                continue;
            }
            // What is on the storage now, not what it was when it was read.
            let bytes = self.shelf.read(&format!("{folder}/{pack}")).await?;
            if !bytes.is_some_and(|bytes| names_content(&pack, &bytes)) {
                continue;
            }
            for name in of {
                self.shelf.delete(&format!("{folder}/{name}")).await?;
            }
        }
        Ok(())
    }
}

/// For each pack when it was made, and which of the files that it has are still there.
type Covered = BTreeMap<String, (u64, Vec<String>)>;

/// Whether a pack has the content that its name was made from.
pub(super) fn names_content(pack: &str, bytes: &[u8]) -> bool {
    let hash = hex(&Sha256::digest(bytes));
    pack.strip_suffix(".pack.json").is_some_and(|stem| stem.ends_with(&hash[..12]))
}

impl History {
    fn covered(&self) -> Covered {
        let packs = self.files.iter().filter_map(|(pack, file)| {
            let File::Pack { made_unix_ms, of, .. } = file else { return None };
            let here = of.iter().filter(|name| *name != pack && self.files.contains_key(*name));
            Some((pack.clone(), (*made_unix_ms, here.cloned().collect())))
        });
        packs.collect()
    }

    /// The packs that make a larger one: as many of one size, and all smaller ones.
    fn packs_to_merge(&self, covered: &BTreeSet<&str>, packing: Packing) -> Option<BTreeSet<String>> {
        let mut sizes: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
        for (name, file) in &self.files {
            if let File::Pack { versions, .. } = file
                && !covered.contains(name.as_str())
            {
                let size = (versions / packing.loose).checked_ilog(packing.fanout).unwrap_or_default();
                sizes.entry(size).or_default().insert(name.clone());
            }
        }
        let full =
            sizes.iter().rev().find(|(_, packs)| packs.len() >= packing.fanout).map(|(size, _)| *size)?;
        Some(sizes.range(..=full).flat_map(|(_, packs)| packs.iter().cloned()).collect())
    }
}
