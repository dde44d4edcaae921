//! The resource `events`: what came in, exactly, and where it was sent and why.

use std::collections::BTreeMap;

use poem_openapi::{
    Enum, Object, OpenApi, Tags,
    param::{Path, Query},
    payload::Json,
};

use crate::{
    auth::ApiKey,
    deliveries::DeliveryState,
    page::{self, Followed, List},
    port::Gateway,
    problem::Failure,
    time::Timestamp,
};

mod body;
mod kind;

pub use self::{body::EventBody, kind::Kind};

const LIST: List = List("events");

/// What a monitor run says: `passed`, `failed`, or `unknown` when it carries no failure counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub enum Verdict {
    /// No test failed and no error came up.
    Passed,
    /// A test failed or an error came up.
    Failed,
    /// Cannot be told.
    Unknown,
}

/// An accepted event.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Event {
    /// The gateway's own id, a UUID of version 7; Postman sends none.
    pub id: String,
    /// When the gateway had the whole body; Postman sends no time.
    pub received_at: Timestamp,
    /// The source it came in by; `destination:` and a name for one that a plugin made.
    pub source: String,
    /// What made it. Only for events that a plugin made.
    pub made_by: Option<Maker>,
    /// What it is.
    pub kind: Kind,
    /// What it is about: the id of the monitor or collection. Absent when the body names none.
    pub subject: Option<String>,
    /// Only for monitor runs.
    pub verdict: Option<Verdict>,
    /// The monitor that ran.
    pub monitor: Option<NamedId>,
    /// The collection that ran, was backed up or was changed.
    pub collection: Option<NamedId>,
    /// The environment of the run.
    pub environment: Option<NamedId>,
    /// Only for activities.
    pub activity: Option<ActivitySummary>,
    /// Why the body was not recognised, or what was left out.
    pub note: Option<String>,
    /// Labels of the source and of the request's `label.*` parameters.
    pub labels: BTreeMap<String, String>,
    /// The Content-Type header, as sent.
    pub content_type: Option<String>,
    /// Length of the body in bytes.
    pub body_bytes: u64,
    /// What became of it at each destination. Absent in lists.
    pub deliveries: Option<Vec<EventDelivery>>,
    /// The routes that took it, or, when none did, every route and why it did not. Absent in lists.
    pub routes: Option<Vec<RouteResult>>,
}

/// What made an event.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Maker {
    /// The destination whose plugin made it. It never goes back there.
    pub destination: String,
    /// How many plugins stand behind it, one after the other: 1 when its plugin answered something that came in. A chain
    /// ends after 4.
    pub hops: u32,
}

/// Something of Postman's that has an id and a name. A body may give both, one or none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct NamedId {
    /// Its id, without the owner's number that Postman sometimes puts before it.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// What an activity did, and to what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ActivitySummary {
    /// What was done: `create`, `update` and more; Postman may add to them.
    pub action: Option<String>,
    /// What was touched: `request`, `folder` and more; Postman may add to them.
    pub model: Option<String>,
}

/// A delivery as its event shows it.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct EventDelivery {
    /// The delivery's id.
    pub id: String,
    /// The destination's name.
    pub destination: String,
    /// The first route that asked for it.
    pub route: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Counted attempts so far.
    pub attempts: u32,
}

/// How a route looked at an event.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct RouteResult {
    /// The route's name.
    pub name: String,
    /// Whether it took the event.
    pub matched: bool,
    /// Why, one sentence for each condition that decided.
    pub reasons: Vec<String>,
}

/// A page of events: newest first, or with `after` in the order in which they came.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct EventPage {
    /// The events.
    pub items: Vec<Event>,
    /// Pass it as `cursor` to get the next page. Absent on the last page, and with `after`.
    pub next_cursor: Option<String>,
    /// Pass it as `after` to get what came since. Always there with `after`, and only then.
    pub after: Option<String>,
    /// Whether there is more already, so that it is worth asking again at once. Only with `after`.
    pub is_more: Option<bool>,
}

/// Which events to list. Every part that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only from this source.
    pub source: Option<String>,
    /// Only about this monitor or collection.
    pub subject: Option<String>,
    /// Only those with this label; with a value, only with this one.
    pub label: Option<(String, Option<String>)>,
    /// Only those of the monitor with this id.
    pub monitor: Option<String>,
    /// Only those in which the collection with this id is.
    pub collection: Option<String>,
    /// Only those with this text in a name, an id, what an activity did, or the note, in whatever case.
    pub text: Option<String>,
    /// Only those received at this moment or later.
    pub received_after: Option<Timestamp>,
    /// Only those received before this moment.
    pub received_before: Option<Timestamp>,
}

#[derive(Tags)]
enum Tag {
    /// What came in.
    Events,
}

/// The operations on events.
pub(crate) struct EventsApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1/events")]
impl<G: Gateway> EventsApi<G> {
    /// List events
    ///
    /// Gives accepted events, newest first. Kind, source, subject, monitor and time are found by an index. For the others
    /// a page looks at no more than 10 000 events, so it may hold fewer than asked for, even none, and still have a
    /// `next_cursor`.
    ///
    /// With `after` it gives them in the order in which they came, for a program that asks again and again: first with
    /// `after=oldest` or `after=newest`, then with `after` of the answer before, also when that was empty. Each event comes
    /// once and none is left out, unless retention has removed it before. Incidents are told by events too.
    #[oai(path = "/", method = "get", operation_id = "listEvents", tag = "Tag::Events")]
    #[expect(clippy::too_many_arguments, reason = "each is a query parameter of its own in the document")]
    async fn list(
        &self,
        _key: ApiKey<G>,
        /// Only events of this kind.
        kind: Query<Option<Kind>>,
        /// Only events that came in by this source.
        source: Query<Option<String>>,
        /// Only events about the monitor or collection with this id.
        subject: Query<Option<String>>,
        /// Only events with this label: `name=value`, or the name alone for any value.
        label: Query<Option<String>>,
        /// Only events of the monitor with this id: its runs, and what the gateway tells of it.
        monitor: Query<Option<String>>,
        /// Only events in which the collection with this id is, runs of its monitors among them.
        collection: Query<Option<String>>,
        /// Only events with this text in a name, an id, what an activity did, or the note, in whatever case.
        text: Query<Option<String>>,
        /// Only events received at this moment or later.
        received_after: Query<Option<Timestamp>>,
        /// Only events received before this moment.
        received_before: Query<Option<Timestamp>>,
        /// Most events on the page.
        #[oai(default = "page::limit_default", validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<u32>,
        /// `next_cursor` of the page before.
        cursor: Query<Option<String>>,
        /// `after` of the answer before, to get what came since; `oldest` or `newest` to begin. It goes without `cursor`.
        after: Query<Option<String>>,
    ) -> Result<Json<EventPage>, Failure> {
        let label = label.0.map(|label| match label.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (label, None),
        });
        let filter = EventFilter {
            kind: kind.0,
            source: source.0,
            subject: subject.0,
            label,
            monitor: monitor.0,
            collection: collection.0,
            text: text.0,
            received_after: received_after.0,
            received_before: received_before.0,
        };
        if let Some(follow) = LIST.follow(limit.0, cursor.0.as_ref(), after.0)? {
            let Followed { items, after, is_more } = self.0.follow_events(filter, follow).await?;
            let (after, is_more) = (Some(LIST.after(&after)), Some(is_more));
            return Ok(Json(EventPage { items, next_cursor: None, after, is_more }));
        }
        let page = self.0.events(filter, LIST.request(limit.0, cursor.0)?).await?;
        let next_cursor = page.next.map(|key| LIST.cursor(&key));
        Ok(Json(EventPage { items: page.items, next_cursor, after: None, is_more: None }))
    }

    /// Get an event
    ///
    /// Gives one event with its deliveries, and says which routes took it, or why none did.
    #[oai(path = "/:id", method = "get", operation_id = "getEvent", tag = "Tag::Events")]
    async fn get(
        &self,
        _key: ApiKey<G>,
        /// The event's id.
        id: Path<String>,
    ) -> Result<Json<Event>, Failure> {
        self.0.event(&id).await?.map(Json).ok_or_else(|| Failure::not_found("event"))
    }

    /// Download the body of an event
    ///
    /// Gives the bytes exactly as they came in, with the Content-Type that came with them.
    #[oai(path = "/:id/body", method = "get", operation_id = "downloadEventBody", tag = "Tag::Events")]
    async fn body(
        &self,
        _key: ApiKey<G>,
        /// The event's id.
        id: Path<String>,
    ) -> Result<body::Download, Failure> {
        let body = self.0.event_body(&id).await?.ok_or_else(|| Failure::not_found("event"))?;
        Ok(body.into_download(&id))
    }
}

#[cfg(test)]
mod tests;
