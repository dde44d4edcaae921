//! How an instance goes over to another process.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::{
    config_fault::{self, ConfigFault},
    instance::Probation,
    process::StartError,
};

/// A process that is ready to take over. Dropped, it is ended, and nothing has changed.
#[derive(Debug)]
pub struct Prepared {
    pub(crate) commit: oneshot::Sender<oneshot::Sender<Reloaded>>,
    pub(crate) probation: Arc<Probation>,
}

/// A new process has taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    /// The process that takes deliveries now.
    pub pid: u32,
    /// The version of the plugin in it, as its file says.
    pub version: String,
}

/// Why no new process has taken over. Whatever served before still does, with the settings it had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// The plugin refuses the new configuration.
    #[error("the plugin refuses its config: {}", config_fault::list(faults))]
    Refused {
        /// What the plugin has against it; never empty.
        faults: Vec<ConfigFault>,
    },
    /// The new process did not become ready.
    #[error("{reason}")]
    Failed {
        /// What happened to it.
        reason: String,
    },
    /// Nobody wants it any more: a later reload took its place, or whoever asked for it went away.
    #[error("it was withdrawn, or a later reload took its place")]
    Withdrawn,
    /// The plugin is being stopped.
    #[error("the plugin is being stopped")]
    Stopped,
}

impl Prepared {
    /// Lets the new process take the deliveries that come, and those that wait for a place in the one before it. That one
    /// ends what it holds, and goes. Comes back when the new one has taken over.
    ///
    /// # Errors
    /// [`ReloadError::Withdrawn`] when it is too late: the plugin is being stopped, or a later reload has begun.
    pub async fn commit(self) -> Result<Reloaded, ReloadError> {
        let (done, reloaded) = oneshot::channel();
        self.commit.send(done).map_err(|_| ReloadError::Withdrawn)?;
        let reloaded = reloaded.await.map_err(|_| ReloadError::Withdrawn)?;
        self.probation.forgive();
        Ok(reloaded)
    }
}

impl From<StartError> for ReloadError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Refused(faults) => Self::Refused { faults },
            other => Self::Failed { reason: other.with_cause() },
        }
    }
}
