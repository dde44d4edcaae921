//! Names of folders and files in the storage, which sort as the history went.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, NaiveDateTime, SecondsFormat};
use sha2::{Digest, Sha256};

use crate::name::{folder_id, hex};

const HASH_DIGITS: usize = 12;
const NONCE_BYTES: usize = 4;
const TIME: &str = "%Y-%m-%dT%H-%M-%S%.3fZ";

/// The folder of all collections.
pub(crate) const COLLECTIONS: &str = "collections";

/// What the vault calls a collection: its id, made fit for a file name. One without an id is known by its name.
pub(crate) fn collection_key(name: Option<&str>, id: Option<&str>) -> String {
    match id.filter(|id| !id.is_empty()) {
        Some(id) => folder_id(Some(id)),
        None => format!("unknown~{}", &hex(&Sha256::digest(name.unwrap_or_default().trim()))[..8]),
    }
}

pub(crate) fn versions_folder(key: &str) -> String {
    format!("{COLLECTIONS}/{key}/versions")
}

pub(crate) fn objects_folder(key: &str) -> String {
    format!("{COLLECTIONS}/{key}/objects")
}

/// What a version is called: `{utc time}-{start of the hash}`.
///
/// To the millisecond: Postman sends one backup for each save, and two within a second are usual.
pub(crate) fn version_id(received_unix_ms: u64, sha256: &str) -> String {
    format!("{}-{}", time(received_unix_ms), &sha256[..HASH_DIGITS])
}

/// `2026-11-21T19-36-47.042Z`. A time that no calendar holds is shown as 1970: the backup matters more than its name.
pub(crate) fn time(unix_ms: u64) -> String {
    let time = i64::try_from(unix_ms).ok().and_then(DateTime::from_timestamp_millis);
    time.unwrap_or_default().format(TIME).to_string()
}

/// The same time as programs read it: `2026-11-21T19:36:47.042Z`.
pub(crate) fn rfc3339(unix_ms: u64) -> String {
    let time = i64::try_from(unix_ms).ok().and_then(DateTime::from_timestamp_millis);
    time.unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The time and the start of the hash that the id of a version says; `None` when it is none.
pub(crate) fn parse_version(id: &str) -> Option<(u64, &str)> {
    let (time, hash) = id.rsplit_once('-')?;
    let is_hash = hash.len() == HASH_DIGITS && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let time = NaiveDateTime::parse_from_str(time, TIME).ok()?.and_utc().timestamp_millis();
    is_hash.then_some((u64::try_from(time).ok()?, hash))
}

/// The file of a record. Each writer has a file of its own, so none overwrites another's.
pub(crate) fn record_file(id: &str, nonce: &str) -> String {
    format!("{id}.{nonce}.json")
}

pub(crate) fn seen_file(seen_unix_ms: u64, sha256: &str, nonce: &str) -> String {
    format!("{}.{nonce}.seen.json", version_id(seen_unix_ms, sha256))
}

pub(crate) fn gone_file(id: &str, nonce: &str) -> String {
    format!("{id}.{nonce}.gone.json")
}

pub(crate) fn pack_file(first: &str, last: &str, bytes: &[u8]) -> String {
    let day = |id: &str| id.get(..10).unwrap_or("none").to_owned();
    format!("{}-{}-{}.pack.json", day(first), day(last), &hex(&Sha256::digest(bytes))[..HASH_DIGITS])
}

/// The file of a body. No name is ever used twice: what was once given up for deletion cannot come back to life.
pub(crate) fn object_file(sha256: &str, now_unix_ms: u64, nonce: &str, extension: &str) -> String {
    format!("{sha256}-{now_unix_ms:013}-{nonce}{extension}")
}

/// When the file of a body was made.
pub(crate) fn object_made_unix_ms(name: &str) -> Option<u64> {
    name.split('-').nth(1)?.parse().ok()
}

/// What sets a file apart from all others that were ever written for this or another event.
pub(crate) fn nonce(event_id: &str, now_unix_ms: u64) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut hash = Sha256::new();
    hash.update(event_id);
    for number in [now_unix_ms, count, u64::from(std::process::id())] {
        hash.update(number.to_le_bytes());
    }
    hex(&hash.finalize()[..NONCE_BYTES])
}

#[cfg(test)]
mod tests;
