//! Who may use the API, as the contract asks for it.

use postroom_openapi::{
    auth::{Caller, Credential},
    keys::{CreatedKey, KeyInfo, NewKey},
    port::{Access, ActionError, ReadError},
};

use super::Api;

impl Access for Api {
    async fn authenticate(&self, key: &Credential) -> Option<Caller> {
        self.0.keys.owner(key.expose())
    }

    async fn keys(&self) -> Result<Vec<KeyInfo>, ReadError> {
        Ok(self.0.keys.list())
    }

    async fn create_key(&self, new: NewKey, by: &Caller) -> Result<CreatedKey, ActionError> {
        self.0.keys.create(new, by).await
    }

    async fn revoke_key(&self, name: &str, by: &Caller) -> Result<Option<KeyInfo>, ActionError> {
        self.0.keys.revoke(name, by).await
    }
}
