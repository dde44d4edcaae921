//! The resource `destinations`: plugins with their settings, and how they do.

use poem_openapi::{Enum, Object, OpenApi, Tags, param::Path, payload::Json};

use crate::{auth::ApiKey, port::Gateway, problem::Failure, time::Timestamp};

/// How a destination does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub enum DestinationState {
    /// Its plugin is being started.
    Starting,
    /// Takes deliveries.
    Ready,
    /// Its plugin ended unexpectedly and is started again after a pause.
    BackingOff,
    /// Its plugin cannot be used or refused the settings; `detail` says why.
    Refused,
    /// Takes nothing until `paused_until`, because the remote side or its settings ask for it.
    Paused,
    /// Was stopped with the gateway or by a person.
    Stopped,
}

/// A destination: a plugin plus its settings.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Destination {
    /// Its name in the configuration.
    pub name: String,
    /// The plugin's id.
    pub plugin: String,
    /// The plugin's version. Absent when the plugin cannot be read.
    pub plugin_version: Option<String>,
    /// How it does.
    pub state: DestinationState,
    /// Why it is in this state, when there is more to say.
    pub detail: Option<String>,
    /// When it takes deliveries again.
    pub paused_until: Option<Timestamp>,
    /// Deliveries that the plugin has now.
    pub in_flight: u64,
    /// Deliveries that wait for it.
    pub waiting: u64,
}

/// All destinations, in the order of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct DestinationList {
    /// The destinations.
    pub items: Vec<Destination>,
}

#[derive(Tags)]
enum Tag {
    /// Plugins with their settings.
    Destinations,
}

/// The operations on destinations.
pub(crate) struct DestinationsApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1/destinations")]
impl<G: Gateway> DestinationsApi<G> {
    /// List destinations
    ///
    /// Gives every configured destination, and how it does.
    #[oai(path = "/", method = "get", operation_id = "listDestinations", tag = "Tag::Destinations")]
    async fn list(&self, _key: ApiKey<G>) -> Result<Json<DestinationList>, Failure> {
        Ok(Json(DestinationList { items: self.0.destinations().await? }))
    }

    /// Get a destination
    ///
    /// Gives one destination, and how it does.
    #[oai(path = "/:name", method = "get", operation_id = "getDestination", tag = "Tag::Destinations")]
    async fn get(
        &self,
        _key: ApiKey<G>,
        /// The destination's name.
        name: Path<String>,
    ) -> Result<Json<Destination>, Failure> {
        self.0.destination(&name).await?.map(Json).ok_or_else(|| Failure::not_found("destination"))
    }
}

#[cfg(test)]
mod tests;
