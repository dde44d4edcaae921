//! What the gateway is set up as, and how it does as a whole.

use std::future::Future;

use super::{ActionError, ReadError};
use crate::{
    config::{ConfigurationCheck, ConfigurationInForce},
    dead_letters::DeadLetterList,
    routes::{Route, RouteExplanation, RouteTrial},
    sources::Source,
    stats::Stats,
};

/// The gateway's sources, routes, settings and figures.
pub trait Setup: Clone + Send + Sync + 'static {
    /// Lists all sources in the order of the configuration.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn sources(&self) -> impl Future<Output = Result<Vec<Source>, ReadError>> + Send;

    /// Gives the source of this name.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn source(&self, name: &str) -> impl Future<Output = Result<Option<Source>, ReadError>> + Send;

    /// Lists all routes in the order of the configuration.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn routes(&self) -> impl Future<Output = Result<Vec<Route>, ReadError>> + Send;

    /// Says what the routes would do with an event or a body.
    ///
    /// # Errors
    /// [`ActionError::BadField`] when it cannot be told what to look at.
    fn explain_routes(
        &self,
        trial: RouteTrial,
    ) -> impl Future<Output = Result<RouteExplanation, ActionError>> + Send;

    /// Gives the configuration in force, without a secret.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn config(&self) -> impl Future<Output = Result<ConfigurationInForce, ReadError>> + Send;

    /// Says what is wrong with a configuration, given as TOML. Nothing changes.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn check_config(
        &self,
        toml: String,
    ) -> impl Future<Output = Result<ConfigurationCheck, ReadError>> + Send;

    /// Gives the gateway in figures.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn stats(&self) -> impl Future<Output = Result<Stats, ReadError>> + Send;

    /// Groups the dead letters that were not done again.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn dead_letters(&self) -> impl Future<Output = Result<DeadLetterList, ReadError>> + Send;
}
