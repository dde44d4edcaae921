//! Postman's bodies as types, read by the same rules as the gateway reads them.
//!
//! Lenient on purpose: Postman's spellings differ, numbers may be strings, unknown fields are passed over, and a
//! repeated key counts with its last value, as in JavaScript's `JSON.parse`. Texts are cut to 1024 bytes.

mod activity;
mod collection;
mod fields;
mod id;
mod monitor_run;

pub use self::{activity::Activity, collection::CollectionBackup, monitor_run::MonitorRun};
use crate::event::kind;

/// A body as a type.
///
/// ```
/// use postroom_sdk::{Event, Payload};
///
/// fn sentence(event: &Event) -> String {
///     match event.payload() {
///         Payload::MonitorRun(run) => format!("{} tests failed", run.failed_tests.unwrap_or(0)),
///         Payload::CollectionBackup(backup) => format!("{} bytes to keep", backup.bytes().len()),
///         Payload::Activity(activity) => activity.message.unwrap_or_default(),
///         _ => format!("a {}", event.kind()),
///     }
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Payload<'a> {
    /// Result of a monitor's run.
    MonitorRun(MonitorRun),
    /// A whole collection.
    CollectionBackup(CollectionBackup<'a>),
    /// Somebody changed something.
    Activity(Activity),
    /// Anything else; the bytes are in [`Event::body`](crate::Event::body).
    Other,
}

impl<'a> Payload<'a> {
    pub(crate) fn read(kind: &str, body: &'a [u8]) -> Self {
        let payload = match kind {
            kind::MONITOR_RUN => MonitorRun::read(body).map(Self::MonitorRun),
            kind::COLLECTION_BACKUP => CollectionBackup::read(body).map(Self::CollectionBackup),
            kind::ACTIVITY => Activity::read(body).map(Self::Activity),
            _ => None,
        };
        payload.unwrap_or(Self::Other)
    }
}

#[cfg(test)]
mod tests;
