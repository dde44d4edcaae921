//! The body of which parts are being shown: each part would else be read, decompressed and hashed with all the others.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use postroom_sdk::{
    Bytes,
    tokio::{self, time::sleep},
};

/// How long the next part of one may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// A longer one is read anew for every part.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// At most one body, for a minute after its last part. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    body: Option<Body>,
    /// Counts uses, so that only the last one's end of patience counts.
    uses: u64,
}

#[derive(Debug)]
struct Body {
    sha256: String,
    bytes: Bytes,
}

impl Held {
    /// The body with this hash, if it is the one that is held.
    pub(super) fn get(&self, sha256: &str) -> Option<Bytes> {
        let state = self.state();
        state.body.as_ref().filter(|body| body.sha256 == sha256).map(|body| body.bytes.clone())
    }

    /// Holds this one in the place of any other.
    pub(super) fn hold(&self, sha256: &str, bytes: &Bytes) {
        if bytes.len() > BYTES_MAX {
            return;
        }
        let mut state = self.state();
        state.uses += 1;
        state.body = Some(Body { sha256: sha256.to_owned(), bytes: bytes.clone() });
        let (held, uses) = (self.clone(), state.uses);
        tokio::spawn(async move {
            sleep(PATIENCE).await;
            let mut state = held.state();
            if state.uses == uses {
                state.body = None;
            }
        });
    }

    /// Gives its memory back: the last part was shown, or something else needs it.
    pub(crate) fn forget(&self) {
        self.state().body = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is in it is only a copy of what is on the storage.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
