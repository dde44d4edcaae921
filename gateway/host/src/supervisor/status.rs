//! How an instance is doing, for people and for health checks.

use postroom_core::time::Timestamp;

use crate::sandbox::Layers;

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
        /// How often the plugin was ready before, in the life of this gateway.
        restarts: u32,
        /// Which layers of its sandbox hold.
        sandbox: Layers,
    },
    /// The plugin failed and is going to be started again.
    Backoff {
        /// Failures in a row.
        failures: u32,
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
