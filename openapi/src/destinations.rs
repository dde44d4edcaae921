//! The resource `destinations`: plugins with their settings, and how they do.

use std::collections::BTreeMap;

use poem_openapi::{Enum, Object, OpenApi, Tags, param::Path, payload::Json};
use serde_json::Value;

use crate::{
    auth::{ApiKey, OperatorKey},
    port::Gateway,
    problem::Failure,
    time::Timestamp,
};

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
    /// Its plugin is there, and `gate` says why nothing starts.
    Paused,
    /// Was stopped with the gateway or by a person.
    Stopped,
}

/// What lets deliveries start at a destination, or holds them back. What is there waits and loses no attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub enum Gate {
    /// Deliveries start.
    Open,
    /// A person has paused it: `paused_by` and `paused_since` say who and when.
    Held,
    /// Its schedule is closed until `paused_until`.
    Closed,
    /// The remote side asked for a pause, or its settings do not work, until `paused_until`.
    Paused,
    /// It keeps failing: from `paused_until` on, one delivery at a time tries whether it works again.
    Breaker,
}

/// How much of a sandbox the configuration wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub enum SandboxMode {
    /// All of it: without one of its layers the plugin is not loaded.
    Required,
    /// What the system offers.
    BestEffort,
    /// None.
    Off,
}

/// What keeps a plugin's process in bounds.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Sandbox {
    /// How much the configuration wants.
    pub mode: SandboxMode,
    /// The layers that hold: `no_new_privs`, `not_dumpable`, `limits`, `no_capabilities`, `landlock`, `seccomp`.
    pub active: Vec<String>,
    /// The layers that were tried and do not hold as a whole.
    pub missing: Vec<MissingLayer>,
}

/// A layer of a sandbox that does not hold as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct MissingLayer {
    /// Which one.
    pub layer: String,
    /// Why.
    pub reason: String,
}

/// The process that a plugin runs in.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct PluginProcess {
    /// Its id in the system.
    pub pid: u64,
    /// Since when it takes deliveries.
    pub since: Timestamp,
    /// How often the plugin was started after a failure since the gateway runs.
    pub restarts: u64,
    /// Memory of its own, in bytes; the bodies of events that it looks at are not counted. Absent when it cannot be told.
    pub memory_bytes: Option<u64>,
    /// Its threads. Absent when they cannot be told.
    pub threads: Option<u64>,
    /// What the plugin does against its contract without harm to others: a matter for its author.
    pub faults: PluginFaults,
}

/// How often a plugin broke rules of its contract, in the life of its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Object)]
pub struct PluginFaults {
    /// Deliveries that it ended without holding them, as for the second time.
    pub stale: u64,
    /// Deliveries that it took longer than 50 ms to take on, without saying that it blocks.
    pub slow: u64,
}

/// What a plugin says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub enum HealthState {
    /// It is well.
    Ok,
    /// Something that it needs is not there.
    Unavailable,
    /// Its settings have to be changed.
    Misconfigured,
}

/// How a plugin says that it is, asked every half minute.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct PluginHealth {
    /// The answer in one word.
    pub state: HealthState,
    /// Since when it has said so.
    pub since: Timestamp,
    /// What it adds to it; its keys are the plugin's.
    pub detail: Option<BTreeMap<String, Value>>,
}

/// Failures of a plugin that does not run because of them.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Backoff {
    /// Failures in a row: ends of its process, and starts that did not succeed.
    pub failures: u64,
    /// How often it was started after a failure since the gateway runs.
    pub restarts: u64,
    /// What happened last.
    pub last_error: String,
    /// When it is started again.
    pub next_start: Timestamp,
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
    /// What keeps its process in bounds. Absent while there is no process that takes deliveries.
    pub sandbox: Option<Sandbox>,
    /// Its process. Absent while there is none that takes deliveries.
    pub process: Option<PluginProcess>,
    /// What its plugin says of itself. Absent until it was asked, and where the plugin says nothing.
    pub health: Option<PluginHealth>,
    /// Its failures. Only while it backs off.
    pub backoff: Option<Backoff>,
    /// How it does.
    pub state: DestinationState,
    /// Why it is in this state, when there is more to say.
    pub detail: Option<String>,
    /// What lets deliveries start, or holds them back.
    pub gate: Gate,
    /// When the next delivery may start. Absent when nothing or only a person holds them back.
    pub paused_until: Option<Timestamp>,
    /// The name of the API key by which a person paused it.
    pub paused_by: Option<String>,
    /// When a person paused it.
    pub paused_since: Option<Timestamp>,
    /// Deliveries that the plugin has now.
    pub in_flight: u64,
    /// Deliveries that wait to be handed to the plugin; those in flight are not among them.
    pub waiting: u64,
    /// Whether more deliveries wait than are in memory; the rest is read from the store as room appears.
    pub behind: bool,
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

    /// Pause a destination
    ///
    /// Needs the role operator. Starts no delivery any more, until the destination is resumed, also over a restart of the
    /// gateway; what is in flight may end. Events are taken and wait. What is paused already keeps its first pause.
    #[oai(
        path = "/:name/pause",
        method = "post",
        operation_id = "pauseDestination",
        tag = "Tag::Destinations"
    )]
    async fn pause(
        &self,
        key: OperatorKey<G>,
        /// The destination's name.
        name: Path<String>,
    ) -> Result<Json<Destination>, Failure> {
        let destination = self.0.pause_destination(&name, &key.0).await?;
        destination.map(Json).ok_or_else(|| Failure::not_found("destination"))
    }

    /// Resume a destination
    ///
    /// Needs the role operator. Ends a pause, whether a person, the remote side, wrong settings or repeated failures made
    /// it. One delivery goes first, to see whether it works.
    #[oai(
        path = "/:name/resume",
        method = "post",
        operation_id = "resumeDestination",
        tag = "Tag::Destinations"
    )]
    async fn resume(
        &self,
        key: OperatorKey<G>,
        /// The destination's name.
        name: Path<String>,
    ) -> Result<Json<Destination>, Failure> {
        let destination = self.0.resume_destination(&name, &key.0).await?;
        destination.map(Json).ok_or_else(|| Failure::not_found("destination"))
    }
}

#[cfg(test)]
mod tests;
