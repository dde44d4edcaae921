//! The plugin of one destination, as the rest of the gateway sees it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use postroom_core::{
    id::DestinationName,
    outcome::{Outcome, OutcomeKind},
    secret::Secret,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, timeout_at},
};

use crate::{
    delivery::{Delivered, PluginDelivery},
    inspect::PluginFile,
    plugin_state::PluginState,
    process::{Launch, Limits, Process},
    program::Program,
    sandbox::Sandbox,
    supervisor::{Backoff, Status, Supervisor},
};

/// What an instance is made of.
#[derive(Debug, Clone)]
pub struct InstanceConfig {
    /// Whose plugin this is.
    pub destination: DestinationName,
    /// The plugin.
    pub plugin: PluginFile,
    /// Its settings; secrets stand in them as `{"$secret": "name"}`.
    pub config: serde_json::Value,
    /// The secrets that `config` names, by name. The plugin gets these and no others.
    pub secrets: BTreeMap<String, Secret>,
    /// Keeps what the plugin wants to keep; without it the plugin is told that its state is unavailable.
    pub state: Option<Arc<dyn PluginState>>,
    /// What its process is started from.
    pub program: Program,
    /// How that process is confined.
    pub sandbox: Sandbox,
    /// Most deliveries in flight at once. The plugin's manifest may want fewer.
    pub concurrency: u32,
    /// When to start again after a failure.
    pub backoff: Backoff,
}

/// The plugin of one destination: a handle to a process that is started again whenever it ends.
///
/// When the last handle is dropped, the process is killed. To end it in good order, call [`Instance::stop`].
#[derive(Debug, Clone)]
pub struct Instance {
    phase: watch::Receiver<Phase>,
    status: watch::Receiver<Status>,
    stop: mpsc::Sender<StopRequest>,
}

impl InstanceConfig {
    /// What each of its processes is started with.
    pub(crate) fn launch(self) -> Launch {
        Launch {
            concurrency: self.plugin.manifest.concurrency_within(self.concurrency),
            destination: self.destination,
            plugin: self.plugin,
            config: self.config,
            secrets: self.secrets,
            state: self.state,
            program: self.program,
            sandbox: self.sandbox,
            left_out: [].into(),
            limits: Limits::default(),
        }
    }
}

/// What a delivery needs to know.
#[derive(Debug, Clone)]
pub(crate) enum Phase {
    /// Being started, or waiting to be.
    Waiting,
    Ready(Arc<Process>),
    Refused(Arc<str>),
    Stopped,
}

/// A wish to end the plugin in good order.
#[derive(Debug)]
pub(crate) struct StopRequest {
    /// How long it may take to end the deliveries that it has.
    pub(crate) deadline: Duration,
    /// Told when the process is gone.
    pub(crate) done: oneshot::Sender<()>,
}

impl Instance {
    /// Starts the plugin on the current runtime, and goes on starting it until it is stopped.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start(config: InstanceConfig) -> Self {
        let (phase_sender, phase) = watch::channel(Phase::Waiting);
        let (status_sender, status) = watch::channel(Status::Starting);
        let (stop, stop_requests) = mpsc::channel(1);
        let supervisor = Supervisor {
            backoff: config.backoff,
            launch: config.launch(),
            phase: phase_sender,
            status: status_sender,
            stop: stop_requests,
        };
        tokio::spawn(supervisor.run());
        Self { phase, status, stop }
    }

    /// Has the plugin deliver an event, and waits for the end of the attempt.
    ///
    /// An attempt that reaches its time limit is cancelled. It comes back, as a retry, only when the plugin has let go of
    /// the event, for which it has a few seconds before its process is ended: whoever offers the next delivery of a lane
    /// after this one has come back never has two of them inside the plugin.
    ///
    /// While the plugin is not running this waits, because most restarts take a moment. The wait is no attempt: when it
    /// has used half of the time limit, the delivery comes back as [`Delivered::NotAccepted`]. So a plugin that crashes
    /// costs attempts only to the deliveries that it held, and a plugin that just came up still gets the other half.
    ///
    /// One whose `cancel` is cancelled comes back under the same rule, as [`Delivered::Cancelled`] unless the plugin says that
    /// it delivered it all the same; and at once, as [`Delivered::NotAccepted`], if the plugin does not have it yet.
    ///
    /// Dropping the future cancels the delivery too; whether the remote side has got it is then unknown.
    pub async fn deliver(&self, delivery: PluginDelivery) -> Delivered {
        let now = Instant::now();
        let until = now + delivery.time_limit;
        let accept_until = now + delivery.time_limit / 2;
        let mut phase = self.phase.clone();
        loop {
            let current = phase.borrow_and_update().clone();
            match current {
                Phase::Ready(process) => {
                    if let Some(delivered) = process.deliver(&delivery, accept_until, until).await {
                        return delivered;
                    }
                    // The process has ended before it saw the event: the phase is about to change.
                }
                Phase::Refused(reason) => return Delivered::Outcome(misconfigured(&reason)),
                Phase::Stopped => return Delivered::NotAccepted,
                Phase::Waiting => {}
            }
            tokio::select! {
                biased;
                () = delivery.cancel.cancelled() => return Delivered::NotAccepted,
                changed = timeout_at(accept_until, phase.changed()) => {
                    if !matches!(changed, Ok(Ok(()))) {
                        return Delivered::NotAccepted;
                    }
                }
            }
        }
    }

    /// How the instance is doing, now and from now on.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Takes no more deliveries, gives the plugin until `deadline` from now to end those it has, and ends it. Comes back
    /// when the process is gone.
    pub async fn stop(&self, deadline: Duration) {
        let (done, stopped) = oneshot::channel();
        // Either fails only when the instance has been stopped before.
        drop(self.stop.send(StopRequest { deadline, done }).await);
        drop(stopped.await);
    }
}

fn misconfigured(reason: &str) -> Outcome {
    Outcome { kind: OutcomeKind::Misconfigured, ..Outcome::retry("config_refused", reason) }
}

#[cfg(test)]
mod tests;
