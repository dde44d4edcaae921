//! The log of events, as readers read it who come back.

use std::sync::Arc;

use postroom_openapi::stream::Change;
use postroom_store::{EventRecord, LogPart, LoggedEvent, Store, StoreError};
use tokio::sync::watch;

use super::super::wire::{self, Depth};

/// A part of the log.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// Events in order of acceptance, each with its number.
    pub(super) events: Vec<(i64, Change)>,
    /// The last number that was looked at.
    pub(super) last: i64,
    /// Numbers up to the last under which there is no event any more.
    pub(super) missing: u64,
}

/// What is durable, in order.
pub(crate) trait Log: Send + Sync + 'static {
    /// At most `limit` events after `position`.
    fn after(&self, position: i64, limit: usize) -> impl Future<Output = Result<Part, StoreError>> + Send;

    /// The id of the event with this number.
    fn id(&self, number: i64) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;

    /// The number of the newest event.
    fn end(&self) -> i64;
}

/// The log of the store.
#[derive(Debug, Clone)]
pub(crate) struct EventLog {
    store: Arc<dyn Store>,
    end: watch::Receiver<i64>,
}

impl EventLog {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        let end = store.log_end();
        Self { store, end }
    }

    /// Follows the number of the newest event.
    pub(super) fn ends(&self) -> watch::Receiver<i64> {
        self.end.clone()
    }
}

impl Log for EventLog {
    async fn after(&self, position: i64, limit: usize) -> Result<Part, StoreError> {
        let LogPart { events, last, missing } = self.store.events_after(position, limit).await?;
        Ok(Part { events: events.into_iter().map(change).collect(), last, missing })
    }

    async fn id(&self, number: i64) -> Result<Option<String>, StoreError> {
        let part = self.store.events_after(number - 1, 1).await?;
        let found = part.events.into_iter().find(|logged| logged.seq == number);
        Ok(found.map(|logged| logged.event.id.to_string()))
    }

    fn end(&self) -> i64 {
        *self.end.borrow()
    }
}

fn change(logged: LoggedEvent) -> (i64, Change) {
    let LoggedEvent { seq, event, .. } = logged;
    let record = EventRecord { event, explanations: Vec::new(), deliveries: Vec::new() };
    (seq, Change::event(&wire::event(record, Depth::Listed)))
}
