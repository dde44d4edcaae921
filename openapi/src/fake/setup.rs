//! Fake gateways of all kinds.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use super::{Fake, State};
use crate::port::HookRefusal;

impl Fake {
    pub(crate) fn with_events(count: usize) -> Self {
        Self(Arc::new(State { count, ..State::default() }))
    }

    /// Admits, then refuses to store.
    pub(crate) fn refusing(refusal: HookRefusal) -> Self {
        Self(Arc::new(State { refusal: Some(refusal), ..State::default() }))
    }

    /// Stores a body only with [`store_one`](Self::store_one).
    pub(crate) fn slow() -> Self {
        Self(Arc::new(State { storing: Some(Semaphore::new(0)), ..State::default() }))
    }

    /// Has bodies above [`PIECE_BYTES`] uploaded.
    pub(crate) fn uploading() -> Self {
        Self(Arc::new(State { uploading: true, ..State::default() }))
    }

    /// Has bodies above [`PIECE_BYTES`] uploaded, and no room for more than `pieces` pieces of each.
    pub(crate) fn full_after(pieces: usize) -> Self {
        Self(Arc::new(State { uploading: true, pieces_max: Some(pieces), ..State::default() }))
    }

    /// Has bodies above [`PIECE_BYTES`] uploaded, each piece in so long.
    pub(crate) fn slow_disk(piece_takes: Duration) -> Self {
        Self(Arc::new(State { uploading: true, piece_takes, ..State::default() }))
    }

    /// Has a configuration with these faults in its file.
    pub(crate) fn with_faults(faults: &[&str]) -> Self {
        let config_faults = faults.iter().map(|fault| (*fault).to_owned()).collect();
        Self(Arc::new(State { config_faults, ..State::default() }))
    }

    pub(crate) fn not_ready(reasons: &[&str]) -> Self {
        let not_ready = reasons.iter().map(|reason| (*reason).to_owned()).collect();
        Self(Arc::new(State { not_ready, ..State::default() }))
    }
}
