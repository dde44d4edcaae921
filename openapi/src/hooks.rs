//! The resource `hooks`: where Postman sends its webhooks.
//!
//! The order is fixed: bound, authenticate, read, accept. Nothing of a body is read for a caller who may not send it.

use std::time::Duration;

use poem::http::{HeaderValue, header};
use poem_openapi::{ApiResponse, Object, OpenApi, Tags, param::Path, payload::Json};

use crate::{
    body::{self, Budget},
    events::Kind,
    port::{Admission, Gateway, Hook, HookRefusal},
    problem::{Code, Failure},
};

mod labels;
mod postman;
mod unread;

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
    #[oai(path = "/:source", method = "post", operation_id = "receiveHook", tag = "Tag::Hooks")]
    async fn receive(
        &self,
        /// The source's name.
        source: Path<String>,
        hook: UnreadHook,
    ) -> Result<AcceptedResponse, Failure> {
        let admission = self.gateway.admit(&source, hook.token.as_ref(), hook.peer).await?;
        let Admission { source, body_bytes_max, body_read_max, labels_max, label_bytes_max } = admission;
        let limits = body::Limits { bytes_max: body_bytes_max, read_max: body_read_max };
        // Given back at the end of this function: by then the body is stored, or nothing of it is kept.
        let mut share = self.bodies.share();
        let body = body::read(hook.body, &hook.framing, limits, &mut share).await?;
        let limits = labels::Limits { labels_max, bytes_max: label_bytes_max };
        let (labels, note) = labels::parse(&hook.query, limits);
        let hook = Hook { body, content_type: hook.content_type, labels, note };
        Ok(AcceptedResponse::Stored(Json(self.gateway.accept(source, hook).await?)))
    }
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

/// `Retry-After` in whole seconds, rounded up: coming back too early would be refused again.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests;
