//! A body as it comes in: in memory at first, and on its way to the disk once it is too large for that.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Limits, budget::Share, buffer::Buffer, too_large};
use crate::{
    port::{Gateway, HookBody, HookRefusal, Upload as _},
    problem::Failure,
};

pub(super) struct Incoming<'a, G: Gateway> {
    gateway: &'a G,
    limits: Limits,
    /// Bytes so far, those that are written already included.
    bytes: usize,
    piece: Buffer<'a>,
    upload: Option<G::Upload>,
    patience: Patience,
}

/// When a caller is asked to come back whose body the gateway could not keep in time.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl<'a, G: Gateway> Incoming<'a, G> {
    /// Begins with room for the first of the `announced` bytes. Not for all of them: announcing is cheap, and a few who
    /// announce and send nothing would keep everybody else out.
    pub(super) fn new(
        gateway: &'a G,
        limits: Limits,
        announced: usize,
        share: &'a mut Share,
    ) -> Result<Self, Failure> {
        let piece = Buffer::new(announced, limits.in_memory_bytes_max, share)?;
        let patience = Patience { max: limits.read_max, took: Duration::ZERO };
        Ok(Self { gateway, limits, bytes: 0, piece, upload: None, patience })
    }

    /// How long the gateway took to write so far.
    pub(super) fn took(&self) -> Duration {
        self.patience.took
    }

    /// Takes `bytes` of the budget for what is needed beside the body.
    pub(super) fn take_beside(&mut self, bytes: usize) -> Result<(), Failure> {
        self.piece.take_beside(bytes)
    }

    pub(super) async fn push(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        if chunk.len() > self.limits.bytes_max - self.bytes {
            return Err(too_large(self.limits.bytes_max));
        }
        self.bytes += chunk.len();
        let mut rest = self.piece.fill(chunk)?;
        while !rest.is_empty() {
            self.write_piece().await?;
            rest = self.piece.fill(rest)?;
        }
        Ok(())
    }

    async fn write_piece(&mut self) -> Result<(), Failure> {
        let Self { gateway, piece, upload, patience, .. } = self;
        let piece = piece.take();
        let writing = async {
            let upload = match upload {
                Some(upload) => upload,
                none => none.insert(gateway.begin_upload().await?),
            };
            upload.write(piece).await
        };
        patience.with(writing).await
    }

    pub(super) async fn finish(self) -> Result<HookBody<G::Upload>, Failure> {
        let Self { mut piece, upload, mut patience, .. } = self;
        let last = piece.take();
        match upload {
            None => Ok(HookBody::Whole(last)),
            Some(mut upload) => {
                patience.with(upload.write(last)).await?;
                Ok(HookBody::Uploaded(upload))
            }
        }
    }
}

/// How long the gateway may take over one body. The sender has time of his own: neither is blamed for the other.
struct Patience {
    max: Duration,
    took: Duration,
}

impl Patience {
    async fn with(&mut self, writing: impl Future<Output = Result<(), HookRefusal>>) -> Result<(), Failure> {
        let begun = Instant::now();
        let written = timeout(self.max.saturating_sub(self.took), writing).await.unwrap_or_else(|_| {
            let reason = "the disk takes too long".to_owned();
            Err(HookRefusal::Unavailable { retry_after: RETRY_AFTER, reason })
        });
        self.took += begun.elapsed();
        Ok(written?)
    }
}
