//! Keys that are made and revoked while the gateway runs.

use std::sync::{Arc, PoisonError};

use postroom_core::time::Timestamp;
use postroom_openapi::{
    auth::{Caller, Credential},
    keys::{CreatedKey, KeyInfo, NewKey},
    port::ActionError,
};
use postroom_store::StoredKey;

use super::{
    ApiKeys, fresh,
    known::{Known, hash, key_role},
};
use crate::api::errors::{unforgotten, unkept};

/// Keys that are made at run time. Every one is compared with on every request.
pub(super) const STORED_MAX: usize = 256;

impl ApiKeys {
    /// Makes a key. Runs to its end when the caller goes away.
    pub(crate) async fn create(
        self: &Arc<Self>,
        new: NewKey,
        by: &Caller,
    ) -> Result<CreatedKey, ActionError> {
        let (keys, by) = (Arc::clone(self), by.name.clone());
        let done = self.runtime.spawn(async move { keys.create_now(new, by).await }).await;
        done.unwrap_or_else(|_| Err(stopping()))
    }

    async fn create_now(&self, new: NewKey, by: String) -> Result<CreatedKey, ActionError> {
        let _alone = self.changing.lock().await;
        let NewKey { name, role, expires_at } = new;
        let known = self.known();
        if let Some(key) = known.iter().find(|key| key.name == name) {
            let of = if key.is_configured() { " of the configuration" } else { "" };
            return Err(ActionError::Conflict { reason: format!("there is a key{of} called \"{name}\"") });
        }
        if known.iter().filter(|key| !key.is_configured()).count() >= STORED_MAX {
            let reason = format!("there are {STORED_MAX} keys already: revoke those that nobody uses");
            return Err(ActionError::Conflict { reason });
        }
        let created_at = self.clock.now();
        let expires_at = expires_at.map(|at| Timestamp::from_unix_ms(at.as_unix_ms()));
        if expires_at.is_some_and(|at| at <= created_at) {
            return Err(ActionError::BadField { name: "expires_at", reason: "is over already".to_owned() });
        }
        let key = fresh::key().map_err(|error| {
            tracing::error!(%error, "the system gives no random bytes, no API key is made");
            ActionError::Unavailable { reason: "the system gives no random bytes".to_owned() }
        })?;
        let stored = StoredKey {
            name,
            role: key_role(role),
            sha256: hash(key.expose()),
            created_at,
            created_by: by,
            expires_at,
        };
        if !self.store.add_api_key(stored.clone()).await.map_err(unkept)? {
            // The store is this process's alone, so it holds what is known here.
            let reason = format!("there is a key called \"{}\"", stored.name);
            return Err(ActionError::Conflict { reason });
        }
        tracing::info!(
            by = stored.created_by,
            name = stored.name,
            role = stored.role.as_str(),
            "API key made"
        );
        let made = Arc::new(Known::stored(stored));
        made.limit(self.limits.read().unwrap_or_else(PoisonError::into_inner).requests_per_second);
        let info = made.info();
        self.change(|known| {
            let mut known = known.to_vec();
            let place = known.partition_point(|key| key.is_configured() || key.name < made.name);
            known.insert(place, made);
            known.into()
        });
        Ok(CreatedKey { key: Credential::new(key.expose()), info })
    }

    /// Has a key that was made let nobody in from now on, whatever the store does. Gives what it is; `None` when there is none
    /// of this name. [`revoke`](Self::revoke) has the store forget it.
    pub(crate) fn shut_out(&self, name: &str) -> Option<KeyInfo> {
        let key = self.made(name)?;
        key.revoke();
        Some(key.info())
    }

    fn made(&self, name: &str) -> Option<Arc<Known>> {
        self.known().iter().find(|key| key.name == name && !key.is_configured()).cloned()
    }

    /// Makes a key nobody's. `None`: there is none of this name. Runs to its end when the caller goes away.
    ///
    /// When the store refuses, the key lets nobody in all the same, and can be revoked again.
    pub(crate) async fn revoke(
        self: &Arc<Self>,
        name: &str,
        by: &Caller,
    ) -> Result<Option<KeyInfo>, ActionError> {
        let (keys, name, by) = (Arc::clone(self), name.to_owned(), by.name.clone());
        let done = self.runtime.spawn(async move { keys.revoke_now(&name, &by).await }).await;
        done.unwrap_or_else(|_| Err(stopping()))
    }

    async fn revoke_now(&self, name: &str, by: &str) -> Result<Option<KeyInfo>, ActionError> {
        let _alone = self.changing.lock().await;
        let Some(key) = self.made(name) else {
            if self.known().iter().all(|key| key.name != name) {
                return Ok(None);
            }
            let reason = "the key is one of the configuration: remove its [[api_key]] there, and reload it";
            return Err(ActionError::Conflict { reason: reason.to_owned() });
        };
        // Before the store, which may refuse.
        key.revoke();
        // It may have gone from the store already, in a write that was refused.
        self.store.remove_api_key(name.to_owned()).await.map_err(|error| unforgotten(name, &error))?;
        self.change(|known| known.iter().filter(|it| !Arc::ptr_eq(it, &key)).cloned().collect());
        tracing::info!(by, name, "API key revoked");
        Ok(Some(key.info()))
    }
}

fn stopping() -> ActionError {
    ActionError::Unavailable { reason: "the gateway is stopping".to_owned() }
}
