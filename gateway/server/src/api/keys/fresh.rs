//! New API keys.

use std::fmt::Write as _;

use postroom_core::secret::Secret;
use sha2::{Digest as _, Sha256};

/// By which searches for secrets find a key where it should not be.
const PREFIX: &str = "postroom_";
const RANDOM_BYTES: usize = 32;
/// Of the checksum: it tells a key from what only looks like one.
const CHECK_BYTES: usize = 4;

/// Makes a key: the prefix, 256 random bits and a checksum of these, in hexadecimal digits.
pub(super) fn key() -> Result<Secret, getrandom::Error> {
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random)?;
    Ok(Secret::new(written(&random)))
}

fn written(random: &[u8; RANDOM_BYTES]) -> String {
    let check = Sha256::digest(random);
    let mut key = PREFIX.to_owned();
    for byte in random.iter().chain(check.iter().take(CHECK_BYTES)) {
        write!(key, "{byte:02x}").expect("writing to a String cannot fail");
    }
    key
}

#[cfg(test)]
mod tests;
