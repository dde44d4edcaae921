//! What the gateway must be able to do so that the API can be offered: the only way from here to the rest.
//!
//! The handlers are generic over [`Gateway`], so the document is built without an engine or a store, and a test
//! stands on a small fake. All types here are the API's own wire types; the implementer converts.

use std::{collections::BTreeMap, future::Future, net::IpAddr, time::Duration};

use bytes::Bytes;

use crate::{
    auth::{Caller, Credential},
    deliveries::{Delivery, DeliveryFilter},
    destinations::Destination,
    events::{Event, EventBody, EventFilter},
    hooks::Accepted,
    page::{Page, PageRequest},
};

/// The gateway as the API sees it. A clone is a handle to the same gateway and must be cheap.
pub trait Gateway: Clone + Send + Sync + 'static {
    /// A source that has let a caller in. The gateway makes it in [`admit`](Self::admit) and gets it back in
    /// [`accept`](Self::accept), so that nothing is stored for a caller who was not admitted.
    type Source: Send;

    /// Decides whether a caller may send a body to a source, before any of the body is read.
    ///
    /// `token` is what the caller presented, if anything; `peer` is the address of the connection.
    ///
    /// # Errors
    /// [`HookRefusal::Unauthorized`] for an unknown source as well as for a wrong or missing token, after the same work.
    fn admit(
        &self,
        source: &str,
        token: Option<&Credential>,
        peer: Option<IpAddr>,
    ) -> impl Future<Output = Result<Admission<Self::Source>, HookRefusal>> + Send;

    /// Stores a body and its deliveries. When this returns `Ok`, both survive a crash.
    ///
    /// # Errors
    /// A refusal means that nothing was kept.
    fn accept(
        &self,
        source: Self::Source,
        hook: Hook,
    ) -> impl Future<Output = Result<Accepted, HookRefusal>> + Send;

    /// Finds whose API key this is; `None` when it is nobody's. Must take the same time for every wrong key.
    fn authenticate(&self, key: &Credential) -> impl Future<Output = Option<Caller>> + Send;

    /// Lists events, newest first, without `deliveries` and `routes`.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn events(
        &self,
        filter: EventFilter,
        page: PageRequest,
    ) -> impl Future<Output = Result<Page<Event>, ReadError>> + Send;

    /// Gives one event with its `deliveries` and `routes`; `None` when there is none with this id.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn event(&self, id: &str) -> impl Future<Output = Result<Option<Event>, ReadError>> + Send;

    /// Gives the body of an event exactly as it came in.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn event_body(&self, id: &str) -> impl Future<Output = Result<Option<EventBody>, ReadError>> + Send;

    /// Lists deliveries, newest first, without `attempts`.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn deliveries(
        &self,
        filter: DeliveryFilter,
        page: PageRequest,
    ) -> impl Future<Output = Result<Page<Delivery>, ReadError>> + Send;

    /// Gives one delivery with its `attempts`, oldest first.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn delivery(&self, id: &str) -> impl Future<Output = Result<Option<Delivery>, ReadError>> + Send;

    /// Lists all destinations in the order of the configuration.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn destinations(&self) -> impl Future<Output = Result<Vec<Destination>, ReadError>> + Send;

    /// Gives the destination of this name.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn destination(&self, name: &str) -> impl Future<Output = Result<Option<Destination>, ReadError>> + Send;

    /// Says whether the gateway can take and deliver events now.
    fn readiness(&self) -> impl Future<Output = Readiness> + Send;

    /// Gives all metrics in the OpenMetrics text format 1.0.0.
    fn metrics(&self) -> impl Future<Output = String> + Send;

    /// Counts an answered request. Called once for each, after the answer is made; must not block.
    fn observe(&self, seen: RequestSeen);
}

/// An admitted caller: what may follow, and to whom it belongs.
#[derive(Debug, Clone)]
pub struct Admission<S> {
    /// The gateway's own handle of the source.
    pub source: S,
    /// Largest body that this source takes, in bytes, after decompression.
    pub body_bytes_max: usize,
    /// How long the whole body may take to arrive.
    pub body_read_max: Duration,
    /// How many labels one request may add.
    pub labels_max: usize,
    /// Longest name or value of a label, in bytes.
    pub label_bytes_max: usize,
}

/// What an admitted caller sent.
#[derive(Debug, Clone)]
pub struct Hook {
    /// The body, byte for byte; only a `Content-Encoding: gzip` has been undone.
    pub body: Bytes,
    /// The Content-Type header, as sent.
    pub content_type: Option<String>,
    /// The `label.*` query parameters that fit, without that prefix.
    pub labels: BTreeMap<String, String>,
    /// Which of these parameters were left out, and why; absent when all were taken.
    pub note: Option<String>,
}

/// Why a hook was not taken. None of these says which source exists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookRefusal {
    /// No such source, or no valid token for it.
    #[error("no source takes this token")]
    Unauthorized,
    /// The source sends faster than it may.
    #[error("too many requests for this source")]
    TooManyRequests {
        /// When to send again.
        retry_after: Duration,
    },
    /// The event cannot be stored now.
    #[error("the event cannot be stored now: {reason}")]
    Unavailable {
        /// When to send again.
        retry_after: Duration,
        /// Why, in words fit for the caller.
        reason: String,
    },
}

/// Why a question could not be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A parameter has a value that cannot be meant, such as a cursor that was not made here.
    #[error("parameter `{name}`: {reason}")]
    BadParameter {
        /// The parameter as the caller spells it.
        name: &'static str,
        /// What is wrong with it, without repeating it.
        reason: String,
    },
    /// The store cannot be read now.
    #[error("the store cannot be read now: {reason}")]
    Unavailable {
        /// Why, in words fit for the caller.
        reason: String,
    },
}

/// Whether the gateway can do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Events are taken and delivered.
    Ready,
    /// Something is missing; each reason is one short sentence.
    NotReady {
        /// What is missing.
        reasons: Vec<String>,
    },
}

/// A request that has been answered. Holds nothing a stranger wrote, so it can label a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestSeen {
    /// The operation's id in the document, such as `receiveHook`; [`NO_OPERATION`] when the path or method has none.
    pub operation: &'static str,
    /// The HTTP status of the answer.
    pub status: u16,
    /// From the end of the request's header to the start of the answer.
    pub duration: Duration,
}

/// The operation of a [`RequestSeen`] that asked for nothing we offer.
pub const NO_OPERATION: &str = "none";
