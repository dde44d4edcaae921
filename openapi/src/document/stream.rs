//! Nobody follows the document.

use super::NoGateway;
use crate::{
    auth::Caller,
    port::{FollowError, Reader, Step, Streams},
    stream::Wanted,
};

impl Streams for NoGateway {
    type Reader = Self;

    async fn follow(&self, _: Wanted, _: Option<String>, _: &Caller) -> Result<Self, FollowError> {
        match *self {}
    }
}

impl Reader for NoGateway {
    async fn next(&mut self) -> Option<Step> {
        match *self {}
    }

    fn position(&self) -> Option<String> {
        match *self {}
    }
}
