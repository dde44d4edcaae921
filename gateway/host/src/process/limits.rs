//! How long a plugin process may take over what.

use std::time::Duration;

/// The patience of the gateway with one process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// To load the plugin and make the instance.
    pub(crate) start: Duration,
    /// To destroy the instance.
    pub(crate) destroy: Duration,
    /// Between two looks at the process.
    pub(crate) ping_interval: Duration,
    /// Before the first look at whether files with a rule have moved. No process is started anew for that more often.
    pub(crate) first_move: Duration,
    /// To answer a ping. A process that does not is stuck inside the plugin, or stopped.
    pub(crate) ping: Duration,
    /// To let go of a delivery that was cancelled. Looked at with the pings, so it may be one interval more.
    pub(crate) cancel: Duration,
    /// Between two questions how the plugin is.
    pub(crate) health_interval: Duration,
    /// To answer such a question. Looked at with the pings. The contract gives the plugin a second.
    pub(crate) health: Duration,
    /// To carry out what a plugin asks of its state.
    pub(crate) state: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(30),
            destroy: Duration::from_secs(5),
            ping_interval: Duration::from_secs(2),
            first_move: Duration::from_secs(30),
            ping: Duration::from_secs(10),
            cancel: Duration::from_secs(5),
            health_interval: Duration::from_secs(30),
            health: Duration::from_secs(5),
            state: Duration::from_secs(5),
        }
    }
}
