//! The resource `deliveries`: event × destination, and every attempt at it.

use std::collections::BTreeMap;

use poem_openapi::{
    Enum, Object, OpenApi, Tags,
    param::{Path, Query},
    payload::Json,
};
use serde_json::Value;

use crate::{
    auth::{ApiKey, OperatorKey},
    events::Kind,
    page::{self, Followed, List},
    port::Gateway,
    problem::Failure,
    time::Timestamp,
};

const LIST: List = List("deliveries");

/// Where a delivery stands. `pending` and `retrying` wait; all others are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for its first attempt.
    Pending,
    /// Failed at least once, will be tried again.
    Retrying,
    /// The destination has it.
    Delivered,
    /// The plugin left it out on purpose.
    Skipped,
    /// A newer delivery of the same lane went instead.
    Superseded,
    /// Given up: a dead letter.
    Dead,
    /// Stopped by a person.
    Cancelled,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// The remote side has it.
    Delivered,
    /// Left out on purpose.
    Skipped,
    /// Failed in a way that may pass.
    Retry,
    /// The remote side asked for a pause.
    RateLimited,
    /// Will never work for this event.
    Permanent,
    /// Will not work until the destination's settings change.
    Misconfigured,
}

/// A delivery: one event on its way to one destination.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Delivery {
    /// The delivery's id.
    pub id: String,
    /// The event's id.
    pub event_id: String,
    /// The destination's name.
    pub destination: String,
    /// The first route that asked for it.
    pub route: String,
    /// The delivery that this one does again. Absent when it is its event's own.
    pub replay_of: Option<String>,
    /// The delivery that does this one again. Absent when it is the newest of these, which is the one that a retry or a
    /// replay does again.
    pub replayed_by: Option<String>,
    /// The replay that made it. Absent when it was made by its event or by a retry.
    pub replay: Option<String>,
    /// The ordering key. Deliveries of a destination with the same key go one at a time, in order.
    pub lane: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Counted attempts so far. A pause that the remote side asked for is not counted.
    pub attempts_made: u32,
    /// When it will be tried again. Absent when it is final or may go at once.
    pub next_attempt_at: Option<Timestamp>,
    /// When its event was accepted, or when it was made to do another one again.
    pub created_at: Timestamp,
    /// When it became final.
    pub finished_at: Option<Timestamp>,
    /// How the last attempt ended. Absent before the first.
    pub last_outcome: Option<OutcomeSummary>,
    /// Every attempt, oldest first. Absent in lists.
    pub attempts: Option<Vec<Attempt>>,
}

/// How an attempt ended, in the plugin's words.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct OutcomeSummary {
    /// The class, which decides what happens next.
    pub kind: OutcomeKind,
    /// A stable code for programs, such as `http_503`.
    pub code: Option<String>,
    /// A sentence for people.
    pub message: Option<String>,
}

/// One try of a delivery.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// When the plugin got it.
    pub started_at: Timestamp,
    /// When the plugin was done with it.
    pub finished_at: Timestamp,
    /// How it ended.
    pub outcome: OutcomeKind,
    /// A stable code for programs, such as `http_503`.
    pub code: Option<String>,
    /// A sentence for people.
    pub message: Option<String>,
    /// What the remote side gave back, such as the id of an incident. Its keys depend on the plugin.
    pub record: Option<BTreeMap<String, Value>>,
}

/// A page of deliveries: newest first, or with `after` in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct DeliveryPage {
    /// The deliveries.
    pub items: Vec<Delivery>,
    /// Pass it as `cursor` to get the next page. Absent on the last page, and with `after`.
    pub next_cursor: Option<String>,
    /// Pass it as `after` to get those made since. Always there with `after`, and only then.
    pub after: Option<String>,
    /// Whether there is more already, so that it is worth asking again at once. Only with `after`.
    pub is_more: Option<bool>,
}

/// Which deliveries. Every part that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Object)]
#[oai(rename = "ReplayFilter", skip_serializing_if_is_none, deny_unknown_fields)]
pub struct DeliveryFilter {
    /// Only in this state. To be done again it must be a final one: `dead` for the dead letters.
    pub state: Option<DeliveryState>,
    /// Only to this destination.
    pub destination: Option<String>,
    /// Only of this event.
    pub event_id: Option<String>,
    /// Only of events of this kind.
    pub kind: Option<Kind>,
    /// Only of events from this source.
    pub source: Option<String>,
    /// Only of events about this monitor or collection.
    pub subject: Option<String>,
    /// Only those made at this moment or later.
    pub created_after: Option<Timestamp>,
    /// Only those made before this moment.
    pub created_before: Option<Timestamp>,
}

#[derive(Tags)]
enum Tag {
    /// Events on their way to destinations.
    Deliveries,
}

/// The operations on deliveries.
pub(crate) struct DeliveriesApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1/deliveries")]
impl<G: Gateway> DeliveriesApi<G> {
    /// List deliveries
    ///
    /// Gives deliveries, newest first.
    ///
    /// With `after` it gives them in the order in which they were made, each once and as it stands at that moment: first with
    /// `after=oldest` or `after=newest`, then with `after` of the answer before, also when that was empty. A delivery does not
    /// come again when its state changes, so `state` is of use there for states that last from the beginning.
    #[oai(path = "/", method = "get", operation_id = "listDeliveries", tag = "Tag::Deliveries")]
    #[expect(clippy::too_many_arguments, reason = "each is a query parameter of its own in the document")]
    async fn list(
        &self,
        _key: ApiKey<G>,
        /// Only deliveries in this state.
        state: Query<Option<DeliveryState>>,
        /// Only deliveries to the destination of this name.
        destination: Query<Option<String>>,
        /// Only deliveries of the event with this id.
        event_id: Query<Option<String>>,
        /// Only deliveries of events of this kind.
        kind: Query<Option<Kind>>,
        /// Only deliveries of events that came in by this source.
        source: Query<Option<String>>,
        /// Only deliveries of events about the monitor or collection with this id.
        subject: Query<Option<String>>,
        /// Only deliveries made at this moment or later.
        created_after: Query<Option<Timestamp>>,
        /// Only deliveries made before this moment.
        created_before: Query<Option<Timestamp>>,
        /// Only deliveries that the replay with this id made.
        replay_id: Query<Option<String>>,
        /// Most deliveries on the page.
        #[oai(default = "page::limit_default", validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<u32>,
        /// `next_cursor` of the page before.
        cursor: Query<Option<String>>,
        /// `after` of the answer before, to get those made since; `oldest` or `newest` to begin. It goes without `cursor`.
        after: Query<Option<String>>,
    ) -> Result<Json<DeliveryPage>, Failure> {
        let filter = DeliveryFilter {
            state: state.0,
            destination: destination.0,
            event_id: event_id.0,
            kind: kind.0,
            source: source.0,
            subject: subject.0,
            created_after: created_after.0,
            created_before: created_before.0,
        };
        if let Some(follow) = LIST.follow(limit.0, cursor.0.as_ref(), after.0)? {
            let Followed { items, after, is_more } =
                self.0.follow_deliveries(filter, replay_id.0, follow).await?;
            let (after, is_more) = (Some(LIST.after(&after)), Some(is_more));
            return Ok(Json(DeliveryPage { items, next_cursor: None, after, is_more }));
        }
        let page = self.0.deliveries(filter, replay_id.0, LIST.request(limit.0, cursor.0)?).await?;
        let next_cursor = page.next.map(|key| LIST.cursor(&key));
        Ok(Json(DeliveryPage { items: page.items, next_cursor, after: None, is_more: None }))
    }

    /// Get a delivery
    ///
    /// Gives one delivery with every attempt at it.
    #[oai(path = "/:id", method = "get", operation_id = "getDelivery", tag = "Tag::Deliveries")]
    async fn get(
        &self,
        _key: ApiKey<G>,
        /// The delivery's id.
        id: Path<String>,
    ) -> Result<Json<Delivery>, Failure> {
        self.0.delivery(&id).await?.map(Json).ok_or_else(|| Failure::not_found("delivery"))
    }

    /// Deliver once more
    ///
    /// Needs the role operator. A finished delivery is done again by a new one with a full budget of attempts, which is
    /// given back and waits its turn in the lane; the first one stays as it is. One that was done again already stands for
    /// the newest that does it again, so at most one of them waits. For a delivery that waits, the first of its lane is
    /// tried at once; none overtakes those before it.
    #[oai(path = "/:id/retry", method = "post", operation_id = "retryDelivery", tag = "Tag::Deliveries")]
    async fn retry(
        &self,
        key: OperatorKey<G>,
        /// The delivery's id.
        id: Path<String>,
    ) -> Result<Json<Delivery>, Failure> {
        let delivery = self.0.retry_delivery(&id, &key.0).await?;
        delivery.map(Json).ok_or_else(|| Failure::not_found("delivery"))
    }

    /// Cancel a delivery
    ///
    /// Needs the role operator. A delivery that waits becomes `cancelled`, and the next one of its lane goes on. One that
    /// the plugin has now is asked to end: it is given back as it stands, and becomes `cancelled` only if the plugin lets
    /// go of it before it is delivered; then its last attempt has the code `cancelled` and says who wanted it, and it may
    /// have arrived. One that is cancelled already stays as it is; one that ended in another way before
    /// is a conflict.
    #[oai(path = "/:id/cancel", method = "post", operation_id = "cancelDelivery", tag = "Tag::Deliveries")]
    async fn cancel(
        &self,
        key: OperatorKey<G>,
        /// The delivery's id.
        id: Path<String>,
    ) -> Result<Json<Delivery>, Failure> {
        let delivery = self.0.cancel_delivery(&id, &key.0).await?;
        delivery.map(Json).ok_or_else(|| Failure::not_found("delivery"))
    }
}

#[cfg(test)]
mod tests;
