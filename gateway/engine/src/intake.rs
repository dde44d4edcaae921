//! The way in: authenticate, recognise, route, keep.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use postroom_core::{
    classify,
    event::{Event, Kind},
    id::EventId,
    rate::RateLimit,
    route::{self, Route},
};
use postroom_store::{NewEvent, Store, StoreError};
use uuid::{NoContext, Uuid};

use crate::{Clock, Metrics, Source, Sources};

/// How long a caller is asked to wait when the store cannot take more.
const STORE_RETRY_AFTER: Duration = Duration::from_secs(5);

/// Takes events in. Cheap to share.
#[derive(Debug)]
pub struct Intake {
    sources: Sources,
    routes: Vec<Route>,
    store: Arc<dyn Store>,
    clock: Clock,
    metrics: Metrics,
    refusals: Mutex<Refusals>,
}

/// Callers that were turned away since it was last told: people who set up Postman look for this line, and strangers
/// who guess must not fill the log.
#[derive(Debug)]
struct Refusals {
    lines: RateLimit,
    count: u64,
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

/// An event that is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its id.
    pub event: EventId,
    /// What it is.
    pub kind: Kind,
    /// To how many destinations it goes.
    pub deliveries: usize,
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
        let refusals = Mutex::new(Refusals { lines: RateLimit::per_second(1), count: 0 });
        Self { sources, routes, store, clock, metrics, refusals }
    }

    /// Lets a caller in by the source's name and the token it presented. Nothing of the body is needed for it.
    ///
    /// # Errors
    /// [`IntakeError::Unauthorized`] or [`IntakeError::TooManyRequests`].
    pub fn admit(&self, source: &str, token: Option<&str>) -> Result<Admission, IntakeError> {
        // A missing token is compared too: it must not answer faster than a wrong one.
        let Some(source) = self.sources.authenticate(source, token.unwrap_or_default()) else {
            self.tell_refusal();
            return Err(IntakeError::Unauthorized);
        };
        source
            .take_permit(self.clock.now())
            .map_err(|retry_after| IntakeError::TooManyRequests { retry_after })?;
        Ok(Admission(source))
    }

    /// Keeps what an admitted caller sent, whatever it is, and answers when it is on disk. `note` says what was left out
    /// of the request, if anything was.
    ///
    /// # Errors
    /// [`IntakeError::Unavailable`]: nothing was kept.
    pub async fn accept(
        &self,
        admission: Admission,
        body: Bytes,
        content_type: Option<String>,
        labels: BTreeMap<String, String>,
        note: Option<String>,
    ) -> Result<Receipt, IntakeError> {
        let source = &admission.0;
        let event = self.event(source, &body, content_type, labels, note);
        let decision = route::decide(&self.routes, &event);
        let receipt = Receipt { event: event.id, kind: event.kind, deliveries: decision.targets.len() };
        let new = NewEvent {
            event: Arc::new(event),
            body,
            targets: decision.targets,
            explanations: decision.explanations,
        };
        self.store.accept(new).await.map_err(|error| {
            self.metrics.refused_by_store();
            IntakeError::Unavailable { retry_after: STORE_RETRY_AFTER, source: error }
        })?;
        self.metrics.accepted(&source.name, receipt.kind);
        tracing::debug!(event = %receipt.event, kind = %receipt.kind, source = %source.name, deliveries = receipt.deliveries, "event accepted");
        Ok(receipt)
    }

    /// Says that a caller was turned away; not which source was asked for, because a stranger wrote that.
    fn tell_refusal(&self) {
        // A panic elsewhere cannot leave these two numbers half written.
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.count += 1;
        if refusals.lines.take(self.clock.now()).is_ok() {
            let count = std::mem::take(&mut refusals.count);
            tracing::warn!(
                count,
                "webhook refused: its token is missing or wrong, or there is no such source"
            );
        }
    }

    fn event(
        &self,
        source: &Source,
        body: &[u8],
        content_type: Option<String>,
        labels: BTreeMap<String, String>,
        note: Option<String>,
    ) -> Event {
        let received_at = self.clock.now();
        let seen = classify::classify(body, source.name.as_str());
        // The source's own labels win: an operator set them, the request could say anything.
        let labels = labels.into_iter().chain(source.labels.clone()).collect();
        Event {
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
            body_bytes: body.len() as u64,
        }
    }
}

/// Both notes as one, or the one there is.
fn joined(first: Option<String>, second: Option<String>) -> Option<String> {
    let notes: Vec<_> = first.into_iter().chain(second).collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// A UUIDv7: the time in front, so that ids sort by arrival, and 74 random bits behind.
fn event_id(unix_ms: i64) -> EventId {
    let ms = unix_ms.unsigned_abs();
    let nanos = u32::try_from(ms % 1000 * 1_000_000).unwrap_or_default();
    EventId::new(Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, ms / 1000, nanos)))
}
