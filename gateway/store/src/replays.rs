//! Deliveries once more: one that a person picked, or all that match a filter.

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
    /// It is not final: it will be tried by itself.
    StillWaiting,
    /// There is no such delivery.
    Unknown,
}

/// A replay to begin.
#[derive(Debug, Clone)]
pub struct NewReplay {
    /// Which deliveries go again. Only final ones do, whatever it says.
    pub filter: DeliveryFilter,
    /// The destinations that deliveries can go to; those of any other are left out.
    pub destinations: Vec<DestinationName>,
    /// Deliveries made per second, at least one.
    pub per_second: u32,
    /// How many match now, for people who watch the progress.
    pub count: u64,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl NewReplay {
    /// The replay as it is when it has just begun.
    pub(crate) fn begun(self, id: ReplayId) -> Replay {
        let Self { filter, destinations, per_second, count, by, at } = self;
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
/// It takes the deliveries that were there when it began, so it never replays what it made itself.
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
    /// How many matched when it began. Those that were still waiting then and are final when their turn comes go too,
    /// and what was pruned meanwhile does not, so `made` may end above or below it.
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
