//! How many events plugins may make, and how large: the store is everybody's.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use postroom_core::{id::DestinationName, limits, rate::RateLimit, time::Timestamp};
use postroom_host::Emission;

const MIB: u64 = 1024 * 1024;
/// Events a second of one destination, and how many at once: two deliveries that make as many as they may.
const EVENTS: Refill = Refill { per_second: 50, at_once: 200 };
/// Their bytes.
const BYTES: Refill = Refill { per_second: 4 * MIB, at_once: 8 * MIB };
/// What an event takes beside what the plugin has put in, in bytes.
const OVERHEAD_BYTES: u64 = 512;

/// The rates of all destinations, by name, so that neither a restart nor a reload gives a plugin more. One lasts as long as
/// somebody has it, which is as long as the destination is configured.
#[derive(Debug, Clone, Default)]
pub(crate) struct EmitRates(Arc<Mutex<HashMap<DestinationName, Weak<Mutex<Rate>>>>>);

impl EmitRates {
    /// The rate of a destination, which all plugins that ever run for it share.
    pub(crate) fn of(&self, destination: &DestinationName) -> EmitRate {
        let mut rates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rates.retain(|_, rate| rate.strong_count() > 0);
        if let Some(rate) = rates.get(destination).and_then(Weak::upgrade) {
            return EmitRate(rate);
        }
        let rate = EmitRate::default();
        rates.insert(destination.clone(), Arc::downgrade(&rate.0));
        rate
    }
}

/// How many events the plugin of one destination may make.
#[derive(Clone)]
pub(crate) struct EmitRate(Arc<Mutex<Rate>>);

struct Rate {
    /// Of events that are made outside of deliveries.
    loose: RateLimit,
    events: Bucket,
    bytes: Bucket,
}

/// Why there is no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooFast {
    #[error("it makes too many outside of deliveries")]
    Loose,
    #[error("it makes too many at once")]
    Events,
    #[error("it makes too many bytes at once")]
    Bytes,
}

impl EmitRate {
    /// Takes a permit for an event.
    pub(super) fn take(&self, emission: &Emission, now: Timestamp) -> Result<(), TooFast> {
        let mut rate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rate.events.refill(now);
        rate.bytes.refill(now);
        if !rate.events.has(1) {
            return Err(TooFast::Events);
        }
        let bytes = cost(emission);
        if !rate.bytes.has(bytes) {
            return Err(TooFast::Bytes);
        }
        // The last to be asked, since what it gives it does not take back.
        if emission.origin.is_none() {
            rate.loose.take(now).map_err(|_| TooFast::Loose)?;
        }
        rate.events.take(1);
        rate.bytes.take(bytes);
        Ok(())
    }

    /// Gives the bytes of an event back that was there before: a delivery that comes again gets further each time.
    pub(super) fn give_back(&self, bytes: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes.give_back(bytes);
    }
}

impl Default for EmitRate {
    fn default() -> Self {
        let loose = RateLimit::per_second(limits::EMITS_PER_SECOND);
        Self(Arc::new(Mutex::new(Rate { loose, events: Bucket::new(EVENTS), bytes: Bucket::new(BYTES) })))
    }
}

impl fmt::Debug for EmitRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmitRate").finish_non_exhaustive()
    }
}

/// What an event counts, in bytes. The largest one is far below what goes at once.
pub(super) fn cost(emission: &Emission) -> u64 {
    let some = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let Emission { subject, ordering_key, content_type, key, labels, body, .. } = emission;
    let labels: usize = labels.iter().map(|(name, value)| name.len() + value.len()).sum();
    let texts = some(subject) + some(ordering_key) + some(content_type) + some(key) + labels;
    (texts + body.len()) as u64 + OVERHEAD_BYTES
}

/// How a bucket fills up.
#[derive(Debug, Clone, Copy)]
struct Refill {
    per_second: u64,
    at_once: u64,
}

/// A bucket that refills steadily.
#[derive(Debug)]
struct Bucket {
    refill: Refill,
    /// In thousandths, so that a millisecond brings a whole number of them.
    left: u64,
    at: Timestamp,
}

impl Bucket {
    fn new(refill: Refill) -> Self {
        Self { refill, left: refill.at_once * 1_000, at: Timestamp::from_unix_ms(0) }
    }

    /// A clock that jumped back brings nothing, and from there on as much as ever.
    fn refill(&mut self, now: Timestamp) {
        let elapsed_ms = u64::try_from(self.at.until(now).as_millis()).unwrap_or(u64::MAX);
        self.at = now;
        self.add(elapsed_ms.saturating_mul(self.refill.per_second));
    }

    fn has(&self, amount: u64) -> bool {
        self.left >= amount * 1_000
    }

    fn take(&mut self, amount: u64) {
        self.left = self.left.saturating_sub(amount * 1_000);
    }

    fn give_back(&mut self, amount: u64) {
        self.add(amount * 1_000);
    }

    fn add(&mut self, thousandths: u64) {
        self.left = self.left.saturating_add(thousandths).min(self.refill.at_once * 1_000);
    }
}
