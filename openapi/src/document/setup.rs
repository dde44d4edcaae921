//! The setup of a gateway that cannot exist.

use super::NoGateway;
use crate::{
    config::{ConfigurationCheck, ConfigurationInForce},
    dead_letters::DeadLetterList,
    port::{ActionError, ReadError, Setup},
    routes::{Route, RouteExplanation, RouteTrial},
    sources::Source,
    stats::Stats,
};

impl Setup for NoGateway {
    async fn sources(&self) -> Result<Vec<Source>, ReadError> {
        match *self {}
    }

    async fn source(&self, _: &str) -> Result<Option<Source>, ReadError> {
        match *self {}
    }

    async fn routes(&self) -> Result<Vec<Route>, ReadError> {
        match *self {}
    }

    async fn explain_routes(&self, _: RouteTrial) -> Result<RouteExplanation, ActionError> {
        match *self {}
    }

    async fn config(&self) -> Result<ConfigurationInForce, ReadError> {
        match *self {}
    }

    async fn check_config(&self, _: String) -> Result<ConfigurationCheck, ReadError> {
        match *self {}
    }

    async fn stats(&self) -> Result<Stats, ReadError> {
        match *self {}
    }

    async fn dead_letters(&self) -> Result<DeadLetterList, ReadError> {
        match *self {}
    }
}
