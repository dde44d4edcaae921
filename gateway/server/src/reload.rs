//! Goes over to another configuration, or to another build of a plugin, while events come and go.
//!
//! The configuration is read and checked as at a start, and new plugin processes are started beside the old ones. Only when
//! all of that is well does anything change; until then the gateway runs as if nobody had asked.

mod change;
mod load;
mod refusal;
mod stamp;
mod watch;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use postroom_core::id::DestinationName;
use postroom_engine::{Handle, Intake};
use postroom_host::{Instance, Reloaded};
use tokio::{
    runtime,
    sync::{Mutex, watch::Sender},
};
use tokio_util::sync::CancellationToken;

use self::stamp::Stamp;
pub(crate) use self::{load::Loaded, refusal::Refusal, watch::watch};
use crate::{
    api::{ApiKeys, Destinations, MonitorMetrics, Sessions, Stream},
    assemble::Offers,
    config::{
        Config, Draft, LoadError,
        resolve::Resolved,
        settings::{Changes, Settings},
    },
};

/// Reads the configuration anew, as at the start of the gateway: the same file, flags and environment.
pub type ReadAgain = Arc<dyn Fn() -> Result<Draft, LoadError> + Send + Sync>;

/// The parts of a running gateway that its configuration decides.
#[derive(Debug, Clone)]
pub(crate) struct Governed {
    pub(crate) offers: Offers,
    pub(crate) engine: Arc<Handle>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) keys: Arc<ApiKeys>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) destinations: Arc<Destinations>,
    pub(crate) stream: Stream,
    pub(crate) monitor_metrics: MonitorMetrics,
}

/// Which configuration is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InForce {
    /// Counts the configurations since the start of the gateway; the first is 1.
    pub(crate) generation: u64,
    /// Tells configurations apart that mean different things. Of settings that need a restart it is about those that hold.
    pub(crate) fingerprint: String,
}

/// A configuration has been applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) in_force: InForce,
    pub(crate) changes: Changes,
    /// Destinations that nothing was done to.
    pub(crate) unchanged: Vec<DestinationName>,
}

/// The configuration in force, for those who look at it.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) config: Config,
    /// Each destination with its plugin, in the order of the configuration.
    pub(crate) resolved: Vec<Resolved>,
}

/// Reloads a running gateway, one wish at a time.
pub(crate) struct Reloader {
    read_again: ReadAgain,
    governed: Governed,
    current: Mutex<Current>,
    in_force: Sender<InForce>,
    /// Apart from `current`, which a reload has for as long as it takes.
    shown: Sender<Arc<Shown>>,
    stopping: CancellationToken,
    /// What it starts outlives whoever asks: a thread that serves requests ends before the deliveries do.
    runtime: runtime::Handle,
}

/// What the gateway runs with.
#[derive(Debug)]
struct Current {
    config: Config,
    /// Each destination with its plugin, in the order of the configuration.
    resolved: Vec<Resolved>,
    /// The files of the plugins as they were when they were looked up.
    stamps: BTreeMap<DestinationName, Stamp>,
    settings: Settings,
    instances: BTreeMap<DestinationName, Instance>,
}

impl Reloader {
    /// For a gateway that runs with `loaded`, on the current runtime.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(crate) fn new(
        read_again: ReadAgain,
        governed: Governed,
        loaded: Loaded,
        instances: BTreeMap<DestinationName, Instance>,
    ) -> Self {
        let Loaded { config, resolved, stamps, settings } = loaded;
        let in_force = InForce { generation: 1, fingerprint: settings.fingerprint() };
        let shown = Shown { config: config.clone(), resolved: resolved.clone() };
        Self {
            read_again,
            governed,
            current: Mutex::new(Current { config, resolved, stamps, settings, instances }),
            in_force: Sender::new(in_force),
            shown: Sender::new(Arc::new(shown)),
            stopping: CancellationToken::new(),
            runtime: runtime::Handle::current(),
        }
    }

    /// Which configuration is in force.
    pub(crate) fn in_force(&self) -> InForce {
        self.in_force.borrow().clone()
    }

    /// The configuration in force; while a reload is under way, as before it.
    pub(crate) fn shown(&self) -> Arc<Shown> {
        self.shown.borrow().clone()
    }

    /// Reads the configuration again, checks all of it, and goes over to it. `by` says who wants that.
    ///
    /// Runs to its end when the caller goes away.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub(crate) async fn reload(self: &Arc<Self>, by: &str) -> Result<Applied, Refusal> {
        let reloader = Arc::clone(self);
        let done = self.runtime.spawn(async move { reloader.reload_now().await }).await;
        let done = done.unwrap_or(Err(Refusal::Stopping));
        match &done {
            Ok(Applied { in_force: InForce { generation, fingerprint }, changes, .. }) => {
                tracing::info!(
                    by,
                    generation,
                    fingerprint,
                    reloaded = %List(&changes.reloaded),
                    rotated = %List(&changes.rotated),
                    added = %List(&changes.added),
                    removed = %List(&changes.removed),
                    "configuration reloaded"
                );
                if !changes.needs_restart.is_empty() {
                    let settings = changes.needs_restart.join(", ");
                    tracing::warn!(settings, "these settings have changed and need a restart of the gateway");
                }
            }
            Err(refusal) => {
                for reason in refusal.reasons() {
                    tracing::error!(by, reason, "configuration not reloaded, nothing has changed");
                }
            }
        }
        done
    }

    /// Has a destination go over to the plugin file that is there now, with the settings it has. `None`: there is no such
    /// destination. `by` says who wants that.
    ///
    /// Runs to its end when the caller goes away.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub(crate) async fn reload_destination(
        self: &Arc<Self>,
        name: &str,
        by: &str,
    ) -> Result<Option<Reloaded>, Refusal> {
        let (reloader, wanted) = (Arc::clone(self), name.to_owned());
        let done = self.runtime.spawn(async move { reloader.reload_destination_now(&wanted).await }).await;
        let done = done.unwrap_or(Err(Refusal::Stopping));
        match &done {
            Ok(Some(Reloaded { pid, version })) => {
                tracing::info!(by, destination = name, pid, version, "plugin reloaded");
            }
            Ok(None) => {}
            Err(refusal) => {
                for reason in refusal.reasons() {
                    tracing::error!(
                        by,
                        destination = name,
                        reason,
                        "plugin not reloaded, nothing has changed"
                    );
                }
            }
        }
        done
    }

    /// Refuses what is asked for from now on, and gives all plugins, to be stopped.
    pub(crate) async fn stop(&self) -> Vec<Instance> {
        self.stopping.cancel();
        std::mem::take(&mut self.current.lock().await.instances).into_values().collect()
    }
}

impl fmt::Debug for Reloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloader").field("in_force", &*self.in_force.borrow()).finish_non_exhaustive()
    }
}

/// Names in a line of the log.
struct List<'a>(&'a BTreeSet<DestinationName>);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(DestinationName::as_str).collect();
        f.write_str(&names.join(", "))
    }
}
