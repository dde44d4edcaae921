//! The mark that makes a second sending of an event known as one.

use postroom_core::limits;
use postroom_store::{Mark, NewBody};
use sha2::{Digest as _, Sha256};

/// The mark for a key, or why there is none. An event is never refused for its key: it is more than its key.
pub(super) fn of(key: Option<String>, body: &NewBody) -> (Option<Mark>, Option<String>) {
    let Some(key) = key else { return (None, None) };
    if key.is_empty() || key.len() > limits::IDEMPOTENCY_KEY_BYTES_MAX {
        let max = limits::IDEMPOTENCY_KEY_BYTES_MAX;
        let note = format!("idempotency key left out: it has {} bytes, 1 to {max} are kept", key.len());
        return (None, Some(note));
    }
    let body_sha256 = match body {
        NewBody::Inline(body) => Sha256::digest(body).into(),
        NewBody::Kept(body) => body.sha256(),
    };
    (Some(Mark { key, body_sha256 }), None)
}
