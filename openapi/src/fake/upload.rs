//! A body on its way to a disk that is not there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;

use crate::port::{HookRefusal, Upload};

/// Keeps its pieces in memory, and counts as open until it is dropped.
#[derive(Debug)]
pub(crate) struct FakeUpload {
    pieces: Vec<Bytes>,
    pieces_max: Option<usize>,
    piece_takes: Duration,
    open: Arc<AtomicUsize>,
}

impl FakeUpload {
    pub(super) fn begin(open: &Arc<AtomicUsize>, pieces_max: Option<usize>, piece_takes: Duration) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self { pieces: Vec::new(), pieces_max, piece_takes, open: Arc::clone(open) }
    }

    pub(super) fn pieces(&self) -> Vec<usize> {
        self.pieces.iter().map(Bytes::len).collect()
    }

    pub(super) fn bytes(&self) -> Bytes {
        self.pieces.concat().into()
    }
}

impl Upload for FakeUpload {
    async fn write(&mut self, piece: Bytes) -> Result<(), HookRefusal> {
        if self.pieces_max == Some(self.pieces.len()) {
            let reason = "the disk is full".to_owned();
            return Err(HookRefusal::Unavailable { retry_after: Duration::from_secs(5), reason });
        }
        if !self.piece_takes.is_zero() {
            tokio::time::sleep(self.piece_takes).await;
        }
        self.pieces.push(piece);
        Ok(())
    }
}

impl Drop for FakeUpload {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}
