//! The configuration in force, and how the gateway goes over to another.

use poem_openapi::{Object, OpenApi, Tags, param::Path, payload::Json};

use crate::{auth::AdminKey, destinations::Destination, port::Gateway, problem::Failure};

/// Which configuration is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Counts the configurations since the start of the gateway; the first is 1.
    pub generation: u64,
    /// Tells configurations apart that mean different things. Nothing of a secret is in it.
    pub fingerprint: String,
}

/// What a reload of the configuration has changed.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Reload {
    /// Counts the configurations since the start of the gateway; the first is 1.
    pub generation: u64,
    /// Tells configurations apart that mean different things. Nothing of a secret is in it.
    pub fingerprint: String,
    /// Destinations whose plugin has a new process.
    pub reloaded: Vec<String>,
    /// Destinations whose plugin was told new secrets, and nothing else.
    pub rotated: Vec<String>,
    /// Destinations that are new.
    pub added: Vec<String>,
    /// Destinations that are gone. What waits for them stays in the store until they come back.
    pub removed: Vec<String>,
    /// Destinations whose plugin was left alone.
    pub unchanged: Vec<String>,
    /// Settings that have changed and are in force, such as `route.nightly.to`.
    pub applied: Vec<String>,
    /// Settings that have changed and come into force with the next start of the gateway, such as `server.listen`.
    pub needs_restart: Vec<String>,
}

#[derive(Tags)]
enum Tag {
    /// Plugins with their settings.
    Destinations,
    /// What the gateway runs with.
    Configuration,
}

/// The operations that reload something.
pub(crate) struct ReloadApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1")]
impl<G: Gateway> ReloadApi<G> {
    /// Reload the configuration
    ///
    /// Needs the role admin. Reads the configuration again, checks all of it, and goes over to it while events come and go.
    /// It is applied as a whole or not at all: any fault is answered with 422 and `reasons`, and then nothing has changed.
    #[oai(
        path = "/config/reload",
        method = "post",
        operation_id = "reloadConfiguration",
        tag = "Tag::Configuration"
    )]
    async fn configuration(&self, key: AdminKey<G>) -> Result<Json<Reload>, Failure> {
        Ok(Json(self.0.reload_configuration(&key.0).await?))
    }

    /// Reload a destination's plugin
    ///
    /// Needs the role admin. Starts the plugin's file as it is now beside the process that serves, with the same settings.
    /// Once it is ready it takes the deliveries that come, and the old process ends those it has. A build that does not
    /// start is answered with 422 and `reasons`, and the old process goes on.
    #[oai(
        path = "/destinations/:name/reload",
        method = "post",
        operation_id = "reloadDestination",
        tag = "Tag::Destinations"
    )]
    async fn destination(
        &self,
        key: AdminKey<G>,
        /// The destination's name.
        name: Path<String>,
    ) -> Result<Json<Destination>, Failure> {
        let destination = self.0.reload_destination(&name, &key.0).await?;
        destination.map(Json).ok_or_else(|| Failure::not_found("destination"))
    }
}

#[cfg(test)]
mod tests;
