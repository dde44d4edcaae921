//! Events that a plugin makes of its own.

use std::collections::BTreeMap;

use bytes::Bytes;
use postroom_abi as abi;
use serde::Serialize;
use thiserror::Error;

use crate::{
    event::Verdict,
    ffi::{EmitAnswer, HostTable},
    outcome::Failure,
};

/// An event of the plugin's own, which the operator's routes can match like any other.
///
/// Its kind is declared in `emits` of [`postroom_plugin`](crate::postroom_plugin), and the operator lets the plugin make
/// events with `emit = true`. It never goes back to the destination that made it, and a chain of plugins that answer each
/// other's events ends after four.
///
/// ```
/// use postroom_sdk::{Delivery, Event, Failure, NewEvent, Outcome, Verdict};
/// use serde_json::json;
///
/// async fn page(event: &Event, delivery: &Delivery) -> Result<Outcome, Failure> {
///     let opened = NewEvent::new("page_opened")
///         .subject(event.subject().unwrap_or("unknown"))
///         .verdict(Verdict::Failed)
///         .label("team", "payments")
///         .json(&json!({ "page": 7 }))?;
///     // It is on disk when this comes back. A delivery that comes again makes the same event no second time.
///     let opened = delivery.emit(opened).await?;
///     Ok(Outcome::delivered().with_message(format!("made {}", opened.id)))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct NewEvent {
    pub(crate) kind: String,
    pub(crate) subject: String,
    pub(crate) ordering_key: String,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) content_type: String,
    pub(crate) key: String,
    pub(crate) body: Bytes,
}

/// An event that is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted {
    /// Its id.
    pub id: String,
    /// It was made before, in an earlier attempt or under the same key; this is that event.
    pub repeated: bool,
}

/// Why no event was made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The operator has not granted it, or the gateway is too old for it.
    #[error("the plugin may not make events: the operator grants that with `emit = true`")]
    NotGranted,
    /// The plugin has not declared the kind, too many plugins stand behind the event, or the delivery has made too many.
    #[error("the kind is not declared, or too many events were made of one")]
    Denied,
    /// More than 1 MiB of body, 16 labels, or 1 KiB of another text.
    #[error("an event of a plugin has at most 1 MiB")]
    TooLarge,
    /// A text has control characters, or a label has no name.
    #[error("a text of the event cannot be used")]
    Invalid,
    /// The body cannot be written as JSON.
    #[error("the body cannot be written as JSON: {0}")]
    Json(String),
    /// The gateway cannot keep it now; or it was kept, and the answer has got lost. To try again makes no second one in the
    /// same delivery.
    #[error("the gateway cannot keep the event now")]
    Unavailable,
    /// The delivery, or the plugin, is over.
    #[error("the delivery is over")]
    Over,
}

impl NewEvent {
    /// An event of this kind, `[a-z0-9_]{1,64}`, with an empty body.
    pub fn new(kind: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            subject: String::new(),
            ordering_key: String::new(),
            verdict: None,
            labels: BTreeMap::new(),
            content_type: String::new(),
            key: String::new(),
            body: Bytes::new(),
        }
    }

    /// What it is about.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// Events with the same key reach a destination in order, one at a time. Without one it is the subject's.
    pub fn ordering_key(mut self, key: impl Into<String>) -> Self {
        self.ordering_key = key.into();
        self
    }

    /// What it says about what it is about.
    pub fn verdict(mut self, verdict: Verdict) -> Self {
        self.verdict = Some(verdict);
        self
    }

    /// Adds a label, which routes can match.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// Names it: the same key with the same body makes no second event, in whatever delivery. Without one, only a delivery
    /// that comes again makes no second one.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// Sets the body and its type.
    pub fn body(mut self, content_type: impl Into<String>, body: impl Into<Bytes>) -> Self {
        (self.content_type, self.body) = (content_type.into(), body.into());
        self
    }

    /// Sets the body, written as JSON.
    ///
    /// # Errors
    ///
    /// [`EmitError::Json`] when it cannot be written, as a map whose keys are no texts.
    pub fn json(self, body: &impl Serialize) -> Result<Self, EmitError> {
        let body = serde_json::to_vec(body).map_err(|error| EmitError::Json(error.to_string()))?;
        Ok(self.body("application/json", body))
    }
}

/// Makes an event; `token` is the delivery that it is made in, or 0.
pub(crate) async fn emit(table: &HostTable, token: u64, event: &NewEvent) -> Result<Emitted, EmitError> {
    let refused = |status| match status {
        abi::POSTROOM_E_UNSUPPORTED => EmitError::NotGranted,
        abi::POSTROOM_E_DENIED => EmitError::Denied,
        abi::POSTROOM_E_TOO_LARGE => EmitError::TooLarge,
        abi::POSTROOM_E_INVALID => EmitError::Invalid,
        abi::POSTROOM_E_STALE => EmitError::Over,
        _ => EmitError::Unavailable,
    };
    let answer = table.emit(token, event).map_err(refused)?;
    // Without an answer the host has broken its word.
    let EmitAnswer { status, repeated, event } = answer.await.map_err(|_| EmitError::Unavailable)?;
    if status == abi::POSTROOM_OK { Ok(Emitted { id: event, repeated }) } else { Err(refused(status)) }
}

impl From<EmitError> for Failure {
    fn from(error: EmitError) -> Self {
        let message = error.to_string();
        match error {
            EmitError::NotGranted => Self::misconfigured("emit", message),
            EmitError::Unavailable | EmitError::Over => Self::retry("emit", message),
            EmitError::Denied | EmitError::TooLarge | EmitError::Invalid | EmitError::Json(_) => {
                Self::permanent("emit", message)
            }
        }
    }
}
