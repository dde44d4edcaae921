//! Slows down whoever guesses API keys.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::{IpAddr, Ipv6Addr},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use postroom_core::{rate::RateLimit, time::Timestamp};

use super::told::Told;

/// However many addresses there are, they share so many places. Two that share one count together, so nobody gets rid of
/// what was counted by coming from many addresses.
const PLACES: usize = 4096;

/// Counts requests with wrong keys by the address that they come from.
pub(crate) struct Failures {
    places: Box<[Mutex<Place>]>,
    /// Which place an address has is nobody's to choose.
    hasher: RandomState,
    per_minute: AtomicU32,
}

struct Place {
    rate: RateLimit,
    /// That there are too many.
    told: Told,
}

impl Place {
    fn new(per_minute: u32) -> Self {
        Self { rate: RateLimit::per_minute(per_minute), told: Told::default() }
    }
}

impl Failures {
    pub(crate) fn new(per_minute: u32) -> Self {
        let place = || Mutex::new(Place::new(per_minute));
        Self {
            places: std::iter::repeat_with(place).take(PLACES).collect(),
            hasher: RandomState::new(),
            per_minute: AtomicU32::new(per_minute),
        }
    }

    /// Puts another bound in the place of the one before. What was counted counts no more if it is another.
    pub(crate) fn put(&self, per_minute: u32) {
        if self.per_minute.swap(per_minute, Ordering::Relaxed) == per_minute {
            return;
        }
        for place in &self.places {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Place::new(per_minute);
        }
    }

    /// Counts a failure.
    ///
    /// # Errors
    /// How long to wait when there were too many.
    pub(crate) fn count(&self, address: IpAddr, now: Timestamp) -> Result<(), Duration> {
        let mut place = self.place(address).lock().unwrap_or_else(PoisonError::into_inner);
        let counted = place.rate.take(now);
        // One that fits now and then does not end it: they come back one by one while the others go on.
        if counted.is_err() && place.told.is_news(now) {
            tracing::warn!(%address, "many requests with wrong API keys come from this address, they are slowed down");
        }
        counted
    }

    /// How long an address with too many failures has to wait; `None` when it does not.
    pub(crate) fn wait(&self, address: IpAddr, now: Timestamp) -> Option<Duration> {
        let place = self.place(address).lock().unwrap_or_else(PoisonError::into_inner);
        // A copy: looking takes nothing.
        place.rate.clone().take(now).err()
    }

    fn place(&self, address: IpAddr) -> &Mutex<Place> {
        let index = self.hasher.hash_one(network(address)) % (PLACES as u64);
        &self.places[usize::try_from(index).unwrap_or_default()]
    }
}

/// What one caller has for sure: an address of IPv4, or a network of IPv6, of which everybody gets a whole one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

impl std::fmt::Debug for Failures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Failures").field("per_minute", &self.per_minute).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
