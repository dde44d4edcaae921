//! What may go, what went, and how much room the rest takes.

use std::collections::BTreeSet;

use postroom_core::{id::DestinationName, time::Timestamp};

/// What to remove in one chunk; what is not set stays.
///
/// An event goes as a whole, with its body and its deliveries, and only when all of these are final. Its age counts
/// from the last thing that happened to it: its acceptance, or the end of one of its deliveries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prune {
    /// Remove events to which nothing happened since, unless one of their deliveries is a dead letter.
    pub events_before: Option<Timestamp>,
    /// Remove events with a dead letter to which nothing happened since.
    pub dead_before: Option<Timestamp>,
    /// Remove idempotency marks from before this moment.
    pub marks_before: Option<Timestamp>,
    /// Remove replays that ended before this moment; the deliveries they made stay.
    pub replays_before: Option<Timestamp>,
    /// Remove plugin state that had expired by this moment.
    pub state_expired_by: Option<Timestamp>,
    /// Remove plugin state of destinations that have not been configured for long.
    pub removed_destinations: Option<RemovedDestinations>,
    /// Remove runs, resolved incidents, and monitors and collections without an open incident that nothing was heard of,
    /// all from before this moment. Runs go in pieces, a piece when all of it is so old.
    pub history_before: Option<Timestamp>,
    /// Remove entries of the audit log from before this moment.
    pub audit_before: Option<Timestamp>,
    /// Remove this many events whatever their age, oldest first, because room is short. Dead letters only go when
    /// nothing else is left. A series of chunks looks at every event once; one without `oldest` begins a new series.
    pub oldest: usize,
    /// Remove at most this many rows of each sort.
    pub limit: usize,
}

/// Which destinations lose what their plugins kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedDestinations {
    /// Those that are configured, which lose nothing.
    pub configured: BTreeSet<DestinationName>,
    /// Now. One that is not configured counts as removed from the first time on that this is said of it, until it is back.
    pub at: Timestamp,
    /// Those that were removed before this moment lose it.
    pub before: Timestamp,
}

/// What a chunk removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Events.
    pub events: u64,
    /// Their deliveries.
    pub deliveries: u64,
    /// Idempotency marks.
    pub marks: u64,
    /// Replays.
    pub replays: u64,
    /// Keys of plugin state.
    pub state_keys: u64,
    /// Pieces of the history of monitors.
    pub run_chunks: u64,
    /// Incidents.
    pub incidents: u64,
    /// Monitors.
    pub monitors: u64,
    /// Collections.
    pub collections: u64,
    /// Entries of the audit log.
    pub audit: u64,
    /// Files of large bodies.
    pub blobs: u64,
    /// What those files took.
    pub blob_bytes: u64,
    /// Whether another chunk with the same bounds may find more.
    pub more: bool,
}

/// How much room the store takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// The part of the database that holds something. What was removed is used again, so the file itself may be larger.
    pub database_bytes: u64,
    /// Large bodies, which are kept as files.
    pub blob_bytes: u64,
}
