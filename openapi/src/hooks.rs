//! The resource `hooks`: where Postman sends its webhooks.
//!
//! The order is fixed: bound, authenticate, read, accept. Nothing of a body is read for a caller who may not send it.

use poem::http::{HeaderValue, header};
use poem_openapi::{ApiResponse, Object, OpenApi, Tags, param::Path, payload::Json};

use crate::{
    body::{self, Budget},
    events::Kind,
    port::{Gateway, Hook, HookRefusal},
    problem::{Code, Failure, seconds},
};

mod idempotency;
mod labels;
mod postman;
mod reading;
mod unread;

use idempotency::KeyHeader;
use unread::UnreadHook;

/// What became of an accepted body.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Accepted {
    /// The event's id.
    pub event_id: String,
    /// What the event is.
    pub kind: Kind,
    /// To how many destinations it goes.
    pub deliveries: u32,
    /// Whether the very same event was there already, with this idempotency key. Then nothing was stored, and all of
    /// this is about the first one.
    pub repeated: bool,
}

#[derive(ApiResponse)]
enum AcceptedResponse {
    /// Stored. It survives a crash from now on; deliveries follow.
    #[oai(status = 202)]
    Stored(Json<Accepted>),
}

#[derive(Tags)]
enum Tag {
    /// Where Postman sends its webhooks.
    Hooks,
}

/// The operations on hooks.
pub(crate) struct HooksApi<G> {
    pub(crate) gateway: G,
    /// What the bodies of all hooks may take together.
    pub(crate) bodies: Budget,
}

#[OpenApi(prefix_path = "/hooks")]
impl<G: Gateway> HooksApi<G> {
    /// Receive a webhook
    ///
    /// Takes any webhook of Postman's, and anything else: what is not recognised is kept byte for byte as
    /// `unrecognized`. The source's token is the query parameter `token`, a Bearer token, or the password of Basic.
    /// Query parameters that start with `label.` become labels of the event: at most 16, names and values of at most
    /// 256 bytes. A label that does not fit is left out, and the event's `note` says so. Bodies may be compressed with
    /// gzip.
    ///
    /// A sender that may send an event twice gives it an idempotency key: the same key with the same body, to the same
    /// source, is one event, however often it comes. Another body with that key is an event of its own.
    #[oai(path = "/:source", method = "post", operation_id = "receiveHook", tag = "Tag::Hooks")]
    async fn receive(
        &self,
        /// The source's name.
        source: Path<String>,
        /// What tells a repeat of this event: 1 to 256 visible ASCII characters. One that does not fit is left out, the
        /// event is taken as if it had none, and its `note` says so.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: KeyHeader,
        /// The same under the name that Standard Webhooks give it. `Idempotency-Key` wins; the event's `note` says so when
        /// they differ.
        #[oai(name = "webhook-id")]
        webhook_id: KeyHeader,
        hook: UnreadHook,
    ) -> Result<AcceptedResponse, Failure> {
        let admission = self.gateway.admit(&source, hook.token.as_ref(), hook.peer).await?;
        let limits = body::Limits {
            bytes_max: admission.body_bytes_max,
            in_memory_bytes_max: admission.body_in_memory_bytes_max,
            read_max: admission.body_read_max,
        };
        // Given back at the end of this function: by then the body is stored, or nothing of it is kept.
        let mut share = self.bodies.share();
        let reading = body::read(hook.body, &hook.framing, limits, &mut share, &self.gateway);
        let body = reading::told(&self.gateway, &admission.source, reading).await?;
        let limits =
            labels::Limits { labels_max: admission.labels_max, bytes_max: admission.label_bytes_max };
        let (labels, labels_note) = labels::parse(&hook.query, limits);
        let (idempotency_key, key_note) =
            idempotency::key(idempotency_key, webhook_id, admission.idempotency_key_bytes_max);
        let note = joined([labels_note, key_note]);
        let hook = Hook { body, content_type: hook.content_type, labels, idempotency_key, note };
        Ok(AcceptedResponse::Stored(Json(self.gateway.accept(admission.source, hook).await?)))
    }
}

/// All the notes there are, as one.
fn joined(notes: [Option<String>; 2]) -> Option<String> {
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

impl From<HookRefusal> for Failure {
    fn from(refusal: HookRefusal) -> Self {
        match refusal {
            HookRefusal::Unauthorized => Self::new(
                Code::Unauthorized,
                "no source of this name takes this token; copy the source's whole URL again",
            )
            .with_header(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"postroom\", Basic realm=\"postroom\""),
            ),
            HookRefusal::TooManyRequests { retry_after } => {
                Self::new(Code::TooManyRequests, "this source sends faster than it may; send again later")
                    .with_header(header::RETRY_AFTER, seconds(retry_after))
            }
            HookRefusal::Unavailable { retry_after, reason } => Self::new(
                Code::Unavailable,
                format!("the event was not stored, send it again later: {reason}"),
            )
            .with_header(header::RETRY_AFTER, seconds(retry_after)),
        }
    }
}

#[cfg(test)]
mod tests;
