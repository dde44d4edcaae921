//! The part of the gateway that cannot exist which knows who may use the API.

use super::NoGateway;
use crate::{
    auth::{Caller, Credential},
    keys::{CreatedKey, KeyInfo, NewKey},
    port::{Access, ActionError, ReadError},
};

impl Access for NoGateway {
    async fn authenticate(&self, _: &Credential) -> Option<Caller> {
        match *self {}
    }

    async fn keys(&self) -> Result<Vec<KeyInfo>, ReadError> {
        match *self {}
    }

    async fn create_key(&self, _: NewKey, _: &Caller) -> Result<CreatedKey, ActionError> {
        match *self {}
    }

    async fn revoke_key(&self, _: &str, _: &Caller) -> Result<Option<KeyInfo>, ActionError> {
        match *self {}
    }
}
