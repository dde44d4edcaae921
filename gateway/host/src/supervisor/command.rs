//! What an instance is asked for while it lives.

use std::{collections::BTreeMap, time::Duration};

use postroom_core::secret::Secret;
use tokio::sync::oneshot;

use super::{Backoff, ReloadError, Reloaded};
use crate::process::Launch;

/// A wish of whoever holds the instance.
#[derive(Debug)]
pub(crate) enum Command {
    /// End the plugin in good order.
    Stop(StopRequest),
    /// Go over to another file or other settings.
    Reload(Box<ReloadRequest>),
    /// Go on with these secrets in the place of all before them.
    Secrets(BTreeMap<String, Secret>),
}

/// A wish to end the plugin in good order.
#[derive(Debug)]
pub(crate) struct StopRequest {
    /// How long it may take to end the deliveries that it has.
    pub(crate) deadline: Duration,
    /// Told when the process is gone.
    pub(crate) done: oneshot::Sender<()>,
}

/// A wish to go over to another file or other settings.
#[derive(Debug)]
pub(crate) struct ReloadRequest {
    /// What the process that takes over is started with.
    pub(crate) launch: Launch,
    pub(crate) backoff: Backoff,
    /// How long the process before it may take to end the deliveries that it has.
    pub(crate) drain: Duration,
    /// Told when the new process is ready, or why it is not.
    pub(crate) prepared: oneshot::Sender<Result<(), ReloadError>>,
    /// Says that the new process takes over, and where to tell that it has. Without a word it is ended.
    pub(crate) commit: oneshot::Receiver<oneshot::Sender<Reloaded>>,
}
