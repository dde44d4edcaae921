//! A large body on its way to the store.

use bytes::Bytes;
use postroom_openapi::port::{self, HookBody, HookRefusal};
use postroom_store::{BodyWriter, NewBody, StoreError};

use super::{Api, errors::refusal};

/// A body that the store takes piece by piece.
#[derive(Debug)]
pub(crate) struct Upload {
    api: Api,
    writer: Box<dyn BodyWriter>,
}

impl Upload {
    pub(super) async fn begin(api: &Api) -> Result<Self, HookRefusal> {
        let writer = api.0.intake.begin_body().await.map_err(refusal)?;
        Ok(Self { api: api.clone(), writer })
    }
}

impl port::Upload for Upload {
    async fn write(&mut self, piece: Bytes) -> Result<(), HookRefusal> {
        self.writer.write(piece).await.map_err(|error| self.api.not_kept(error))
    }
}

impl Api {
    /// Brings what is still on its way to the disk.
    pub(super) async fn kept(&self, body: HookBody<Upload>) -> Result<NewBody, HookRefusal> {
        match body {
            HookBody::Whole(bytes) => Ok(NewBody::Inline(bytes)),
            HookBody::Uploaded(Upload { writer, .. }) => {
                Ok(NewBody::Kept(writer.finish().await.map_err(|error| self.not_kept(error))?))
            }
        }
    }

    fn not_kept(&self, error: StoreError) -> HookRefusal {
        refusal(self.0.intake.unavailable(error))
    }
}
