//! The lists of a gateway that cannot exist.

use super::NoGateway;
use crate::{
    deliveries::{Delivery, DeliveryFilter},
    events::{Event, EventFilter},
    page::{Follow, Followed},
    port::{Follows, ReadError},
};

impl Follows for NoGateway {
    async fn follow_events(&self, _: EventFilter, _: Follow) -> Result<Followed<Event>, ReadError> {
        match *self {}
    }

    async fn follow_deliveries(
        &self,
        _: DeliveryFilter,
        _: Option<String>,
        _: Follow,
    ) -> Result<Followed<Delivery>, ReadError> {
        match *self {}
    }
}
