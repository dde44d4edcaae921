//! API keys: kept as hashes, compared in constant time.

use std::sync::{Arc, PoisonError, RwLock};

use postroom_openapi::auth::{Caller, Role};
use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::config;

type Keys = Vec<([u8; 32], Caller)>;

/// The configured API keys.
pub(crate) struct ApiKeys(RwLock<Arc<Keys>>);

impl ApiKeys {
    pub(crate) fn new(keys: &[config::ApiKey]) -> Self {
        Self(RwLock::new(Arc::new(hashed(keys))))
    }

    /// Puts these in the place of all before them.
    pub(crate) fn put(&self, keys: &[config::ApiKey]) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(hashed(keys));
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whose key `presented` is. Every key is compared, whichever it is.
    pub(crate) fn owner(&self, presented: &str) -> Option<Caller> {
        let presented = hash(presented);
        let mut found = u64::MAX;
        let keys = self.keys();
        for (index, (key, _)) in (0u64..).zip(&*keys) {
            found.conditional_assign(&index, key.ct_eq(&presented));
        }
        let index = usize::try_from(found).ok()?;
        keys.get(index).map(|(_, caller)| caller.clone())
    }
}

fn hashed(keys: &[config::ApiKey]) -> Keys {
    let caller = |key: &config::ApiKey| Caller {
        name: key.name.clone(),
        role: match key.role {
            config::Role::Viewer => Role::Viewer,
            config::Role::Operator => Role::Operator,
            config::Role::Admin => Role::Admin,
        },
    };
    keys.iter().map(|key| (hash(key.key.expose()), caller(key))).collect()
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

impl std::fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys().iter().map(|(_, caller)| caller)).finish()
    }
}

#[cfg(test)]
mod tests;
