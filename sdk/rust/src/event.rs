//! The event, as a plugin sees it.

use std::{fmt, sync::Arc};

use bytes::Bytes;

use crate::{ffi::Lease, postman::Payload};

/// Names of the kinds that come from Postman, and of those that the gateway makes of them. More may appear: match with a
/// `_` arm.
pub mod kind {
    /// Result of a monitor's run.
    pub const MONITOR_RUN: &str = "monitor_run";
    /// A whole collection.
    pub const COLLECTION_BACKUP: &str = "collection_backup";
    /// Somebody changed something.
    pub const ACTIVITY: &str = "activity";
    /// A body of no known shape.
    pub const UNRECOGNIZED: &str = "unrecognized";
    /// The gateway opened an incident.
    pub const INCIDENT_OPENED: &str = "incident_opened";
    /// An incident is still open.
    pub const INCIDENT_REMINDER: &str = "incident_reminder";
    /// An incident is over.
    pub const INCIDENT_RESOLVED: &str = "incident_resolved";
    /// Runs of a monitor stay away.
    pub const MONITOR_SILENT: &str = "monitor_silent";
    /// They come again.
    pub const MONITOR_RESUMED: &str = "monitor_resumed";
    /// A collection was not backed up for too long.
    pub const BACKUP_OVERDUE: &str = "backup_overdue";
}

/// What a monitor run says.
///
/// ```
/// use postroom_sdk::Verdict;
///
/// fn colour(verdict: Option<Verdict>) -> &'static str {
///     match verdict {
///         Some(Verdict::Passed) => "green",
///         Some(Verdict::Failed) => "red",
///         Some(Verdict::Unknown) | None => "grey",
///     }
/// }
/// # assert_eq!(colour(Some(Verdict::Failed)), "red");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// No test failed and nothing went wrong.
    Passed,
    /// A test failed or something went wrong.
    Failed,
    /// The run does not say: its counters are missing. Neither open nor resolve anything on this.
    Unknown,
}

impl Verdict {
    /// The name used everywhere: `passed`, `failed`, `unknown`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An accepted webhook body with what the gateway knows about it.
///
/// The memory is the gateway's, and nothing is copied. It is held as long as a clone of the event, or of its
/// [`shared_body`](Event::shared_body), lives: the attempt's end is reported when `deliver` has ended **and** the last
/// of them is gone. So hand clones to what ends with the attempt, such as a blocking task or a request, and do not keep
/// them: an event kept for ever is a delivery that never ends, and the instance cannot be shut down.
///
/// ```
/// use postroom_sdk::{Event, kind};
///
/// fn headline(event: &Event) -> String {
///     let team = event.label("team").unwrap_or("nobody");
///     match event.kind() {
///         kind::MONITOR_RUN => format!("{team}: a run of {}", event.subject().unwrap_or("a monitor")),
///         other => format!("{team}: {other}, {} bytes", event.body().len()),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Event {
    lease: Arc<Lease>,
}

impl Event {
    pub(crate) fn new(lease: Arc<Lease>) -> Self {
        Self { lease }
    }

    /// The event's id: the same in every attempt, so it serves as idempotency key.
    #[must_use]
    pub fn id(&self) -> &str {
        self.lease.text(|event| event.id)
    }

    /// What it is; one of [`kind`] or a kind this version does not know.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.lease.text(|event| event.kind)
    }

    /// The id of the monitor or collection it is about, without owner prefix.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        non_empty(self.lease.text(|event| event.subject))
    }

    /// What a monitor run says; `None` for other kinds.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        match self.lease.text(|event| event.verdict) {
            "" => None,
            "passed" => Some(Verdict::Passed),
            "failed" => Some(Verdict::Failed),
            _ => Some(Verdict::Unknown),
        }
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.lease.event().attempt
    }

    /// When the gateway accepted it, in milliseconds since 1970. Postman sends no time of its own.
    #[must_use]
    pub fn received_unix_ms(&self) -> u64 {
        self.lease.event().received_unix_ms
    }

    /// When this attempt is given up, in milliseconds since 1970.
    #[must_use]
    pub fn deadline_unix_ms(&self) -> u64 {
        self.lease.event().deadline_unix_ms
    }

    /// Name of the source that received it.
    #[must_use]
    pub fn source(&self) -> &str {
        self.lease.text(|event| event.source)
    }

    /// The content type the body came with.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        non_empty(self.lease.text(|event| event.content_type))
    }

    /// Events with the same key come one at a time, in order.
    #[must_use]
    pub fn ordering_key(&self) -> Option<&str> {
        non_empty(self.lease.text(|event| event.ordering_key))
    }

    /// The W3C `traceparent` to pass on.
    #[must_use]
    pub fn trace_parent(&self) -> Option<&str> {
        non_empty(self.lease.text(|event| event.trace_parent))
    }

    /// The event's labels: name and value.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lease.labels()
    }

    /// The value of a label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The body, byte for byte as it was sent.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.lease.body()
    }

    /// The body as a value that can be moved into a request or another task, without a copy.
    ///
    /// A part of it, such as [`CollectionBackup::bytes`](crate::CollectionBackup::bytes), is had by
    /// [`Bytes::slice_ref`]. The attempt ends when the last clone is gone.
    #[must_use]
    pub fn shared_body(&self) -> Bytes {
        Bytes::from_owner(BodyOwner(Arc::clone(&self.lease)))
    }

    /// The body read as what its kind says. Never fails: what cannot be read is [`Payload::Other`].
    #[must_use]
    pub fn payload(&self) -> Payload<'_> {
        Payload::read(self.kind(), self.body())
    }
}

impl fmt::Debug for Event {
    /// Without the body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.id())
            .field("kind", &self.kind())
            .field("attempt", &self.attempt())
            .field("body_bytes", &self.body().len())
            .finish_non_exhaustive()
    }
}

struct BodyOwner(Arc<Lease>);

impl AsRef<[u8]> for BodyOwner {
    fn as_ref(&self) -> &[u8] {
        self.0.body()
    }
}

fn non_empty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
