//! What of a destination's waiting deliveries has been seen, and what to read next.
//!
//! Two readings go through the store in order of the ids. The *tail* brings what no [`add`] has brought: everything at
//! the start, later what the feed left out or memory had no room for. While there is such a rest, the destination is
//! behind, and what arrives waits for the tail too, so that no lane is overtaken.
//!
//! The *sweep* begins again at the first delivery. Memory has room for the lanes that may go; when it is full, lanes
//! that wait for a distant retry leave it and are [`Outside`]. A sweep finds those whose time has come. Without it
//! they would be forgotten, and with them in memory thousands of broken lanes would shut out the healthy ones.
//!
//! [`add`]: super::Lanes::add

use std::time::Duration;

use super::outside::Outside;
use crate::{id::DeliveryId, time::Timestamp};

/// Lanes outside are looked for at least this often: a healthy one may have been taken for one of them.
const SWEEP_WAIT_MAX: Duration = Duration::from_secs(60);
/// ... and at most this often.
const SWEEP_WAIT_MIN: Duration = Duration::from_secs(1);
/// What a sweep waits for every delivery that the last one read: about ten times what it costs the store.
const SWEEP_WAIT_EACH: Duration = Duration::from_micros(20);

#[derive(Debug)]
pub(super) struct Reading {
    /// Every waiting delivery up to this one is in memory, behind one of its lane that is, or in a lane outside.
    seen: Option<DeliveryId>,
    /// The newest delivery known of.
    newest: Option<DeliveryId>,
    /// The tail has been at the end of the store.
    at_end_once: bool,
    under_way: Option<UnderWay>,
    outside: Outside,
    sweep: Option<Sweep>,
    /// When the last sweep ended, or the first lane was left outside.
    swept_at: Timestamp,
    /// What the last sweep read sets the wait before the next.
    sweep_wait: Duration,
    /// The remote side is well again: the next sweep cuts waits short.
    hurry: bool,
    /// Tail and sweep go by turns.
    sweep_next: bool,
}

/// A read that has not been answered.
#[derive(Debug, Clone, Copy)]
pub(super) enum UnderWay {
    /// With the newest delivery known of when it was asked for: the answer covers that.
    Tail(Option<DeliveryId>),
    Sweep,
}

#[derive(Debug)]
struct Sweep {
    after: Option<DeliveryId>,
    /// The lanes that this sweep leaves outside.
    left: Outside,
    read: u32,
    hurry: bool,
}

impl Reading {
    pub(super) fn new(filter_bits: usize) -> Self {
        Self {
            seen: None,
            newest: None,
            at_end_once: false,
            under_way: None,
            outside: Outside::new(filter_bits),
            sweep: None,
            swept_at: Timestamp::EPOCH,
            sweep_wait: SWEEP_WAIT_MIN,
            hurry: false,
            sweep_next: false,
        }
    }

    pub(super) fn seen(&self) -> Option<DeliveryId> {
        self.seen
    }

    pub(super) fn has_seen(&self, id: DeliveryId) -> bool {
        Some(id) <= self.seen
    }

    /// Says that `id` and all before it are accounted for.
    pub(super) fn saw(&mut self, id: DeliveryId) {
        self.seen = self.seen.max(Some(id));
        self.newest = self.newest.max(self.seen);
    }

    /// Says that the store has `id`.
    pub(super) fn note(&mut self, id: DeliveryId) {
        self.newest = self.newest.max(Some(id));
    }

    pub(super) fn has_heard_of(&self, id: DeliveryId) -> bool {
        Some(id) <= self.newest
    }

    /// Whether the store has what has not been seen.
    pub(super) fn is_behind(&self) -> bool {
        !self.at_end_once || self.newest > self.seen
    }

    /// Whether lanes may be outside.
    pub(super) fn has_outside(&self) -> bool {
        self.outside.due().is_some()
    }

    pub(super) fn may_be_outside(&self, key: &str) -> bool {
        self.outside.may_have(key)
    }

    /// Says that a lane with deliveries up to [`Reading::seen`] is not in memory.
    pub(super) fn leave_outside(&mut self, key: &str, due: Timestamp, now: Timestamp) {
        if !self.has_outside() {
            self.swept_at = now;
        }
        self.outside.insert(key, due);
        if let Some(sweep) = &mut self.sweep {
            sweep.left.insert(key, due);
        }
    }

    /// Whether there is something to read, and nothing is being read.
    pub(super) fn is_wanting(&self, now: Timestamp) -> bool {
        self.under_way.is_none() && (self.is_behind() || self.wants_sweep(now))
    }

    fn wants_sweep(&self, now: Timestamp) -> bool {
        self.sweep.is_some() || self.sweep_at().is_some_and(|at| at <= now)
    }

    /// When the next sweep begins.
    pub(super) fn sweep_at(&self) -> Option<Timestamp> {
        let due = self.outside.due().filter(|_| self.sweep.is_none())?;
        let latest = if self.hurry { self.swept_at } else { self.swept_at.plus(SWEEP_WAIT_MAX) };
        Some(due.min(latest).max(self.swept_at.plus(self.sweep_wait)))
    }

    /// Begins the next read, if there is one to begin: gives the delivery after which.
    pub(super) fn begin(&mut self, now: Timestamp) -> Option<Option<DeliveryId>> {
        if !self.is_wanting(now) {
            return None;
        }
        let sweep = self.wants_sweep(now) && (self.sweep_next || !self.is_behind());
        self.sweep_next = !sweep;
        if !sweep {
            self.under_way = Some(UnderWay::Tail(self.newest));
            return Some(self.seen);
        }
        self.under_way = Some(UnderWay::Sweep);
        Some(
            self.sweep
                .get_or_insert_with(|| {
                    let hurry = std::mem::take(&mut self.hurry);
                    Sweep { after: None, left: self.outside.next(), read: 0, hurry }
                })
                .after,
        )
    }

    pub(super) fn is_sweep_under_way(&self) -> bool {
        matches!(self.under_way, Some(UnderWay::Sweep))
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Takes the read that is answered.
    pub(super) fn answered(&mut self) -> Option<UnderWay> {
        self.under_way.take()
    }

    /// Says that the tail has come to the end, and had begun with `newest` known of.
    pub(super) fn tail_ended(&mut self, newest: Option<DeliveryId>) {
        self.at_end_once = true;
        self.seen = self.seen.max(newest);
    }

    /// Says that the sweep has come to `id`. Gives whether its lane is one that it leaves outside.
    pub(super) fn sweeps_past(&mut self, id: DeliveryId, key: &str) -> bool {
        self.sweep.as_mut().is_some_and(|sweep| {
            sweep.after = Some(id);
            sweep.read = sweep.read.saturating_add(1);
            sweep.left.may_have(key)
        })
    }

    /// Whether the sweep cuts waits short.
    pub(super) fn sweep_hurries(&self) -> bool {
        self.sweep.as_ref().is_some_and(|sweep| sweep.hurry)
    }

    pub(super) fn sweep_ended(&mut self, now: Timestamp) {
        if let Some(sweep) = self.sweep.take() {
            self.outside = sweep.left;
            self.swept_at = now;
            self.sweep_wait = (SWEEP_WAIT_EACH * sweep.read).max(SWEEP_WAIT_MIN);
        }
    }

    /// Makes lanes outside due soon, whatever they wait for.
    pub(super) fn hurry(&mut self) {
        self.hurry = self.has_outside();
    }

    #[cfg(test)]
    pub(super) fn hurries(&self) -> bool {
        self.hurry || self.sweep_hurries()
    }
}
