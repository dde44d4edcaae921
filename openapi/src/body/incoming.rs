//! A body as it comes in: in memory at first, and on its way to the disk once it is too large for that.

use super::{Limits, budget::Share, buffer::Buffer, too_large};
use crate::{
    port::{Gateway, HookBody, Upload as _},
    problem::Failure,
};

pub(super) struct Incoming<'a, G: Gateway> {
    gateway: &'a G,
    limits: Limits,
    /// Bytes so far, those that are written already included.
    bytes: usize,
    piece: Buffer<'a>,
    upload: Option<G::Upload>,
}

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
        Ok(Self { gateway, limits, bytes: 0, piece, upload: None })
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
        let upload = match &mut self.upload {
            Some(upload) => upload,
            None => self.upload.insert(self.gateway.begin_upload().await?),
        };
        Ok(upload.write(self.piece.take()).await?)
    }

    pub(super) async fn finish(mut self) -> Result<HookBody<G::Upload>, Failure> {
        let last = self.piece.take();
        match self.upload {
            None => Ok(HookBody::Whole(last)),
            Some(mut upload) => {
                upload.write(last).await?;
                Ok(HookBody::Uploaded(upload))
            }
        }
    }
}
