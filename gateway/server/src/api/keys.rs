//! API keys: kept as hashes, compared in constant time.

use postroom_openapi::auth::{Caller, Role};
use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::config;

/// The configured API keys.
pub(crate) struct ApiKeys(Vec<([u8; 32], Caller)>);

impl ApiKeys {
    pub(crate) fn new(keys: &[config::ApiKey]) -> Self {
        let caller = |key: &config::ApiKey| Caller {
            name: key.name.clone(),
            role: match key.role {
                config::Role::Viewer => Role::Viewer,
                config::Role::Operator => Role::Operator,
                config::Role::Admin => Role::Admin,
            },
        };
        Self(keys.iter().map(|key| (hash(key.key.expose()), caller(key))).collect())
    }

    /// Whose key `presented` is. Every key is compared, whichever it is.
    pub(crate) fn owner(&self, presented: &str) -> Option<Caller> {
        let presented = hash(presented);
        let mut found = u64::MAX;
        for (index, (key, _)) in (0u64..).zip(&self.0) {
            found.conditional_assign(&index, key.ct_eq(&presented));
        }
        let index = usize::try_from(found).ok()?;
        self.0.get(index).map(|(_, caller)| caller.clone())
    }
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

impl std::fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(_, caller)| caller)).finish()
    }
}

#[cfg(test)]
mod tests;
