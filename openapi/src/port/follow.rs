//! What comes in lists, for programs that ask again and again.

use std::future::Future;

use super::ReadError;
use crate::{
    deliveries::{Delivery, DeliveryFilter},
    events::{Event, EventFilter},
    page::{Follow, Followed},
};

/// Lists in the order in which their items were made.
pub trait Follows: Clone + Send + Sync + 'static {
    /// Gives events in the order in which they were accepted, without `deliveries` and `routes`.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn follow_events(
        &self,
        filter: EventFilter,
        follow: Follow,
    ) -> impl Future<Output = Result<Followed<Event>, ReadError>> + Send;

    /// Gives deliveries in the order in which they were made, without `attempts`.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn follow_deliveries(
        &self,
        filter: DeliveryFilter,
        replay_id: Option<String>,
        follow: Follow,
    ) -> impl Future<Output = Result<Followed<Delivery>, ReadError>> + Send;
}
