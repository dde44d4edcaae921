//! Durable events, deliveries and attempts.
//!
//! [`Store`] is the whole of what the gateway asks of its storage. An accepted event and its deliveries are one
//! transaction, on disk before [`Store::accept`] answers; the outcome of an attempt is on disk before
//! [`Store::record`] answers. Everything that waits can be read back in the order in which it was accepted.

mod access;
mod audit;
mod blob;
mod body;
#[cfg(test)]
mod contract;
mod error;
mod monitors;
mod overview;
pub mod page;
mod plugin_state;
mod records;
mod replays;
mod retention;
mod sqlite;
#[cfg(test)]
mod testing;

use futures_util::future::BoxFuture;
use postroom_core::{
    id::{DeliveryId, DestinationName, EventId, IncidentId, ReplayId},
    lane::{LaneKey, Ticket},
    monitor::{CollectionWatch, Run},
    time::Timestamp,
};
use tokio::sync::watch;

pub use self::{
    access::{Access, KeyRole, KeyUse, StoredKey, UnknownRole},
    audit::{AuditEntry, AuditFilter, AuditOutcome, AuditRecord, AuditVia, UnknownAuditName},
    body::{Body, BodyFile, BodyWriter, KeptBody, NewBody},
    error::{Cause, OpenError, StoreError},
    monitors::{
        Alive, CollectionChange, IncidentFilter, IncidentRecord, IncidentState, LogPart, LoggedEvent,
        MonitorChange, MonitorCounts, MonitorFilter, MonitorRow, RunOrder, RunRange, TIMELINE_ENTRIES_MAX,
        TimelineEntry, TrackChange, TrackerMark,
    },
    overview::{DeadGroup, DeadLetters, Overview, Waits},
    page::{DeliveryFilter, EventFilter, FollowFrom, Followed, MonitorPlace, Page, PageRequest},
    plugin_state::{Expected, StateAnswer, StateBounds, StateChange, StateEntry, StateWrite},
    records::{
        ATTEMPTS_KEPT_MAX, Accepted, AttemptRecord, Committed, DeliveryChange, DeliveryDetail,
        DeliveryOfEvent, DeliveryRecord, EventRecord, FreshDelivery, LastOutcome, LoadedEvent, Mark,
        NewEvent, Pause, WaitingCount,
    },
    replays::{Matching, NewReplay, Replay, ReplayDetail, RetryAnswer},
    retention::{Prune, Pruned, RemovedDestinations, Usage},
    sqlite::{Opened, Options, SqliteStore},
};

/// What the gateway asks of its storage.
///
/// The futures finish only when the change is durable, or say why it is not. They may be dropped: the change then
/// still happens or does not happen as a whole.
pub trait Store: Access + std::fmt::Debug + Send + Sync {
    /// Keeps an event, its body, its mark and its deliveries in one transaction. Answers [`StoreError::Busy`] at once
    /// when too much waits already: the sender can come again.
    ///
    /// When the event's source has sent the same body under the same mark before, nothing is written and the first
    /// event is the answer. Another body under a known mark is an event of its own: its note says so, and the mark
    /// stays with the first.
    fn accept(&self, event: NewEvent) -> BoxFuture<'_, Result<Accepted, StoreError>>;

    /// Begins to take a large body piece by piece, before it is known what it is.
    fn begin_body(&self) -> BoxFuture<'_, Result<Box<dyn BodyWriter>, StoreError>>;

    /// Reads an event's body, byte for byte as it was accepted.
    fn body(&self, id: EventId) -> BoxFuture<'_, Result<Option<Body>, StoreError>>;

    /// Reads events together with their small bodies, as they are at one moment. It stops before the bodies take more
    /// than `bytes_max` in memory, but gives at least the first. What is missing,
    /// cannot be read or comes after that is left out: asked for alone it says why.
    fn load(
        &self,
        events: Vec<EventId>,
        bytes_max: usize,
    ) -> BoxFuture<'_, Result<Vec<LoadedEvent>, StoreError>>;

    /// Keeps what became of deliveries, all of `changes` in one transaction. Waits for its turn however much waits
    /// already: an outcome cannot be had again.
    fn record(&self, changes: Vec<DeliveryChange>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Reads waiting deliveries of one destination after `after` in the order of their ids, at most `limit`: every one
    /// that is durable by now, so also every one that the feed has told of. What is left out counts as done.
    fn waiting(
        &self,
        destination: DestinationName,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Ticket>, StoreError>>;

    /// Reads waiting deliveries of one lane after `after` in the order of their ids, at most `limit`, as [`Store::waiting`].
    fn waiting_in_lane(
        &self,
        lane: LaneKey,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Ticket>, StoreError>>;

    /// Counts what waits, per destination.
    fn waiting_counts(&self) -> BoxFuture<'_, Result<Vec<WaitingCount>, StoreError>>;

    /// Makes a new delivery of the newest one in the chain of `id`, if that is final: the same event, destination, route
    /// and lane, and no attempts yet. It goes to the feed like a delivery of a new event.
    fn retry(&self, id: DeliveryId, at: Timestamp) -> BoxFuture<'_, Result<RetryAnswer, StoreError>>;

    /// Counts what a replay that is asked for `at` this moment would take: final deliveries that match, go to one of
    /// `destinations`, and were not repeated yet. It looks at them in pieces, so what changes meanwhile may be counted or
    /// not.
    fn count(
        &self,
        filter: DeliveryFilter,
        destinations: Vec<DestinationName>,
        at: Timestamp,
    ) -> BoxFuture<'_, Result<Matching, StoreError>>;

    /// Keeps the wish to replay; [`Store::advance_replay`] makes the deliveries.
    fn begin_replay(&self, new: NewReplay) -> BoxFuture<'_, Result<Replay, StoreError>>;

    /// Makes the next deliveries of a running replay, at most `limit`, and remembers how far it came, in one
    /// transaction. They go to the feed. May make fewer, even none, before the replay is done: it looks at a bounded
    /// number of deliveries. `None`: there is no such replay. One that is not running is given as it is.
    fn advance_replay(
        &self,
        id: ReplayId,
        limit: usize,
        at: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Replay>, StoreError>>;

    /// Ends a running replay; the deliveries it made stay. `None`: there is no such replay.
    fn cancel_replay(&self, id: ReplayId, at: Timestamp)
    -> BoxFuture<'_, Result<Option<Replay>, StoreError>>;

    /// Reads one replay and counts what became of its deliveries.
    fn replay(&self, id: ReplayId) -> BoxFuture<'_, Result<Option<ReplayDetail>, StoreError>>;

    /// Lists replays, newest first.
    fn replays(&self, page: PageRequest) -> BoxFuture<'_, Result<Page<Replay>, StoreError>>;

    /// Reads the replays that are not at their end, oldest first.
    fn running_replays(&self) -> BoxFuture<'_, Result<Vec<Replay>, StoreError>>;

    /// Keeps that a person has paused a destination, or with `None` that it was resumed.
    fn set_pause(
        &self,
        destination: DestinationName,
        pause: Option<Pause>,
    ) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Reads which destinations a person has paused, by name.
    fn pauses(&self) -> BoxFuture<'_, Result<Vec<(DestinationName, Pause)>, StoreError>>;

    /// Reads what a destination's plugin keeps under `key`, unless it has expired by `at`.
    fn plugin_state(
        &self,
        destination: DestinationName,
        key: String,
        at: Timestamp,
    ) -> BoxFuture<'_, Result<Option<StateEntry>, StoreError>>;

    /// Lists the keys of a destination's plugin that begin with `prefix` and have not expired by `at`, in the order of
    /// their bytes. `None`: together they take more than `bytes_max` bytes.
    fn plugin_state_keys(
        &self,
        destination: DestinationName,
        prefix: String,
        at: Timestamp,
        bytes_max: usize,
    ) -> BoxFuture<'_, Result<Option<Vec<String>>, StoreError>>;

    /// Carries out one write to a destination's plugin state. Waits for its turn however much waits already.
    fn write_plugin_state(&self, write: StateWrite) -> BoxFuture<'_, Result<StateAnswer, StoreError>>;

    /// Removes one chunk of what is old. What waits never goes. The file of a large body goes only after the removal
    /// of the last event that names it is durable.
    fn prune(&self, prune: Prune) -> BoxFuture<'_, Result<Pruned, StoreError>>;

    /// Says how much room the store takes.
    fn usage(&self) -> BoxFuture<'_, Result<Usage, StoreError>>;

    /// Says what came in until `at`, and what waits.
    fn overview(&self, at: Timestamp) -> BoxFuture<'_, Result<Overview, StoreError>>;

    /// Groups the dead letters that were not done again; a bounded number of them, the newest.
    fn dead_letters(&self) -> BoxFuture<'_, Result<DeadLetters, StoreError>>;

    /// Reads an event without its body.
    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<EventRecord>, StoreError>>;

    /// Lists events, newest first.
    fn events(
        &self,
        filter: EventFilter,
        page: PageRequest,
    ) -> BoxFuture<'_, Result<Page<EventRecord>, StoreError>>;

    /// Gives events in the order in which they were accepted, at most `limit`.
    fn events_from(
        &self,
        filter: EventFilter,
        from: FollowFrom,
        limit: usize,
    ) -> BoxFuture<'_, Result<Followed<EventRecord>, StoreError>>;

    /// Gives deliveries in the order in which they were made, each as it stands now, at most `limit`.
    fn deliveries_from(
        &self,
        filter: DeliveryFilter,
        from: FollowFrom,
        limit: usize,
    ) -> BoxFuture<'_, Result<Followed<DeliveryRecord>, StoreError>>;

    /// Lists deliveries, newest first.
    fn deliveries(
        &self,
        filter: DeliveryFilter,
        page: PageRequest,
    ) -> BoxFuture<'_, Result<Page<DeliveryRecord>, StoreError>>;

    /// Reads one delivery with its attempts.
    fn delivery(&self, id: DeliveryId) -> BoxFuture<'_, Result<Option<DeliveryDetail>, StoreError>>;

    /// Says how far the log of events was followed. It waits until all that was written before is durable or taken back.
    /// So whoever was refused a change begins here, and what it reads then is what there is.
    fn tracker(&self) -> BoxFuture<'_, Result<TrackerMark, StoreError>>;

    /// Reads the log of events after `position`: at most `limit` monitor runs and backups, and other events are passed
    /// over. May give fewer, even none, before the end: it looks at a bounded number of events. Gives nothing that a
    /// crash could take back.
    fn log_after(&self, position: i64, limit: usize) -> BoxFuture<'_, Result<LogPart, StoreError>>;

    /// Reads the log of events after `position`, whatever their kind: at most `limit`, without their bodies. Gives nothing that
    /// a crash could take back.
    fn events_after(&self, position: i64, limit: usize) -> BoxFuture<'_, Result<LogPart, StoreError>>;

    /// Reads those of the deliveries that there are, each with what its event is.
    fn deliveries_by_id(
        &self,
        ids: Vec<DeliveryId>,
    ) -> BoxFuture<'_, Result<Vec<DeliveryOfEvent>, StoreError>>;

    /// Follows the number of the newest event that is durable. What it has told, [`Store::log_after`] gives.
    fn log_end(&self) -> watch::Receiver<i64>;

    /// Keeps what following the log has come to, in one transaction. Waits for its turn however much waits already.
    ///
    /// Refused, it may have happened all the same, as a whole: [`Store::tracker`] says whether it did.
    fn track(&self, change: TrackChange) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Reads those of the monitors that are known.
    fn monitors_by_uid(&self, uids: Vec<String>) -> BoxFuture<'_, Result<Vec<MonitorRow>, StoreError>>;

    /// Reads monitors that are due by `until`, the earliest first, at most `limit`.
    fn monitors_due(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<MonitorRow>, StoreError>>;

    /// Lists monitors by their ids: those behind `after`, at most `limit`. Unlike [`Store::monitors`] this leaves none out
    /// when one is renamed or removed meanwhile.
    fn monitors_after(
        &self,
        after: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<MonitorRow>, StoreError>>;

    /// Reads those of the collections that are known.
    fn collections_by_uid(
        &self,
        uids: Vec<String>,
    ) -> BoxFuture<'_, Result<Vec<CollectionWatch>, StoreError>>;

    /// Reads collections that are due by `until`, the earliest first, at most `limit`.
    fn collections_due(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<CollectionChange>, StoreError>>;

    /// Lists collections by their ids: those behind `after`, at most `limit`.
    fn collections(
        &self,
        after: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<CollectionChange>, StoreError>>;

    /// Lists monitors by name.
    fn monitors(
        &self,
        filter: MonitorFilter,
        page: PageRequest<MonitorPlace>,
    ) -> BoxFuture<'_, Result<Page<MonitorRow, MonitorPlace>, StoreError>>;

    /// Counts monitors.
    fn monitor_counts(&self) -> BoxFuture<'_, Result<MonitorCounts, StoreError>>;

    /// Reads one monitor.
    fn monitor(&self, uid: String) -> BoxFuture<'_, Result<Option<MonitorRow>, StoreError>>;

    /// Reads runs of a monitor, by the time at which they were accepted.
    fn runs(&self, uid: String, range: RunRange) -> BoxFuture<'_, Result<Vec<Run>, StoreError>>;

    /// Lists incidents, newest first.
    fn incidents(
        &self,
        filter: IncidentFilter,
        page: PageRequest,
    ) -> BoxFuture<'_, Result<Page<IncidentRecord>, StoreError>>;

    /// Reads one incident.
    fn incident(&self, id: IncidentId) -> BoxFuture<'_, Result<Option<IncidentRecord>, StoreError>>;

    /// Says whether the store can be read and written right now.
    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>>;
}
