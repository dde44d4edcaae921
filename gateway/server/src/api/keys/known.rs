//! An API key as the gateway knows it.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use postroom_core::{rate::RateLimit, time::Timestamp};
use postroom_openapi::{
    auth::{Caller, Role},
    keys::{KeyInfo, KeyOrigin},
    time,
};
use postroom_store::{KeyRole, KeyUse, StoredKey};
use sha2::{Digest as _, Sha256};

use crate::config::{self, secrets};

/// Of a key that was not used yet.
const NEVER: i64 = 0;

/// An API key.
pub(super) struct Known {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) sha256: [u8; 32],
    /// It could be guessed.
    pub(super) is_short: bool,
    origin: Origin,
    /// Somebody wants it gone. It is known until the store has forgotten it.
    revoked: AtomicBool,
    rate: Mutex<RateLimit>,
    /// When it was used last, in milliseconds.
    used: AtomicI64,
    /// The last use that the store has.
    used_as_kept: AtomicI64,
}

/// Where it is from.
enum Origin {
    Configuration,
    Store { created_at: Timestamp, created_by: String, expires_at: Option<Timestamp> },
}

impl Known {
    pub(super) fn configured(key: &config::ApiKey) -> Self {
        let role = match key.role {
            config::Role::Viewer => Role::Viewer,
            config::Role::Operator => Role::Operator,
            config::Role::Admin => Role::Admin,
        };
        let is_short = secrets::is_short(&key.key);
        Self { is_short, ..Self::new(key.name.clone(), role, hash(key.key.expose()), Origin::Configuration) }
    }

    pub(super) fn stored(key: StoredKey) -> Self {
        let StoredKey { name, role, sha256, created_at, created_by, expires_at } = key;
        let role = match role {
            KeyRole::Viewer => Role::Viewer,
            KeyRole::Operator => Role::Operator,
            KeyRole::Admin => Role::Admin,
        };
        Self::new(name, role, sha256, Origin::Store { created_at, created_by, expires_at })
    }

    fn new(name: String, role: Role, sha256: [u8; 32], origin: Origin) -> Self {
        let (used, used_as_kept) = (AtomicI64::new(NEVER), AtomicI64::new(NEVER));
        let (revoked, rate) = (AtomicBool::new(false), Mutex::new(RateLimit::per_second(u32::MAX)));
        Self { name, role, sha256, is_short: false, origin, revoked, rate, used, used_as_kept }
    }

    /// Takes its last use from those that were kept.
    pub(super) fn used_as_in(&mut self, uses: &[KeyUse]) {
        let is_of = |it: &&KeyUse| it.name == self.name && it.configured == self.is_configured();
        if let Some(KeyUse { at, .. }) = uses.iter().find(is_of) {
            *self.used.get_mut() = at.as_unix_ms();
            *self.used_as_kept.get_mut() = at.as_unix_ms();
        }
    }

    /// Lets so many requests a second through from now on.
    pub(super) fn limit(&self, requests_per_second: u32) {
        *self.rate() = RateLimit::per_second(requests_per_second);
    }

    pub(super) fn take_permit(&self, now: Timestamp) -> Result<(), Duration> {
        self.rate().take(now)
    }

    fn rate(&self) -> MutexGuard<'_, RateLimit> {
        self.rate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what was counted, and the last use, of the key whose place it takes.
    pub(super) fn goes_on_as(&self, before: &Self) {
        let counted = before.rate().clone();
        *self.rate() = counted;
        self.used.store(before.used.load(Ordering::Relaxed), Ordering::Relaxed);
        self.used_as_kept.store(before.used_as_kept.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    pub(super) fn is_configured(&self) -> bool {
        matches!(self.origin, Origin::Configuration)
    }

    /// Lets nobody in from now on.
    pub(super) fn revoke(&self) {
        self.revoked.store(true, Ordering::Release);
    }

    /// Whether it lets its owner in.
    pub(super) fn lets_in(&self, now: Timestamp) -> bool {
        let is_over = match self.origin {
            Origin::Store { expires_at: Some(expires_at), .. } => now >= expires_at,
            Origin::Store { expires_at: None, .. } | Origin::Configuration => false,
        };
        !is_over && !self.revoked.load(Ordering::Acquire)
    }

    pub(super) fn is_used(&self, now: Timestamp) {
        self.used.store(now.as_unix_ms(), Ordering::Relaxed);
    }

    /// Its last use, if the store does not have it. Once it has, [`use_is_kept`](Self::use_is_kept).
    pub(super) fn use_to_keep(&self) -> Option<KeyUse> {
        let used = self.used.load(Ordering::Relaxed);
        let (name, configured) = (self.name.clone(), self.is_configured());
        let new = used != self.used_as_kept.load(Ordering::Relaxed);
        new.then(|| KeyUse { name, configured, at: Timestamp::from_unix_ms(used) })
    }

    pub(super) fn use_is_kept(&self, kept: &KeyUse) {
        self.used_as_kept.store(kept.at.as_unix_ms(), Ordering::Relaxed);
    }

    pub(super) fn caller(&self) -> Caller {
        Caller::new(self.name.as_str(), self.role)
    }

    pub(super) fn info(&self) -> KeyInfo {
        let moment = |at: Timestamp| time::Timestamp::from_unix_ms(at.as_unix_ms());
        let used = self.used.load(Ordering::Relaxed);
        let mut info = KeyInfo {
            name: self.name.clone(),
            role: self.role,
            origin: KeyOrigin::Configuration,
            created_at: None,
            created_by: None,
            last_used_at: (used != NEVER).then(|| time::Timestamp::from_unix_ms(used)),
            expires_at: None,
        };
        if let Origin::Store { created_at, created_by, expires_at } = &self.origin {
            info.origin = KeyOrigin::Store;
            info.created_at = Some(moment(*created_at));
            info.created_by = Some(created_by.clone());
            info.expires_at = expires_at.map(moment);
        }
        info
    }
}

pub(in crate::api) fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

pub(super) fn key_role(role: Role) -> KeyRole {
    match role {
        Role::Viewer => KeyRole::Viewer,
        Role::Operator => KeyRole::Operator,
        Role::Admin => KeyRole::Admin,
    }
}
