//! Sources: who may send, and how much.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use postroom_core::{id::SourceName, limits, rate::RateLimit, secret::Secret, time::Timestamp};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// A configured receiving URL.
#[derive(Debug)]
pub struct Source {
    /// The last part of its URL.
    pub name: SourceName,
    /// Labels that every event of this source gets.
    pub labels: BTreeMap<String, String>,
    /// Largest body it takes.
    pub body_bytes_max: u64,
    tokens: Tokens,
    requests_per_second: Option<u32>,
    rate: Option<Arc<Mutex<RateLimit>>>,
}

impl Source {
    /// A source with its tokens, at most [`limits::SOURCE_TOKENS_MAX`]; more are not kept.
    #[must_use]
    pub fn new(name: SourceName, tokens: &[Secret], body_bytes_max: u64) -> Self {
        Self {
            name,
            labels: BTreeMap::new(),
            body_bytes_max,
            tokens: Tokens::new(tokens),
            requests_per_second: None,
            rate: None,
        }
    }

    /// The same source with labels for its events.
    #[must_use]
    pub fn with_labels(self, labels: BTreeMap<String, String>) -> Self {
        Self { labels, ..self }
    }

    /// The same source with a limit on requests per second.
    #[must_use]
    pub fn with_requests_per_second(self, requests: u32) -> Self {
        let rate = Some(Arc::new(Mutex::new(RateLimit::per_second(requests))));
        Self { requests_per_second: Some(requests), rate, ..self }
    }

    /// Its rate limit, with what that of `before` has counted if it is the same.
    fn rate_after(&self, before: &Self) -> Option<Arc<Mutex<RateLimit>>> {
        let same = self.requests_per_second == before.requests_per_second;
        if same { before.rate.clone() } else { self.rate.clone() }
    }

    pub(crate) fn take_permit(&self, now: Timestamp) -> Result<(), Duration> {
        self.rate.as_ref().map_or(Ok(()), |rate| {
            // A panic elsewhere cannot leave a rate limit half written: it is one number.
            rate.lock().unwrap_or_else(PoisonError::into_inner).take(now)
        })
    }
}

/// Hashes of the tokens; the tokens themselves are not kept. All places are compared on every request, whatever the
/// source has.
#[derive(Clone)]
struct Tokens([Option<[u8; 32]>; limits::SOURCE_TOKENS_MAX]);

impl Tokens {
    fn new(tokens: &[Secret]) -> Self {
        let mut hashes = tokens.iter().map(|token| hash(token.expose()));
        Self(std::array::from_fn(|_| hashes.next()))
    }

    /// Compares with every token, in a time that says nothing about any of them.
    fn accept(&self, presented: &[u8; 32]) -> bool {
        self.accept_by(presented, |hash, presented| hash.ct_eq(presented))
    }

    fn accept_by(
        &self,
        presented: &[u8; 32],
        mut compare: impl FnMut(&[u8; 32], &[u8; 32]) -> Choice,
    ) -> bool {
        let mut accepted = Choice::from(0);
        for token in &self.0 {
            let (hash, exists) = token.map_or(([0; 32], 0), |hash| (hash, 1));
            accepted |= compare(&hash, presented) & Choice::from(exists);
        }
        accepted.into()
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(***)")
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// All sources.
#[derive(Debug)]
pub struct Sources {
    by_name: HashMap<SourceName, Arc<Source>>,
    /// Compared with when there is no such source, so that an unknown name costs what a wrong token costs.
    nobody: Tokens,
}

impl Sources {
    /// Takes the configured sources.
    #[must_use]
    pub fn new(sources: impl IntoIterator<Item = Source>) -> Self {
        Self {
            by_name: sources.into_iter().map(|source| (source.name.clone(), Arc::new(source))).collect(),
            nobody: Tokens::new(&[]),
        }
    }

    /// These sources, which go on where those `before` were: their rate limits have counted what has come in.
    pub(crate) fn after(mut self, before: &Self) -> Self {
        for (name, source) in &mut self.by_name {
            if let (Some(before), Some(fresh)) = (before.by_name.get(name), Arc::get_mut(source)) {
                fresh.rate = fresh.rate_after(before);
            }
        }
        self
    }

    /// The source called `name`, if `token` is one of its tokens. An unknown source and a wrong token look alike.
    #[must_use]
    pub fn authenticate(&self, name: &str, token: &str) -> Option<Arc<Source>> {
        let source = self.by_name.get(name);
        let tokens = source.map_or(&self.nobody, |source| &source.tokens);
        tokens.accept(&hash(token)).then(|| source.map(Arc::clone)).flatten()
    }
}

#[cfg(test)]
mod tests;
