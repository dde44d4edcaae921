//! Keeps the plugin process of one destination running.

mod backoff;
mod command;
mod reload;
mod start;
mod status;

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    time::Duration,
};

use postroom_core::secret::Secret;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

pub(crate) use self::command::{Command, ReloadRequest, StopRequest};
use self::start::{Start, Started, Successor};
pub use self::{
    backoff::Backoff,
    reload::{Prepared, ReloadError, Reloaded},
    status::Status,
};
use crate::{
    clock, config_fault,
    faults::Faults,
    instance::Phase,
    plugin_health::PluginHealth,
    process::{Exit, Launch, Process, StartError},
};

/// From so many failures in a row on a plugin is in a crash loop, and people are to look at it.
const CRASH_LOOP: u32 = 5;

/// Starts the process, watches it, starts it again when it ends, and goes over to another when it is told to.
///
/// At most two processes of an instance are alive: the one that takes deliveries, and either one that is being started
/// to take over or one that ends what it has after another took over.
pub(crate) struct Supervisor {
    launch: Launch,
    backoff: Backoff,
    phase: watch::Sender<Phase>,
    status: watch::Sender<Status>,
    commands: mpsc::Receiver<Command>,
    running: Option<Running>,
    /// The process that took deliveries before the last reload, as long as it has some.
    draining: Weak<Process>,
    /// That one was relieved: it was started with the same settings.
    relieved: bool,
    start: Option<Start>,
    /// When to start again.
    due: Option<Instant>,
    /// In a row.
    failures: u32,
    /// Starts after a failure.
    restarts: u32,
}

/// The process that takes deliveries.
struct Running {
    process: Arc<Process>,
    since: Instant,
    /// When to try again to relieve it, after that has failed.
    relieve_at: Option<Instant>,
    /// What the plugin last said of itself.
    health: Option<PluginHealth>,
    faults: Faults,
}

/// What the supervisor waits for.
enum Turn {
    Command(Option<Command>),
    Ended(Exit),
    Started(Box<Started>),
    Health(Option<PluginHealth>),
    Faults(Faults),
    Moved,
    Due,
}

impl Supervisor {
    pub(crate) fn new(
        launch: Launch,
        backoff: Backoff,
        phase: watch::Sender<Phase>,
        status: watch::Sender<Status>,
        commands: mpsc::Receiver<Command>,
    ) -> Self {
        Self {
            launch,
            backoff,
            phase,
            status,
            commands,
            running: None,
            draining: Weak::new(),
            relieved: false,
            start: None,
            due: Some(Instant::now()),
            failures: 0,
            restarts: 0,
        }
    }

    /// Goes on until it is asked to stop, or all handles are gone.
    pub(crate) async fn run(mut self) {
        let request = loop {
            match self.turn().await {
                Turn::Command(None) => break None,
                Turn::Command(Some(Command::Stop(request))) => break Some(request),
                Turn::Command(Some(Command::Reload(request))) => self.reload(*request),
                Turn::Command(Some(Command::Secrets(secrets))) => self.secrets(secrets),
                Turn::Ended(exit) => self.ended(&exit),
                Turn::Started(started) => match *started {
                    Started::Again(started) => self.started(started),
                    Started::TakesOver(successor) => self.takes_over(successor),
                    Started::Relieves(started) => self.relieves(started),
                },
                Turn::Moved => self.relieve(),
                Turn::Health(health) => self.health(health),
                Turn::Faults(faults) => self.faults(faults),
                Turn::Due => {
                    self.restarts = self.restarts.saturating_add(u32::from(self.failures > 0));
                    self.start();
                }
            }
        };
        self.end(request).await;
    }

    async fn turn(&mut self) -> Turn {
        let waits = self.start.is_none();
        tokio::select! {
            biased;
            command = self.commands.recv() => Turn::Command(command),
            exit = ended(self.running.as_ref()) => Turn::Ended(exit),
            started = start::ended(self.start.as_mut()) => Turn::Started(Box::new(started)),
            health = health(self.running.as_ref()) => Turn::Health(health),
            faults = faults(self.running.as_ref()) => Turn::Faults(faults),
            () = until(self.due), if waits => Turn::Due,
            () = moved(self.running.as_ref()), if waits => Turn::Moved,
        }
    }

    /// Starts the process with what it was started with before. A refusal stands until a process says otherwise, so that
    /// deliveries need not wait for what will most likely be refused again.
    fn start(&mut self) {
        self.due = None;
        if !matches!(*self.phase.borrow(), Phase::Refused(_)) {
            self.status.send_replace(Status::Starting);
        }
        self.start = Some(Start::again(self.launch.clone()));
    }

    /// Starts a second process beside the one that serves, if one does. A start that is under way, of the same or for an
    /// earlier reload, is given up for it.
    fn reload(&mut self, request: ReloadRequest) {
        let draining = self.draining.upgrade().filter(|_| self.running.is_some());
        self.start = Some(Start::to_take_over(request, draining));
    }

    /// Hands the secrets to the process that runs and to the one that it relieved, and keeps them for the starts to come. One
    /// of the same that is under way has the old ones, and is given up for another; where none runs or starts, one starts at
    /// once. A process that had other settings keeps the secrets of those.
    fn secrets(&mut self, secrets: BTreeMap<String, Secret>) {
        let running = self.running.as_ref().map(|running| Arc::clone(&running.process));
        for process in running.into_iter().chain(self.draining.upgrade().filter(|_| self.relieved)) {
            process.replace_secrets(&secrets);
        }
        self.launch.secrets = secrets;
        if self.start.as_ref().is_some_and(Start::is_again) {
            self.start();
        } else if self.running.is_none() {
            // Whatever kept it from running may have been the ones before: it waits no longer, but for a start under way.
            self.due = Some(Instant::now());
        }
    }

    fn started(&mut self, started: Result<Process, StartError>) {
        self.start = None;
        match started {
            Ok(process) => self.ready(process),
            Err(StartError::Refused(faults)) => {
                self.failures = 0;
                self.refused(&config_fault::list(&faults));
            }
            Err(error) => self.failed(error.with_cause()),
        }
    }

    fn takes_over(&mut self, successor: Result<Box<Successor>, ReloadError>) {
        self.start = None;
        match successor {
            Ok(successor) => {
                let Successor { process, launch, backoff, drain, done } = *successor;
                (self.launch, self.backoff) = (launch, backoff);
                (self.failures, self.due) = (0, None);
                let reloaded = Reloaded { pid: process.pid, version: process.version().to_owned() };
                let before = self.running.take();
                self.ready(process);
                self.relieved = false;
                if let Some(Running { process, .. }) = before {
                    self.drain(process, drain);
                }
                // Whoever asked may have gone away.
                drop(done.send(reloaded));
            }
            Err(error) => {
                // Whoever asked for it was told.
                let destination = self.destination();
                tracing::debug!(destination, reason = %error, "plugin not reloaded, what ran before goes on");
                // A start of the same may have been given up for this one.
                if self.running.is_none() && self.due.is_none() {
                    self.start();
                }
            }
        }
    }

    /// Starts the same beside the process that serves: files that its sandbox has rules about are other files by now, and a
    /// sandbox is put on once.
    fn relieve(&mut self) {
        let destination = self.destination();
        tracing::info!(
            destination,
            "files that the plugin may use were moved or replaced: going over to a new process"
        );
        self.start = Some(Start::to_relieve(self.launch.clone(), self.draining.upgrade()));
    }

    fn relieves(&mut self, started: Result<Process, StartError>) {
        self.start = None;
        match started {
            Ok(process) => {
                // They may have been replaced meanwhile.
                process.replace_secrets(&self.launch.secrets);
                self.due = None;
                let before = self.running.take();
                self.ready(process);
                if let Some(Running { process, .. }) = before {
                    self.relieved = true;
                    self.drain(process, self.launch.drain);
                }
            }
            Err(error) => {
                let (destination, error) = (self.destination(), error.with_cause());
                tracing::warn!(
                    destination,
                    error,
                    "no new process could be started, the one before it goes on"
                );
                if let Some(running) = &mut self.running {
                    running.relieve_at = Some(Instant::now() + self.backoff.max);
                }
            }
        }
    }

    /// The process takes the deliveries from now on.
    fn ready(&mut self, process: Process) {
        let (pid, since, restarts) = (process.pid, clock::now(), self.restarts);
        let (sandbox, version) = (process.layers(), process.version().to_owned());
        tracing::info!(
            destination = self.destination(),
            plugin = self.launch.plugin.manifest.id,
            version,
            pid,
            sandbox = %sandbox,
            "plugin ready"
        );
        // A process that has to be started again gets the same bytes. What lies in the folder by then may be a build that
        // nobody has tried.
        self.launch.sealed = Some(process.sealed());
        let process = Arc::new(process);
        self.phase.send_replace(Phase::Ready(Arc::clone(&process)));
        let (health, faults) = (None, Faults::default());
        self.status.send_replace(Status::Ready { pid, since, restarts, version, sandbox, health, faults });
        self.running =
            Some(Running { process, since: Instant::now(), relieve_at: None, health: None, faults });
    }

    /// Lets a process end what it has. Deliveries that wait for a place in it go to the one after it.
    fn drain(&mut self, process: Arc<Process>, deadline: Duration) {
        self.draining = Arc::downgrade(&process);
        tokio::spawn(async move { process.stop(deadline).await });
    }

    fn ended(&mut self, exit: &Exit) {
        // To live long is not enough: a plugin that every event ends lives long where events are rare.
        let healthy = |Running { process, since, .. }: Running| {
            since.elapsed() >= self.backoff.healthy_after && process.has_ended_a_delivery()
        };
        if self.running.take().is_some_and(healthy) {
            self.failures = 0;
        }
        self.start = self.start.take().and_then(Start::with_none_serving);
        self.failed(format!("the plugin process ended: {exit}"));
    }

    fn health(&mut self, health: Option<PluginHealth>) {
        if let Some(running) = &mut self.running {
            running.health.clone_from(&health);
        }
        self.status.send_modify(|status| {
            if let Status::Ready { health: known, .. } = status {
                *known = health;
            }
        });
    }

    fn faults(&mut self, faults: Faults) {
        if let Some(running) = &mut self.running {
            running.faults = faults;
        }
        self.status.send_modify(|status| {
            if let Status::Ready { faults: known, .. } = status {
                *known = faults;
            }
        });
    }

    fn failed(&mut self, last_error: String) {
        self.failures = self.failures.saturating_add(1);
        let (failures, wait) = (self.failures, self.backoff.wait(self.failures));
        tracing::warn!(
            destination = self.destination(),
            failures,
            error = last_error,
            "plugin failed, starting it again in {wait:?}"
        );
        if failures == CRASH_LOOP {
            let (destination, error) = (self.destination(), &last_error);
            tracing::error!(
                destination,
                error,
                "plugin is in a crash loop, nothing is delivered while it is down"
            );
        }
        self.phase.send_replace(Phase::Waiting);
        let next_start = clock::now().plus(wait);
        let restarts = self.restarts;
        self.status.send_replace(Status::Backoff { failures, restarts, last_error, next_start });
        self.due = Some(Instant::now() + wait);
    }

    fn refused(&mut self, reason: &str) {
        let known = matches!(&*self.phase.borrow(), Phase::Refused(before) if &**before == reason);
        if !known {
            tracing::error!(destination = self.destination(), reason, "plugin refuses its config");
            self.phase.send_replace(Phase::Refused(reason.into()));
            self.status.send_replace(Status::Refused { reason: reason.to_owned() });
        }
        self.due = Some(Instant::now() + self.backoff.refused);
    }

    async fn end(mut self, request: Option<StopRequest>) {
        self.phase.send_replace(Phase::Stopped);
        self.start = None;
        // Without a request all handles are gone: nobody waits, and dropping the processes kills them.
        if let Some(request) = &request {
            let stop = async |process: Option<Arc<Process>>| {
                if let Some(process) = process {
                    process.stop(request.deadline).await;
                }
            };
            let running = self.running.take().map(|running| running.process);
            tokio::join!(stop(running), stop(self.draining.upgrade()));
        } else if let Some(draining) = self.draining.upgrade() {
            draining.kill();
        }
        self.status.send_replace(Status::Stopped);
        if let Some(request) = request {
            let _nobody_waits = request.done.send(());
        }
    }

    fn destination(&self) -> &str {
        self.launch.destination.as_str()
    }
}

async fn ended(running: Option<&Running>) -> Exit {
    match running {
        Some(running) => running.process.exited().await,
        None => std::future::pending().await,
    }
}

/// Waits until the process has to be relieved.
async fn moved(running: Option<&Running>) {
    match running {
        Some(Running { relieve_at: Some(at), .. }) => sleep_until(*at).await,
        Some(running) => running.process.places_moved().await,
        None => std::future::pending().await,
    }
}

/// Waits until the plugin says something else of itself than what is known.
async fn health(running: Option<&Running>) -> Option<PluginHealth> {
    if let Some(running) = running
        && let Ok(health) = running.process.health().wait_for(|health| *health != running.health).await
    {
        return health.clone();
    }
    // None runs, or it has ended.
    std::future::pending().await
}

/// Waits until the plugin has broken more rules than is known.
async fn faults(running: Option<&Running>) -> Faults {
    if let Some(running) = running
        && let Ok(faults) = running.process.faults().wait_for(|faults| *faults != running.faults).await
    {
        return *faults;
    }
    // As above.
    std::future::pending().await
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
