//! The secrets of the instance, which may be replaced while it runs.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
};

use postroom_core::secret::Secret;

/// The secrets that the plugin may have, by name.
pub(super) struct Secrets(RwLock<Numbered>);

struct Numbered {
    number: u64,
    by_name: BTreeMap<String, Secret>,
}

impl Secrets {
    pub(super) fn new(by_name: BTreeMap<String, Secret>) -> Self {
        Self(RwLock::new(Numbered { number: 0, by_name }))
    }

    /// The present value.
    pub(super) fn get(&self, name: &str) -> Option<Secret> {
        let secrets = self.0.read().unwrap_or_else(PoisonError::into_inner);
        secrets.by_name.get(name).cloned()
    }

    /// Goes on with others, unless newer ones have come.
    pub(super) fn replace(&self, number: u64, by_name: BTreeMap<String, Secret>) {
        let mut secrets = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if number > secrets.number {
            *secrets = Numbered { number, by_name };
        }
    }
}
