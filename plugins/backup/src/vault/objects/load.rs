//! Reading the history of a collection: a list, and the files in it that are not known yet.

use std::collections::BTreeSet;

use super::{
    History, Objects, REMEMBERED_MAX, Remembered,
    history::{File, Shared},
};
use crate::vault::{Error, names, records::Content};

/// How often a list is read anew because files of it are gone.
const TRIES_MAX: usize = 5;

impl Objects {
    /// The history of a collection, as it is now.
    pub(super) async fn load(&self, key: &str) -> Result<Shared, Error> {
        let known = self.remembered().recall(key);
        let history = match known {
            Some(history) => history,
            None => {
                self.take_in(key).await?;
                // Somebody else may have begun with it meanwhile.
                let mut remembered = self.remembered();
                remembered.recall(key).unwrap_or_else(|| remembered.begin(key))
            }
        };
        self.join(key, &history).await?;
        Ok(history)
    }

    /// The history of a collection from its files alone. What is deleted is decided by this one.
    pub(super) async fn load_fresh(&self, key: &str) -> Result<History, Error> {
        let history = Shared::default();
        self.join(key, &history).await?;
        Ok(history.into_inner())
    }

    /// Reads the list of files, and those that are not in the history yet.
    async fn join(&self, key: &str, history: &Shared) -> Result<(), Error> {
        let folder = names::versions_folder(key);
        for _ in 0..TRIES_MAX {
            let entries = self.shelf.list(&folder).await?;
            let files = entries.into_iter().filter(|entry| !entry.is_folder).map(|entry| entry.name);
            let listed: BTreeSet<String> = files.collect();
            let new: Vec<&String> = {
                let history = history.look();
                listed.iter().filter(|name| !history.files.contains_key(*name)).collect()
            };
            let mut vanished = false;
            for name in new {
                match self.shelf.read(&format!("{folder}/{name}")).await? {
                    None => vanished = true,
                    Some(bytes) => {
                        if let Some(content) = Content::read(name, &bytes) {
                            history.look().join(name, content);
                        }
                    }
                }
            }
            if !vanished {
                history.look().files.retain(|name, _| listed.contains(name));
                return Ok(());
            }
        }
        Err(Error::Unsteady)
    }

    /// Adds a file that was just written, so that it need not be read.
    pub(super) fn learn(&self, key: &str, name: &str, content: Content) {
        let known = self.remembered().recall(key);
        if let Some(history) = known {
            history.look().join(name, Ok(content));
        }
    }
}

impl History {
    /// The files that are not packs and not damaged.
    pub(super) fn loose(&self) -> impl Iterator<Item = &String> {
        self.files.iter().filter(|(_, file)| matches!(file, File::Loose)).map(|(name, _)| name)
    }
}

impl Remembered {
    fn recall(&mut self, key: &str) -> Option<Shared> {
        self.uses += 1;
        let (used, history) = self.histories.get_mut(key)?;
        *used = self.uses;
        Some(history.clone())
    }

    /// Makes room, and begins to remember a collection.
    fn begin(&mut self, key: &str) -> Shared {
        while self.records() > REMEMBERED_MAX {
            let oldest = self.histories.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { break };
            self.histories.remove(&oldest);
        }
        let history = Shared::default();
        self.histories.insert(key.to_owned(), (self.uses, history.clone()));
        history
    }

    fn records(&self) -> usize {
        self.histories.values().map(|(_, history)| history.look().records()).sum()
    }
}
