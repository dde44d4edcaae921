//! It is set up as nothing, and has no lists to follow.

use postroom_openapi::{
    config::{ConfigurationCheck, ConfigurationInForce},
    dead_letters::DeadLetterList,
    deliveries::{Delivery, DeliveryFilter},
    events::{Event, EventFilter},
    page::{Follow, Followed},
    port::{ActionError, Follows, ReadError, Setup},
    routes::{Route, RouteExplanation, RouteTrial},
    sources::Source,
    stats::Stats,
};

use super::Noop;

fn nothing() -> ReadError {
    ReadError::Unavailable { reason: "nothing is kept".to_owned() }
}

impl Setup for Noop {
    async fn sources(&self) -> Result<Vec<Source>, ReadError> {
        Ok(Vec::new())
    }

    async fn source(&self, _: &str) -> Result<Option<Source>, ReadError> {
        Ok(None)
    }

    async fn routes(&self) -> Result<Vec<Route>, ReadError> {
        Ok(Vec::new())
    }

    async fn explain_routes(&self, _: RouteTrial) -> Result<RouteExplanation, ActionError> {
        Err(ActionError::Unavailable { reason: "there are no routes".to_owned() })
    }

    async fn config(&self) -> Result<ConfigurationInForce, ReadError> {
        Err(nothing())
    }

    async fn check_config(&self, _: String) -> Result<ConfigurationCheck, ReadError> {
        Err(nothing())
    }

    async fn stats(&self) -> Result<Stats, ReadError> {
        Err(nothing())
    }

    async fn dead_letters(&self) -> Result<DeadLetterList, ReadError> {
        Ok(DeadLetterList { items: Vec::new(), is_more: false })
    }
}

impl Follows for Noop {
    async fn follow_events(&self, _: EventFilter, _: Follow) -> Result<Followed<Event>, ReadError> {
        Err(nothing())
    }

    async fn follow_deliveries(
        &self,
        _: DeliveryFilter,
        _: Option<String>,
        _: Follow,
    ) -> Result<Followed<Delivery>, ReadError> {
        Err(nothing())
    }
}
