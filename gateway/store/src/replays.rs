//! Deliveries once more: one that a person picked, or all that match a filter.
//!
//! A delivery, the one that repeats it, the one that repeats that: a chain. Only its newest goes again, and only when it
//! is final, so whoever asks and however often, at most one of a chain waits.

use postroom_core::{
    id::{DeliveryId, DestinationName, ReplayId},
    replay::ReplayState,
    time::Timestamp,
};

use crate::page::DeliveryFilter;

/// What became of the wish to deliver something again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAnswer {
    /// There is a new delivery now, with attempts of its own.
    Made(DeliveryId),
    /// The newest of its chain, which is this one, is not final: it will be tried by itself.
    StillWaiting(DeliveryId),
    /// There is no such delivery.
    Unknown,
}

/// How much a replay would take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Matching {
    /// Deliveries that became final at the moment asked about or before.
    pub count: u64,
    /// Deliveries that are final too, but later by the time they bear: they ended while they were counted, or before the
    /// clock was set back.
    pub later: u64,
    /// When the last of all these became final.
    pub newest: Option<Timestamp>,
}

impl Matching {
    /// Adds a delivery to those that match at the moment `at`.
    pub(crate) fn add(&mut self, finished_at: Timestamp, at: Timestamp) {
        if finished_at <= at {
            self.count += 1;
        } else {
            self.later += 1;
        }
        self.newest = self.newest.max(Some(finished_at));
    }
}

/// A replay to begin.
#[derive(Debug, Clone)]
pub struct NewReplay {
    /// Which deliveries go again. Only final ones that were not repeated yet do, whatever it says.
    pub filter: DeliveryFilter,
    /// The destinations that deliveries can go to; those of any other are left out.
    pub destinations: Vec<DestinationName>,
    /// Deliveries made per second, at least one.
    pub per_second: u32,
    /// How many match now, for people who watch the progress.
    pub count: u64,
    /// Those that become final after this moment are left out.
    pub final_by: Timestamp,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl NewReplay {
    /// The replay as it is when it has just begun.
    pub(crate) fn begun(self, id: ReplayId) -> Replay {
        let Self { filter, destinations, per_second, count, final_by: _, by, at } = self;
        Replay {
            id,
            filter,
            destinations,
            per_second,
            count,
            made: 0,
            state: ReplayState::Running,
            by,
            created_at: at,
            finished_at: None,
        }
    }
}

/// A replay: makes new deliveries of old ones, oldest first.
///
/// It takes the deliveries that were there and final when it was asked for, so it never replays what it made itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Which replay.
    pub id: ReplayId,
    /// Which deliveries go again.
    pub filter: DeliveryFilter,
    /// The destinations that deliveries can go to.
    pub destinations: Vec<DestinationName>,
    /// Deliveries made per second.
    pub per_second: u32,
    /// How many matched when it was asked for. `made` may end below it, by those that were pruned or repeated by someone
    /// else meanwhile. It ends above it only by outcomes that bear an earlier time and were just being committed; or,
    /// when the clock was set back before, by what ended until the old time was reached again.
    pub count: u64,
    /// How many it has made.
    pub made: u64,
    /// Where it stands.
    pub state: ReplayState,
    /// Who asked for it.
    pub by: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was done or cancelled.
    pub finished_at: Option<Timestamp>,
}

/// A replay and what became of the deliveries it made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayDetail {
    /// The replay.
    pub replay: Replay,
    /// Deliveries that are pending or retrying.
    pub waiting: u64,
    /// Deliveries that their destination has.
    pub delivered: u64,
    /// Deliveries given up again.
    pub dead: u64,
    /// Deliveries skipped, superseded or cancelled.
    pub other: u64,
}
