//! The copy of a version that people look at.

use postroom_sdk::Bytes;

use super::{Objects, history::Shared};
use crate::vault::{Error, Version};

/// What a copy's name ends in when it is encrypted.
const AGE: &str = ".age";

impl Objects {
    /// Where the copy of a version is, if there are copies.
    pub(crate) fn copy_path(&self, version: &Version) -> Option<String> {
        let path = self.settings.path.as_ref()?.path(version);
        Some(if self.settings.coding.encrypts() { path + AGE } else { path })
    }

    /// Writes the copy of a version, unless a newer one has taken its place.
    pub(super) async fn copy(&self, history: &Shared, version: &Version, body: Bytes) -> Result<(), Error> {
        let (Some(template), Some(path)) = (&self.settings.path, self.copy_path(version)) else {
            return Ok(());
        };
        let newest = history.look().newest_beside(&version.id);
        if template.replaces() && newest.as_ref().is_some_and(|newest| newest.id > version.id) {
            return Ok(());
        }
        let body = self.settings.coding.encode(body, false).await?;
        self.shelf.replace(&path, body).await?;
        // Under the name that the collection had before.
        if template.replaces()
            && let Some(earlier) = newest
            && let Some(earlier) = self.copy_path(&earlier)
            && earlier != path
        {
            self.shelf.delete(&earlier).await?;
        }
        Ok(())
    }

    /// Writes the copy of a version when somebody has removed it, or when the setting is new.
    pub(super) async fn copy_if_missing(
        &self,
        history: &Shared,
        version: &Version,
        body: Bytes,
    ) -> Result<(), Error> {
        let Some(path) = self.copy_path(version) else { return Ok(()) };
        match self.shelf.length(&path).await? {
            Some(length) if self.settings.coding.encrypts() || length == version.bytes => Ok(()),
            _ => self.copy(history, version, body).await,
        }
    }
}
