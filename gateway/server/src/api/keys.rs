//! API keys: kept as hashes, compared in constant time.
//!
//! Those of the configuration come and go with it. The others were made at run time and are in the store. One that is made
//! works when the store has it; one that is revoked lets nobody in from then on, and is known until the store has forgotten it.

mod change;
mod fresh;
mod known;

use std::{
    mem,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use postroom_core::{chain::Chain, time::Timestamp};
use postroom_engine::Clock;
use postroom_openapi::{auth::Caller, keys::KeyInfo, port::AccessRefusal};
use postroom_store::{Store, StoreError};
use subtle::{ConditionallySelectable, ConstantTimeEq};
use tokio::{runtime, sync::Mutex, time::sleep};

use self::known::Known;
pub(super) use self::known::hash;
use super::failures::Failures;
use crate::config::{self, ApiLimits};

/// Between two writes of when keys were used.
const USES_KEPT_EVERY: Duration = Duration::from_secs(60);

/// All API keys.
pub(crate) struct ApiKeys {
    /// Those of the configuration, then the others by name.
    known: RwLock<Arc<[Arc<Known>]>>,
    failures: Failures,
    limits: RwLock<ApiLimits>,
    /// Held by whoever makes or revokes one.
    changing: Mutex<()>,
    store: Arc<dyn Store>,
    clock: Clock,
    runtime: runtime::Handle,
}

impl ApiKeys {
    /// Takes the keys of the configuration, and reads the others.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(crate) async fn open(
        configured: &[config::ApiKey],
        limits: ApiLimits,
        store: Arc<dyn Store>,
        clock: Clock,
    ) -> Result<Self, StoreError> {
        let stored = store.api_keys().await?;
        let uses = store.key_uses().await.unwrap_or_else(|error| {
            tracing::warn!(error = %Chain(&error), "when API keys were used cannot be read, it is told anew");
            Vec::new()
        });
        let configured = configured.iter().map(Known::configured);
        let mut known: Vec<Known> = configured.chain(stored.into_iter().map(Known::stored)).collect();
        for key in &mut known {
            key.used_as_in(&uses);
            key.limit(limits.requests_per_second);
        }
        let known: Arc<[_]> = known.into_iter().map(Arc::new).collect();
        warn_of_namesakes(&known);
        let (changing, runtime) = (Mutex::new(()), runtime::Handle::current());
        let failures = Failures::new(limits.failures_per_minute);
        let (known, limits) = (RwLock::new(known), RwLock::new(limits));
        Ok(Self { known, failures, limits, changing, store, clock, runtime })
    }

    /// Puts these in the place of all others of the configuration.
    pub(crate) fn put(&self, configured: &[config::ApiKey], limits: ApiLimits) {
        let before = mem::replace(&mut *self.limits.write().unwrap_or_else(PoisonError::into_inner), limits);
        self.failures.put(limits.failures_per_minute);
        self.change(|known| {
            let (before, stored): (Vec<_>, Vec<_>) =
                known.iter().cloned().partition(|key| key.is_configured());
            let taken_over = |key: &config::ApiKey| {
                let key = Known::configured(key);
                key.limit(limits.requests_per_second);
                if let Some(before) = before.iter().find(|before| before.name == key.name) {
                    key.goes_on_as(before);
                }
                Arc::new(key)
            };
            configured.iter().map(taken_over).chain(stored).collect()
        });
        if before.requests_per_second != limits.requests_per_second {
            self.known().iter().for_each(|key| key.limit(limits.requests_per_second));
        }
        warn_of_namesakes(&self.known());
    }

    fn known(&self) -> Arc<[Arc<Known>]> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&[Arc<Known>]) -> Arc<[Arc<Known>]>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        *known = change(&known);
    }

    /// Whose key `presented` is, if not too much is asked with it, and not too many wrong ones came from the same address.
    ///
    /// Behind one proxy or one office there are many people, so whoever guesses must not lock out the others: a good key
    /// passes whatever else comes from its address. One that is so short that it can be guessed waits as a wrong one does,
    /// because guessing it would not be slowed down otherwise.
    pub(crate) fn let_in(&self, presented: &str, peer: Option<IpAddr>) -> Result<Caller, AccessRefusal> {
        let now = self.clock.now();
        let Some(key) = self.owner(presented, now) else {
            let counted = peer.map_or(Ok(()), |peer| self.failures.count(peer, now));
            return Err(counted.err().map_or(AccessRefusal::Unknown, too_many_failures));
        };
        if key.is_short
            && let Some(wait) = peer.and_then(|peer| self.failures.wait(peer, now))
        {
            return Err(too_many_failures(wait));
        }
        self.used_by(&key, now)
    }

    /// Whose key has this hash, of a session that was begun with it.
    pub(super) fn let_session_in(&self, sha256: &[u8; 32]) -> Result<Caller, AccessRefusal> {
        let key = self.of_session(sha256).ok_or(AccessRefusal::Unknown)?;
        self.used_by(&key, self.clock.now()).map(Caller::by_session)
    }

    /// Whose session it is, of one that was let in already.
    pub(super) fn owner_of_session(&self, sha256: &[u8; 32]) -> Option<Caller> {
        Some(self.of_session(sha256)?.caller().by_session())
    }

    /// Whether `presented` is a key that lets somebody in. Counts as neither a use nor a failure.
    pub(super) fn stands(&self, presented: &str) -> bool {
        self.owner(presented, self.clock.now()).is_some()
    }

    fn of_session(&self, sha256: &[u8; 32]) -> Option<Arc<Known>> {
        let (now, known) = (self.clock.now(), self.known());
        known.iter().find(|key| key.sha256 == *sha256 && key.lets_in(now)).cloned()
    }

    fn used_by(&self, key: &Known, now: Timestamp) -> Result<Caller, AccessRefusal> {
        key.take_permit(now).map_err(|retry_after| AccessRefusal::TooManyRequests { retry_after })?;
        key.is_used(now);
        Ok(key.caller())
    }

    /// Whose key `presented` is, if it still lets anybody in. Every key is compared, whichever it is.
    fn owner(&self, presented: &str, now: Timestamp) -> Option<Arc<Known>> {
        let presented = hash(presented);
        let mut found = u64::MAX;
        let known = self.known();
        for (index, key) in (0u64..).zip(&*known) {
            found.conditional_assign(&index, key.sha256.ct_eq(&presented));
        }
        known.get(usize::try_from(found).ok()?).filter(|key| key.lets_in(now)).cloned()
    }

    /// All keys as the API shows them.
    pub(crate) fn list(&self) -> Vec<KeyInfo> {
        self.known().iter().map(|key| key.info()).collect()
    }

    /// Keeps again and again when keys were used. Never ends.
    pub(crate) async fn keep_uses(&self) {
        loop {
            sleep(USES_KEPT_EVERY).await;
            self.keep_uses_now().await;
        }
    }

    /// Keeps when keys were used, as far as that has changed.
    pub(crate) async fn keep_uses_now(&self) {
        // A key that goes meanwhile would leave its use behind.
        let _alone = self.changing.lock().await;
        let known = self.known();
        let uses: Vec<_> = known.iter().filter_map(|key| Some((key, key.use_to_keep()?))).collect();
        if uses.is_empty() {
            return;
        }
        let kept: Vec<_> = uses.iter().map(|(_, kept)| kept.clone()).collect();
        match self.store.keep_key_uses(kept).await {
            Ok(()) => uses.iter().for_each(|(key, kept)| key.use_is_kept(kept)),
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "when API keys were used could not be kept, trying again in a minute");
            }
        }
    }
}

/// Both work, but the name does not tell any more who did something.
fn warn_of_namesakes(known: &[Arc<Known>]) {
    for key in known.iter().filter(|key| !key.is_configured()) {
        if known.iter().any(|other| other.is_configured() && other.name == key.name) {
            tracing::warn!(
                name = key.name,
                "a key of the configuration and one that was made have the same name"
            );
        }
    }
}

fn too_many_failures(retry_after: Duration) -> AccessRefusal {
    AccessRefusal::TooManyFailures { retry_after }
}

impl std::fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.known().iter().map(|key| (&key.name, key.role))).finish()
    }
}

#[cfg(test)]
mod tests;
