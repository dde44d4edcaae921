//! One running plugin process, seen from the gateway.

mod actions;
mod bounds;
mod deliver;
mod emit;
mod ending;
mod exit;
mod faults;
mod footprint;
mod health;
mod limits;
mod metrics;
mod moves;
mod outgoing;
mod output;
mod pending;
mod secrets;
mod session;
mod socket;
mod spawn;
mod start_error;
mod state;
mod usage;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::BytesMut;
use postroom_core::{id::DestinationName, secret::Secret};
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use self::{
    actions::Actions, bounds::Bounds, emit::EmitDesk, faults::FaultBook, health::HealthDesk,
    metrics::MetricDesk, moves::MoveWatch, pending::Pending, session::Session, state::StateDesk,
};
pub(crate) use self::{ending::Ending, exit::Exit, limits::Limits, start_error::StartError};
pub use self::{footprint::Footprint, usage::Usage};
use crate::{
    clock,
    config_fault::ConfigFault,
    faults::Faults,
    inspect::PluginFile,
    manifest::Manifest,
    mask::{Given, Mask},
    plugin_emit::PluginEmit,
    plugin_health::PluginHealth,
    plugin_log::{PluginLog, current_level},
    plugin_metrics::PluginMetrics,
    plugin_state::PluginState,
    program::Program,
    sandbox::{self, Layer, Layers, Plan, Sandbox, SandboxMode},
    sealed::{Sealed, seal},
    wire::{Frame, Start, ToGateway},
};

/// Frames that wait to be written, beside the offer and the cancel of each delivery: pings, and the first and last.
const OUTGOING_MAX: usize = 64;

/// What a process is made of.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    pub(crate) destination: DestinationName,
    pub(crate) plugin: PluginFile,
    pub(crate) config: serde_json::Value,
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// Keeps those out of what the plugin says, and those that the processes before it had.
    pub(crate) mask: Arc<Mask>,
    /// Keeps what the plugin wants to keep; without it nothing can be kept.
    pub(crate) state: Option<Arc<dyn PluginState>>,
    /// Takes the events that the plugin makes, where it may make any.
    pub(crate) emit: Option<Arc<dyn PluginEmit>>,
    /// Counts what the plugin measures.
    pub(crate) metrics: Option<Arc<dyn PluginMetrics>>,
    pub(crate) program: Program,
    pub(crate) sandbox: Sandbox,
    /// The bytes to load; without them the file is read.
    pub(crate) sealed: Option<Sealed>,
    /// See [`Plan::left_out`].
    pub(crate) left_out: BTreeSet<Layer>,
    /// Most deliveries in flight at once; the plugin may want fewer.
    pub(crate) concurrency: u32,
    /// How long it may take to end what it has when it is relieved.
    pub(crate) drain: Duration,
    pub(crate) limits: Limits,
}

/// What is seen of a plugin whose configuration is good.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The layers of the process's sandbox that hold.
    pub(crate) layers: Layers,
    /// Whether the library has actions.
    pub(crate) actions: bool,
}

/// A plugin that takes deliveries.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    destination: DestinationName,
    sealed: Sealed,
    mask: Arc<Mask>,
    /// Its secrets.
    given: Mutex<Given>,
    outgoing: mpsc::Sender<Frame>,
    pending: Arc<Pending>,
    actions: Arc<Actions>,
    /// One permit for each delivery that the plugin may hold.
    slots: Arc<Semaphore>,
    /// Said by the process before it opened the library.
    layers: Arc<OnceLock<Layers>>,
    /// Whether files that its sandbox has rules about are other files by now.
    moved: watch::Receiver<bool>,
    faults: watch::Receiver<Faults>,
    next_token: AtomicU64,
    /// How often its secrets were replaced.
    secrets_number: AtomicU64,
    exit: watch::Receiver<Option<Exit>>,
    health: watch::Receiver<Option<PluginHealth>>,
    limits: Limits,
    /// It was told to stop, and nothing more is offered to it.
    stopping: AtomicBool,
    /// Kills the process.
    kill: CancellationToken,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill.cancel();
    }
}

impl Process {
    /// Starts a process and waits until its plugin is ready.
    pub(crate) async fn start(launch: &Launch) -> Result<Self, StartError> {
        let (process, ready) = Self::spawn(launch, false).await?;
        match process.first_answer(ready).await? {
            ToGateway::Ready { concurrency } => {
                let concurrency = concurrency.clamp(1, launch.concurrency.max(1));
                process.slots.add_permits(usize::try_from(concurrency).unwrap_or(usize::MAX));
                Ok(process)
            }
            answer => Err(StartError::of(answer, &process.mask)),
        }
    }

    /// Starts a process that only checks the configuration.
    pub(crate) async fn check(launch: &Launch) -> Result<Checked, StartError> {
        let (process, ready) = Self::spawn(launch, true).await?;
        match process.first_answer(ready).await? {
            ToGateway::Valid { actions } => Ok(Checked { layers: process.layers(), actions }),
            answer => Err(StartError::of(answer, &process.mask)),
        }
    }

    async fn spawn(
        launch: &Launch,
        check_only: bool,
    ) -> Result<(Self, oneshot::Receiver<ToGateway>), StartError> {
        let sealed = match &launch.sealed {
            Some(sealed) => sealed.clone(),
            None => seal_aside(launch.plugin.clone()).await?,
        };
        let mut plan =
            Plan::new(&launch.sandbox, &sealed.plugin.manifest, &launch.config, launch.concurrency);
        plan.left_out.extend(&launch.left_out);
        refuse_closed(&plan, &launch.sandbox.own).await?;
        let spawn_error = |source| StartError::Spawn { program: launch.program.path().into(), source };
        let spawned = spawn::spawn(launch.program.path()).await.map_err(spawn_error)?;
        let (incoming, writer) = socket::split(spawned.socket).map_err(spawn_error)?;
        // A cancel must always find room: a target that hangs makes all deliveries run out of time together.
        let deliveries = usize::try_from(launch.concurrency).unwrap_or(usize::MAX);
        let (outgoing, frames) = mpsc::channel(OUTGOING_MAX.saturating_add(deliveries.saturating_mul(2)));
        let (replies, state_replies) = mpsc::channel(state::REPLIES_MAX);
        tokio::spawn(outgoing::write_frames(writer, frames, state_replies));

        let mask = Arc::clone(&launch.mask);
        // Before it can say anything.
        let given = Mutex::new(mask.give(launch.secrets.values()));
        let log = Arc::new(PluginLog::new(launch.destination.clone(), Arc::clone(&mask)));
        let pending = Arc::new(Pending::default());
        let actions = Arc::default();
        let slots = Arc::new(Semaphore::new(0));
        let layers = Arc::new(OnceLock::new());
        let (moves, moved) = MoveWatch::new(&launch.limits);
        let (fault_book, faults) = FaultBook::new(launch.destination.clone());
        let kill = CancellationToken::new();
        let (exit_sender, exit) = watch::channel(None);
        let (ready_sender, ready) = oneshot::channel();
        let (health_desk, health) =
            HealthDesk::new(launch.destination.clone(), Arc::clone(&mask), &launch.limits);
        let session = Session {
            incoming,
            buffer: BytesMut::new(),
            ready: Some(ready_sender),
            pending: Arc::clone(&pending),
            actions: Arc::clone(&actions),
            slots: Arc::clone(&slots),
            layers: Arc::clone(&layers),
            moves,
            faults: fault_book,
            bounds: Bounds::of(&plan),
            outgoing: outgoing.clone(),
            emit: EmitDesk::new(
                launch.emit.clone(),
                sealed.plugin.manifest.emits.clone(),
                Arc::clone(&mask),
                replies.clone(),
                launch.limits.state,
            ),
            metrics: MetricDesk::new(
                launch.metrics.clone(),
                &sealed.plugin.manifest.metrics,
                Arc::clone(&mask),
            ),
            state: StateDesk::new(launch.state.clone(), replies, launch.limits.state),
            health: health_desk,
            ping: None,
            limits: launch.limits,
            output: output::capture(spawned.stdout, spawned.stderr, &log),
            log,
            child: spawned.child,
            kill: kill.clone(),
        };
        tokio::spawn(session.run(exit_sender));

        let process = Self {
            pid: spawned.pid,
            destination: launch.destination.clone(),
            sealed: sealed.clone(),
            mask,
            given,
            outgoing,
            pending,
            actions,
            slots,
            layers,
            moved,
            faults,
            next_token: AtomicU64::new(1),
            secrets_number: AtomicU64::new(0),
            exit,
            health,
            limits: launch.limits,
            stopping: AtomicBool::new(false),
            kill,
        };
        let start = Start {
            plan,
            config_json: launch.config.to_string(),
            secrets: launch.secrets.clone(),
            concurrency: launch.concurrency,
            log_level: current_level(),
            metrics: declared_metrics(&sealed.plugin.manifest),
            emit: launch.emit.is_some(),
            check_only,
        };
        // There is room for a first frame. If the process is gone already, its end is what the caller hears of next.
        drop(process.outgoing.try_send(Frame::start(&start, sealed.library)));
        Ok((process, ready))
    }

    async fn first_answer(&self, ready: oneshot::Receiver<ToGateway>) -> Result<ToGateway, StartError> {
        match timeout(self.limits.start, ready).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(StartError::Ended(self.exited().await)),
            Err(_) => Err(StartError::TooSlow(self.limits.start)),
        }
    }

    /// The layers of its sandbox that hold.
    pub(crate) fn layers(&self) -> Layers {
        self.layers.get().cloned().unwrap_or_default()
    }

    /// What was loaded.
    pub(crate) fn sealed(&self) -> Sealed {
        self.sealed.clone()
    }

    /// The version of the plugin, as the loaded file says.
    pub(crate) fn version(&self) -> &str {
        &self.sealed.plugin.manifest.version
    }

    /// How the plugin says that it is; nothing until it was asked, and of a plugin that cannot be.
    pub(crate) fn health(&self) -> watch::Receiver<Option<PluginHealth>> {
        self.health.clone()
    }

    /// Which rules of its contract the plugin has broken, as far as the process has told.
    pub(crate) fn faults(&self) -> watch::Receiver<Faults> {
        self.faults.clone()
    }

    /// Waits until a file or folder that the sandbox has a rule about is another one: the rule is still about the one
    /// before it, and only a process that is started now gets another.
    pub(crate) async fn places_moved(&self) {
        moves::until_moved(self.moved.clone()).await;
    }

    /// Waits until the process has ended.
    pub(crate) async fn exited(&self) -> Exit {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await;
        ended
            .ok()
            .and_then(|exit| exit.clone())
            .unwrap_or_else(|| Exit::Killed("the gateway stops".to_owned()))
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Lets the plugin end what it has, until `deadline` from now, and ends the process. Of several deadlines the earliest
    /// holds; the plugin is told the first.
    pub(crate) async fn stop(&self, deadline: Duration) {
        // Whoever waits for a place must not get one now: the plugin was promised that nothing more comes.
        self.slots.close();
        let told = self.stopping.swap(true, Ordering::Relaxed);
        let deadline_unix_ms = clock::unix_ms(clock::now().plus(deadline));
        let limit = deadline.saturating_add(self.limits.destroy);
        let ended = timeout(limit, async {
            if !told {
                // If the process is gone already, so much the better.
                drop(self.outgoing.send(Frame::stop(deadline_unix_ms)).await);
            }
            self.exited().await
        });
        if ended.await.is_err() {
            let destination = self.destination.as_str();
            tracing::warn!(destination, pid = self.pid, "plugin did not stop within {limit:?}: killed");
            self.kill.cancel();
            self.exited().await;
        }
    }

    /// Ends the process at once.
    pub(crate) fn kill(&self) {
        self.kill.cancel();
    }
}

/// The metrics of a plugin with the kind of each, for the plugin's side.
fn declared_metrics(manifest: &Manifest) -> BTreeMap<String, String> {
    manifest.metrics.iter().map(|metric| (metric.name.clone(), metric.kind.as_str().to_owned())).collect()
}

/// Refuses what is granted to no plugin. The file system may hang, and this thread is everybody's.
async fn refuse_closed(plan: &Plan, own: &[PathBuf]) -> Result<(), StartError> {
    if plan.mode == SandboxMode::Off || plan.folders.is_empty() {
        return Ok(());
    }
    let (folders, own) = (plan.folders.clone(), own.to_vec());
    let refused = tokio::task::spawn_blocking(move || sandbox::refused(&folders, &own)).await;
    let refused = refused.map_err(|_| StartError::Failed("the gateway stops".to_owned()))?;
    let faults = refused.into_iter().map(|message| ConfigFault { path: String::new(), message });
    let faults: Vec<_> = faults.collect();
    if faults.is_empty() { Ok(()) } else { Err(StartError::Refused(faults)) }
}

/// Reading a library takes a while on a slow disk, and this thread is everybody's.
async fn seal_aside(plugin: PluginFile) -> Result<Sealed, StartError> {
    let sealed = tokio::task::spawn_blocking(move || seal(&plugin)).await;
    Ok(sealed.map_err(|_| StartError::Failed("the gateway stops".to_owned()))??)
}

#[cfg(test)]
mod tests;
