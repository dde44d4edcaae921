//! The resource `stream`: what happens, told as it happens, as server-sent events.
//!
//! Each message is what the lists would give for the same thing. Whoever cannot follow a stream, or was told to `resync`,
//! reads the lists instead: everything that is told here is there too.

use poem::Request;
use poem_openapi::{
    ApiResponse, Enum, OpenApi, Tags,
    param::{Header, Query},
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};

use crate::{
    auth::ApiKey,
    deliveries::DeliveryState,
    events::Kind,
    port::{FollowError, Gateway},
    problem::{Code, Failure},
};

mod body;
mod change;
mod filter;
mod said;

pub use self::{
    body::Endless,
    change::{About, Change},
    filter::{Topics, Wanted},
};

/// What a message is about, and its `event` field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename = "StreamTopic", rename_all = "snake_case")]
pub enum Topic {
    /// An event was accepted, or made by the gateway or a plugin.
    Events,
    /// A delivery was made, or its state or attempts changed.
    Deliveries,
    /// An incident opened, was reminded of, got worse or resolved.
    Incidents,
    /// The state, the gate or the health of a destination changed.
    Destinations,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 4] = [Self::Events, Self::Deliveries, Self::Incidents, Self::Destinations];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Deliveries => "deliveries",
            Self::Incidents => "incidents",
            Self::Destinations => "destinations",
        }
    }
}

pub(crate) use said::{EXAMPLE, schemas};

/// The media type of server-sent events.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";

/// An answer that goes on until its reader leaves.
struct EventStream(poem::Response);

impl poem::IntoResponse for EventStream {
    fn into_response(self) -> poem::Response {
        self.0
    }
}

impl ApiResponse for EventStream {
    fn meta() -> MetaResponses {
        MetaResponses {
            responses: vec![MetaResponse {
                description: "Server-sent events, until the reader leaves or the gateway stops.",
                status: Some(200),
                status_range: None,
                content: vec![MetaMediaType {
                    content_type: EVENT_STREAM,
                    schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))),
                }],
                headers: vec![],
            }],
        }
    }

    fn register(_: &mut Registry) {}
}

#[derive(Tags)]
enum Tag {
    /// What happens, as it happens.
    Stream,
}

/// Follows what happens.
pub(crate) struct StreamApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1/stream")]
impl<G: Gateway> StreamApi<G> {
    /// Follow what happens
    ///
    /// Gives a message for each accepted event, and for each change of a delivery, an incident or a destination, as
    /// server-sent events. `event` is the topic and `data` one line of JSON: the thing as its list gives it, as it stands
    /// when the message is made. Changes of the same thing that follow each other within moments may come as one message.
    ///
    /// `id` is a position. A reader who was cut off goes on behind it with `Last-Event-ID`, which browsers send by
    /// themselves: events without a gap for as long as the gateway keeps them, also over a restart; the other topics for as
    /// long as it remembers the changes, which it does not over a restart.
    ///
    /// What a reader missed is told by one message of the topic `resync`. Its `data` has `topics`, the `reason`, and for
    /// events `after_event`, the last one that was told, if there was one: read the lists of these topics anew. It comes when
    /// a reader takes too little, when more happens than is worth streaming, and when a position is not remembered. Every
    /// 15 seconds without a message there is a comment.
    ///
    /// Programs that cannot follow a stream poll the lists.
    #[oai(path = "/", method = "get", operation_id = "followChanges", tag = "Tag::Stream")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of its own in the document")]
    async fn follow(
        &self,
        key: ApiKey<G>,
        /// Only these topics; may be given more than once. Without it all that the other parameters leave.
        topic: Query<Option<Vec<Topic>>>,
        /// Only events of this kind, and their deliveries.
        kind: Query<Option<Kind>>,
        /// Only events that came in by this source, and their deliveries.
        source: Query<Option<String>>,
        /// Only this destination, and deliveries to it.
        destination: Query<Option<String>>,
        /// Only what is about the monitor with this id: its runs and other events, their deliveries, its incidents.
        monitor: Query<Option<String>>,
        /// Only deliveries in this state.
        state: Query<Option<DeliveryState>>,
        /// The position to go on behind, for readers who cannot set the header `Last-Event-ID`.
        after: Query<Option<String>>,
        /// The position to go on behind: the last `id` that was read. Goes before `after`.
        #[oai(name = "Last-Event-ID")]
        last_event_id: Header<Option<String>>,
        request: &Request,
    ) -> Result<EventStream, Failure> {
        let filter = Wanted {
            topics: topic.0.map_or(Topics::ALL, |topics| Topics::of(&topics)),
            kind: kind.0,
            source: source.0,
            destination: destination.0,
            monitor: monitor.0,
            state: state.0,
        };
        let wanted = filter.narrowed().ok_or_else(|| {
            Failure::new(
                Code::InvalidParameter,
                "nothing can match: no topic that was asked for has all that the other parameters ask for",
            )
        })?;
        let after = last_event_id.0.or(after.0).filter(|position| !position.is_empty());
        let reader = self.0.follow(wanted, after, &key.0).await?;
        Ok(EventStream(body::answer(self.0.clone(), request.headers().clone(), reader)))
    }
}

impl From<FollowError> for Failure {
    fn from(error: FollowError) -> Self {
        let text = error.to_string();
        match error {
            FollowError::Full { retry_after } => Self::new(Code::Unavailable, text)
                .with_header(poem::http::header::RETRY_AFTER, retry_after.as_secs().max(1)),
            FollowError::Stopping | FollowError::Failed => Self::new(Code::Unavailable, text),
        }
    }
}

#[cfg(test)]
mod tests;
