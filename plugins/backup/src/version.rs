//! Names of the files of one collection: `{utc time}-{hash}.json`, so that they sort as the history went.

use chrono::DateTime;

const HASH_BYTES: usize = 12;

/// Name of one version's file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(String);

impl Version {
    /// The version that was received at `received_unix_ms` with this SHA-256, in hex.
    ///
    /// To the millisecond: Postman sends one backup for each save, and two within a second are usual.
    pub(crate) fn new(received_unix_ms: u64, sha256: &str) -> Self {
        // A time that no calendar holds is shown as 1970: the backup matters more than its name.
        let received = i64::try_from(received_unix_ms).ok().and_then(DateTime::from_timestamp_millis);
        let time = received.unwrap_or_default().format("%Y-%m-%dT%H-%M-%S%.3fZ");
        Self(format!("{time}-{}.json", &sha256[..HASH_BYTES]))
    }

    /// The version that a file of this name holds; `None` for a file that this plugin did not write.
    pub(crate) fn parse(file_name: &str) -> Option<Self> {
        let (time, hash) = file_name.strip_suffix(".json")?.rsplit_once('-')?;
        let is_hash = hash.len() == HASH_BYTES && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_time =
            time.starts_with(|c: char| c.is_ascii_digit()) && time.ends_with('Z') && time.contains('T');
        (is_hash && is_time).then(|| Self(file_name.to_owned()))
    }

    pub(crate) fn file_name(&self) -> &str {
        &self.0
    }

    /// Whether the content has this SHA-256, as far as the name tells.
    pub(crate) fn may_hold(&self, sha256: &str) -> bool {
        self.0.ends_with(&format!("-{}.json", &sha256[..HASH_BYTES]))
    }
}

#[cfg(test)]
mod tests;
