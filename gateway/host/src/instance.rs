//! The plugin of one destination, as the rest of the gateway sees it.

mod act;
mod probation;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use postroom_core::{
    id::DestinationName,
    outcome::{Outcome, OutcomeKind},
    secret::Secret,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until, timeout_at},
};

use self::probation::Pass;
pub(crate) use self::probation::Probation;
use crate::{
    delivery::{Delivered, PluginDelivery},
    inspect::PluginFile,
    mask::Mask,
    plugin_emit::PluginEmit,
    plugin_metrics::PluginMetrics,
    plugin_state::PluginState,
    process::{Launch, Limits, Process},
    program::Program,
    sandbox::Sandbox,
    supervisor::{
        Backoff, Command, Prepared, ReloadError, ReloadRequest, Reloaded, Status, StopRequest, Supervisor,
    },
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
    /// Takes the events that the plugin makes; without it the plugin may make none.
    pub emit: Option<Arc<dyn PluginEmit>>,
    /// Counts what the plugin measures; without it nobody does.
    pub metrics: Option<Arc<dyn PluginMetrics>>,
    /// What its process is started from.
    pub program: Program,
    /// How that process is confined.
    pub sandbox: Sandbox,
    /// Most deliveries in flight at once. The plugin's manifest may want fewer.
    pub concurrency: u32,
    /// How long a process may take to end the deliveries that it has when another one relieves it, because files that it uses
    /// were moved: at least as long as a delivery may take in all.
    pub drain: Duration,
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
    commands: mpsc::Sender<Command>,
    probation: Arc<Probation>,
    /// Keeps all secrets of its processes out of what they say.
    mask: Arc<Mask>,
}

impl InstanceConfig {
    /// What each of its processes is started with. All of them share `mask`.
    pub(crate) fn launch(self, mask: Arc<Mask>) -> Launch {
        Launch {
            concurrency: self.plugin.manifest.concurrency_within(self.concurrency),
            destination: self.destination,
            plugin: self.plugin,
            config: self.config,
            secrets: self.secrets,
            mask,
            state: self.state,
            emit: self.emit,
            metrics: self.metrics,
            program: self.program,
            sandbox: self.sandbox,
            sealed: None,
            left_out: [].into(),
            drain: self.drain,
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

impl Instance {
    /// Starts the plugin on the current runtime, and goes on starting it until it is stopped.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start(config: InstanceConfig) -> Self {
        let (phase_sender, phase) = watch::channel(Phase::Waiting);
        let (status_sender, status) = watch::channel(Status::Starting);
        let (commands, requests) = mpsc::channel(1);
        let (backoff, mask) = (config.backoff, Arc::<Mask>::default());
        let launch = config.launch(Arc::clone(&mask));
        let supervisor = Supervisor::new(launch, backoff, phase_sender, status_sender, requests);
        tokio::spawn(supervisor.run());
        Self { phase, status, commands, probation: Arc::default(), mask }
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
    /// An event that a process held when it ended is alone in the plugin the next time, for which it waits like the others.
    /// What ends processes all by itself comes back as permanent in the end.
    ///
    /// Dropping the future cancels the delivery too; whether the remote side has got it is then unknown.
    pub async fn deliver(&self, delivery: PluginDelivery) -> Delivered {
        let now = Instant::now();
        let until = now + delivery.time_limit;
        let accept_until = now + delivery.time_limit / 2;
        let mut phase = self.phase.clone();
        let Some(_pass) = self.enter(&delivery, accept_until).await else { return Delivered::NotAccepted };
        loop {
            let current = phase.borrow_and_update().clone();
            match current {
                Phase::Ready(process) => {
                    if let Some(delivered) = process.deliver(&delivery, accept_until, until).await {
                        let event = delivery.event.id;
                        return self.probation.came_back(event, delivered, process.ending_of(event));
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

    /// Waits until the event may be inside the plugin; `None` when that takes too long, or is not wanted any more.
    async fn enter(&self, delivery: &PluginDelivery, accept_until: Instant) -> Option<Pass<'_>> {
        let event = delivery.event.id;
        let mut phase = self.phase.clone();
        tokio::select! {
            biased;
            () = delivery.cancel.cancelled() => None,
            _ = phase.wait_for(|phase| matches!(phase, Phase::Stopped)) => None,
            pass = self.probation.enter(event) => Some(pass),
            () = sleep_until(accept_until) => {
                self.probation.waited_in_vain(event);
                None
            }
        }
    }

    /// How the instance is doing, now and from now on.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Goes over to another file or other settings: [`Instance::prepare`], and then [`Prepared::commit`].
    ///
    /// # Errors
    /// Why the second process is not ready. Then whatever served goes on, with the settings it had.
    pub async fn reload(&self, config: InstanceConfig, drain: Duration) -> Result<Reloaded, ReloadError> {
        self.prepare(config, drain).await?.commit().await
    }

    /// Starts a second process with another file or other settings, and waits until its plugin is ready. The first serves
    /// on. Once the second takes over, it gets the deliveries that come, and those that waited for a place in the first.
    /// The first has until `drain` from then to end those it holds, and goes.
    ///
    /// While no process serves, because the plugin fails or refuses its configuration, this is a start at once. A reload
    /// that is asked for before another is done takes its place.
    ///
    /// Deliveries that the first process still holds do not take places of the second. How many there are in both together
    /// is up to the caller of [`Instance::deliver`], who has at most so many at once.
    ///
    /// # Errors
    /// Why the second process is not ready. Then whatever served goes on, with the settings it had.
    pub async fn prepare(&self, config: InstanceConfig, drain: Duration) -> Result<Prepared, ReloadError> {
        let backoff = config.backoff;
        let (prepared, ready) = oneshot::channel();
        let (commit, committed) = oneshot::channel();
        let launch = config.launch(Arc::clone(&self.mask));
        let request = ReloadRequest { launch, backoff, drain, prepared, commit: committed };
        // Fails only when the instance has been stopped.
        drop(self.commands.send(Command::Reload(Box::new(request))).await);
        match ready.await {
            Ok(ready) => ready.map(|()| Prepared { commit, probation: Arc::clone(&self.probation) }),
            Err(_) if self.commands.is_closed() => Err(ReloadError::Stopped),
            Err(_) => Err(ReloadError::Withdrawn),
        }
    }

    /// Goes on with these secrets in the place of all before them, without a new process.
    pub async fn rotate(&self, secrets: BTreeMap<String, Secret>) {
        // Fails only when the instance has been stopped.
        drop(self.commands.send(Command::Secrets(secrets)).await);
    }

    /// Takes no more deliveries, gives the plugin until `deadline` from now to end those it has, and ends it. Comes back
    /// when the process is gone.
    pub async fn stop(&self, deadline: Duration) {
        let (done, stopped) = oneshot::channel();
        // Either fails only when the instance has been stopped before.
        drop(self.commands.send(Command::Stop(StopRequest { deadline, done })).await);
        drop(stopped.await);
    }
}

fn misconfigured(reason: &str) -> Outcome {
    Outcome { kind: OutcomeKind::Misconfigured, ..Outcome::retry("config_refused", reason) }
}

#[cfg(test)]
mod tests;
