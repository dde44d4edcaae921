//! Durable events, deliveries and attempts.
//!
//! [`Store`] is the whole of what the gateway asks of its storage. An accepted event and its deliveries are one
//! transaction, on disk before [`Store::accept`] answers; the outcome of an attempt is on disk before
//! [`Store::record`] answers. Everything that waits can be read back in the order in which it was accepted.

mod blob;
#[cfg(test)]
mod contract;
mod error;
pub mod page;
mod records;
mod sqlite;
#[cfg(test)]
mod testing;

use futures_util::future::BoxFuture;
use postroom_core::{
    id::{DeliveryId, EventId},
    lane::{LaneKey, Ticket},
};

pub use self::{
    error::{Cause, OpenError, StoreError},
    page::{DeliveryFilter, EventFilter, Page, PageRequest},
    records::{
        ATTEMPTS_KEPT_MAX, Accepted, AttemptRecord, Committed, DeliveryChange, DeliveryDetail,
        DeliveryRecord, EventRecord, FreshDelivery, LastOutcome, NewEvent, WaitingCount,
    },
    sqlite::{Opened, Options, SqliteStore},
};

/// What the gateway asks of its storage.
///
/// The futures finish only when the change is durable, or say why it is not. They may be dropped: the change then
/// still happens or does not happen as a whole.
pub trait Store: std::fmt::Debug + Send + Sync {
    /// Keeps an event, its body and its deliveries in one transaction. Answers [`StoreError::Busy`] at once when too
    /// much waits already: the sender can come again.
    fn accept(&self, event: NewEvent) -> BoxFuture<'_, Result<Accepted, StoreError>>;

    /// Keeps what became of deliveries, all of `changes` in one transaction. Waits for its turn however much waits
    /// already: an outcome cannot be had again.
    fn record(&self, changes: Vec<DeliveryChange>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Reads waiting deliveries of all lanes after `after` in the order of their ids, at most `limit`.
    fn waiting(
        &self,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Ticket>, StoreError>>;

    /// Reads waiting deliveries of one lane after `after` in the order of their ids, at most `limit`.
    fn waiting_in_lane(
        &self,
        lane: LaneKey,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Ticket>, StoreError>>;

    /// Counts what waits, per destination.
    fn waiting_counts(&self) -> BoxFuture<'_, Result<Vec<WaitingCount>, StoreError>>;

    /// Reads an event without its body.
    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<EventRecord>, StoreError>>;

    /// Reads an event's body, byte for byte as it was accepted.
    fn body(&self, id: EventId) -> BoxFuture<'_, Result<Option<bytes::Bytes>, StoreError>>;

    /// Lists events, newest first.
    fn events(
        &self,
        filter: EventFilter,
        page: PageRequest,
    ) -> BoxFuture<'_, Result<Page<EventRecord>, StoreError>>;

    /// Lists deliveries, newest first.
    fn deliveries(
        &self,
        filter: DeliveryFilter,
        page: PageRequest,
    ) -> BoxFuture<'_, Result<Page<DeliveryRecord>, StoreError>>;

    /// Reads one delivery with its attempts.
    fn delivery(&self, id: DeliveryId) -> BoxFuture<'_, Result<Option<DeliveryDetail>, StoreError>>;

    /// Says whether the store can be read and written right now.
    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>>;
}
