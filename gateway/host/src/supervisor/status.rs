//! How an instance is doing, for people and for health checks.

use postroom_core::time::Timestamp;

use crate::{faults::Faults, plugin_health::PluginHealth, sandbox::Layers};

/// How an instance is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// The process is being started.
    Starting,
    /// The plugin takes deliveries.
    Ready {
        /// The process.
        pid: u32,
        /// Since when.
        since: Timestamp,
        /// How often it was started after a failure, in the life of this gateway.
        restarts: u32,
        /// The version of the plugin, as its file says.
        version: String,
        /// Which layers of its sandbox hold.
        sandbox: Layers,
        /// How the plugin says that it is; nothing until it was asked, and of a plugin that cannot be asked.
        health: Option<PluginHealth>,
        /// How often it broke which rule of its contract.
        faults: Faults,
    },
    /// The plugin failed and is going to be started again.
    Backoff {
        /// Failures in a row.
        failures: u32,
        /// As above.
        restarts: u32,
        /// What happened last.
        last_error: String,
        /// When it is started again.
        next_start: Timestamp,
    },
    /// The plugin refuses its configuration: the operator has to act.
    Refused {
        /// The plugin's words.
        reason: String,
    },
    /// Ended for good.
    Stopped,
}
