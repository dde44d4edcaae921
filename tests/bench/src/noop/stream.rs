//! Nothing happens in it.

use std::future::pending;

use postroom_openapi::{
    auth::Caller,
    port::{FollowError, Reader, Step, Streams},
    stream::Wanted,
};

use super::Noop;

/// Hears nothing.
pub(super) struct Silence;

impl Streams for Noop {
    type Reader = Silence;

    async fn follow(&self, _: Wanted, _: Option<String>, _: &Caller) -> Result<Silence, FollowError> {
        Ok(Silence)
    }
}

impl Reader for Silence {
    async fn next(&mut self) -> Option<Step> {
        pending().await
    }

    fn position(&self) -> Option<String> {
        None
    }
}
