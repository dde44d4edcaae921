//! The way in: authenticate, recognise, route, keep.

mod emitted;
mod made;
mod mark;
mod recognise;
mod refusals;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use postroom_core::{
    event::{Event, Kind},
    id::EventId,
    route::{self, Decision, Route},
};
use postroom_store::{BodyWriter, NewBody, NewEvent, Store, StoreError};
use uuid::{NoContext, Uuid};

pub(crate) use self::made::Made;
use self::refusals::Refusals;
pub use self::{
    emitted::{Emitted, emit_source, emitting_destination},
    made::tracker_source,
};
use crate::{Clock, Metrics, Source, Sources};

/// How long a caller is asked to wait when the store cannot take more.
const STORE_RETRY_AFTER: Duration = Duration::from_secs(5);

/// Takes events in. Cheap to share.
#[derive(Debug)]
pub struct Intake {
    rules: RwLock<Arc<Rules>>,
    store: Arc<dyn Store>,
    clock: Clock,
    metrics: Metrics,
    refusals: Refusals,
    /// The id of what the gateway itself made last.
    made_last: Mutex<EventId>,
}

/// What the configuration says about the way in.
#[derive(Debug)]
struct Rules {
    sources: Sources,
    routes: Vec<Route>,
}

/// A caller that may send: what [`Intake::admit`] gives and [`Intake::accept`] takes.
#[derive(Debug, Clone)]
pub struct Admission(Arc<Source>);

impl Admission {
    /// Largest body this caller may send.
    #[must_use]
    pub fn body_bytes_max(&self) -> u64 {
        self.0.body_bytes_max
    }
}

/// What an admitted caller has sent.
#[derive(Debug)]
pub struct Incoming {
    /// The body, as it is kept.
    pub body: NewBody,
    /// The request's Content-Type, as sent.
    pub content_type: Option<String>,
    /// Labels that the request adds.
    pub labels: BTreeMap<String, String>,
    /// What was left out of the request, if anything was.
    pub note: Option<String>,
    /// Names the event among those of its source, so that a second sending is known as one. One that is empty or
    /// longer than [`limits::IDEMPOTENCY_KEY_BYTES_MAX`] is left out, and the event's note says so.
    ///
    /// [`limits::IDEMPOTENCY_KEY_BYTES_MAX`]: postroom_core::limits::IDEMPOTENCY_KEY_BYTES_MAX
    pub idempotency_key: Option<String>,
}

/// An event that is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its id.
    pub event: EventId,
    /// What it is.
    pub kind: Kind,
    /// To how many destinations it goes.
    pub deliveries: usize,
    /// It was sent before under the same idempotency key: this is the first event, and nothing was kept again.
    pub repeated: bool,
}

/// Why nothing was kept.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// No token, a wrong one, or no such source; which of them is not said.
    #[error("the token is missing or wrong, or there is no such source")]
    Unauthorized,
    /// The source sends more than it may.
    #[error("the source sends more requests than it may")]
    TooManyRequests {
        /// When the next request would be taken.
        retry_after: Duration,
    },
    /// The store cannot commit, or too much waits for it.
    #[error("the event could not be stored")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
        /// What the store said.
        #[source]
        source: StoreError,
    },
}

impl Intake {
    /// Takes what the configuration says about sources and routes.
    #[must_use]
    pub fn new(
        sources: Sources,
        routes: Vec<Route>,
        store: Arc<dyn Store>,
        clock: Clock,
        metrics: Metrics,
    ) -> Self {
        let rules = RwLock::new(Arc::new(Rules { sources, routes }));
        let made_last = Mutex::new(EventId::new(Uuid::nil()));
        Self { rules, store, clock, metrics, refusals: Refusals::default(), made_last }
    }

    /// Goes on with other sources and routes. Rate limits that stay the same have counted what came in before. A caller that
    /// is in already stays in; its event is routed by the routes of the moment at which it is whole.
    pub fn put(&self, sources: Sources, routes: Vec<Route>) {
        let mut rules = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        let sources = sources.after(&rules.sources);
        *rules = Arc::new(Rules { sources, routes });
    }

    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets a caller in by the source's name and the token it presented. Nothing of the body is needed for it. Needs a
    /// runtime: who is turned away is told in the log.
    ///
    /// # Errors
    /// [`IntakeError::Unauthorized`] or [`IntakeError::TooManyRequests`].
    pub fn admit(&self, source: &str, token: Option<&str>) -> Result<Admission, IntakeError> {
        // A missing token is compared too: it must not answer faster than a wrong one.
        let Some(source) = self.rules().sources.authenticate(source, token.unwrap_or_default()) else {
            self.refusals.tell(None, "its token is missing or wrong, or there is no such source");
            return Err(IntakeError::Unauthorized);
        };
        source.take_permit(self.clock.now()).map_err(|retry_after| {
            self.refusals.tell(Some(&source.name), "the source sends more requests than it may");
            IntakeError::TooManyRequests { retry_after }
        })?;
        Ok(Admission(source))
    }

    /// Says in the log why the body of an admitted caller was not taken; the same reason again and again is counted.
    /// `reason` is one of a few sentences and holds nothing that the caller wrote. Needs a runtime.
    pub fn refused(&self, admission: &Admission, reason: &str) {
        self.refusals.tell(Some(&admission.0.name), reason);
    }

    /// Begins to take a body that is too large for memory, piece by piece.
    ///
    /// # Errors
    /// [`IntakeError::Unavailable`], as every step of the writer may answer a [`StoreError`].
    pub async fn begin_body(&self) -> Result<Box<dyn BodyWriter>, IntakeError> {
        self.store.begin_body().await.map_err(|error| self.unavailable(error))
    }

    /// Keeps what an admitted caller sent, whatever it is, and answers when it is on disk.
    ///
    /// # Errors
    /// [`IntakeError::Unavailable`]: nothing was kept.
    pub async fn accept(&self, admission: Admission, incoming: Incoming) -> Result<Receipt, IntakeError> {
        let source = &admission.0;
        let Incoming { body, content_type, labels, note, idempotency_key } = incoming;
        let (mark, left_out) = mark::of(idempotency_key, &body);
        let note = joined(note, left_out);
        let event = self.event(source, &body, content_type, labels, note).await?;
        let decision = self.decide(&event);
        let new = NewEvent {
            event: Arc::new(event),
            body,
            targets: decision.targets,
            explanations: decision.explanations,
            mark,
        };
        self.keep(new).await
    }

    /// Where an event goes by the routes in force.
    fn decide(&self, event: &Event) -> Decision {
        route::decide(&self.rules().routes, event)
    }

    /// Keeps an event and counts it.
    async fn keep(&self, new: NewEvent) -> Result<Receipt, IntakeError> {
        let source = new.event.source.clone();
        let accepted = self.store.accept(new).await.map_err(|error| self.unavailable(error))?;
        let receipt = Receipt {
            event: accepted.event,
            kind: accepted.kind,
            deliveries: accepted.deliveries.len(),
            repeated: accepted.repeated,
        };
        if receipt.repeated {
            self.metrics.repeated(&source);
        } else {
            self.metrics.accepted(&source, receipt.kind);
        }
        let Receipt { event, kind, deliveries, repeated } = receipt;
        tracing::debug!(%event, %kind, %source, deliveries, repeated, "event accepted");
        Ok(receipt)
    }

    /// The refusal of an event that the store cannot take, also half way through its body; it is counted.
    pub fn unavailable(&self, source: StoreError) -> IntakeError {
        self.metrics.refused_by_store();
        IntakeError::Unavailable { retry_after: STORE_RETRY_AFTER, source }
    }

    async fn event(
        &self,
        source: &Source,
        body: &NewBody,
        content_type: Option<String>,
        labels: BTreeMap<String, String>,
        note: Option<String>,
    ) -> Result<Event, IntakeError> {
        let received_at = self.clock.now();
        let seen = recognise::recognise(body, &source.name).await.map_err(|error| self.unavailable(error))?;
        // The source's own labels win: an operator set them, the request could say anything.
        let labels = labels.into_iter().chain(source.labels.clone()).collect();
        Ok(Event {
            id: event_id(received_at.as_unix_ms()),
            received_at,
            source: source.name.clone(),
            kind: seen.kind,
            subject: seen.subject,
            ordering_key: seen.ordering_key.into(),
            verdict: seen.verdict,
            facts: seen.facts,
            note: joined(seen.note, note),
            labels,
            content_type,
            body_bytes: body.bytes(),
            hops: 0,
        })
    }
}

/// Both notes as one, or the one there is.
fn joined(first: Option<String>, second: Option<String>) -> Option<String> {
    let notes: Vec<_> = first.into_iter().chain(second).collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// A UUIDv7: the time in front, so that ids sort by arrival, and 74 random bits behind.
fn event_id(unix_ms: i64) -> EventId {
    EventId::new(time_uuid(unix_ms))
}

/// A UUIDv7 of that moment.
pub(crate) fn time_uuid(unix_ms: i64) -> Uuid {
    let ms = unix_ms.unsigned_abs();
    let nanos = u32::try_from(ms % 1000 * 1_000_000).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, ms / 1000, nanos))
}

#[cfg(test)]
mod tests;
