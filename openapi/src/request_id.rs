//! Names a request, so that an answer and the lines of the log about it can be brought together.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use poem::http::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries it, in both directions.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken over from a proxy, in bytes.
const BYTES_MAX: usize = 64;

/// The name of one request: letters, digits, `.`, `_` and `-` only.
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// Takes over the id that a proxy in front gave, if it is harmless in a log, or makes one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match headers.get(HEADER) {
            Some(given) if is_harmless(given.as_bytes()) => Self(given.clone()),
            _ => Self::fresh(),
        }
    }

    /// Unique in this process by counting, and across processes by a random start: far cheaper than a UUID each.
    fn fresh() -> Self {
        static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0_u8));
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let text = format!("{:016x}-{:x}", *PROCESS, COUNT.fetch_add(1, Ordering::Relaxed));
        Self(HeaderValue::try_from(text).expect("hexadecimal digits are a header value"))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().expect("only letters, digits and three signs get in")
    }

    pub(crate) fn into_header(self) -> HeaderValue {
        self.0
    }
}

fn is_harmless(id: &[u8]) -> bool {
    (1..=BYTES_MAX).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}

#[cfg(test)]
mod tests;
