//! API keys come, go and are used.

use rusqlite::params;

use super::Changes;
use crate::access::{KeyUse, StoredKey};

const ADD: &str = "
    INSERT INTO api_key (name, role, sha256, created_at, created_by, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO NOTHING";
const REMOVE: &str = "DELETE FROM api_key WHERE name = ?1";
const REMOVE_USE: &str = "DELETE FROM api_key_use WHERE name = ?1 AND configured = 0";
const USED: &str = "INSERT OR REPLACE INTO api_key_use (name, configured, at) VALUES (?1, ?2, ?3)";

#[cfg(test)]
pub(super) const QUERIES: [&str; 2] = [REMOVE, REMOVE_USE];

impl Changes<'_> {
    /// Keeps a key, unless there is one of its name.
    pub(in crate::sqlite) fn add_api_key(&mut self, key: &StoredKey) -> rusqlite::Result<bool> {
        let StoredKey { name, role, sha256, created_at, created_by, expires_at } = key;
        let added = self.connection.prepare_cached(ADD)?.execute(params![
            name,
            role.as_str(),
            sha256,
            created_at.as_unix_ms(),
            created_by,
            expires_at.map(|at| at.as_unix_ms()),
        ])?;
        Ok(added > 0)
    }

    /// Removes a key and when it was used, if there is one of this name.
    pub(in crate::sqlite) fn remove_api_key(&mut self, name: &str) -> rusqlite::Result<bool> {
        self.connection.prepare_cached(REMOVE_USE)?.execute([name])?;
        Ok(self.connection.prepare_cached(REMOVE)?.execute([name])? > 0)
    }

    /// Keeps when keys were used last.
    pub(in crate::sqlite) fn keep_key_uses(&mut self, uses: &[KeyUse]) -> rusqlite::Result<()> {
        let mut used = self.connection.prepare_cached(USED)?;
        uses.iter().try_for_each(|KeyUse { name, configured, at }| {
            used.execute(params![name, configured, at.as_unix_ms()]).map(drop)
        })
    }
}
