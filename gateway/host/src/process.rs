//! One running plugin process, seen from the gateway.

mod exit;
mod limits;
mod outgoing;
mod output;
mod pending;
mod session;
mod spawn;
mod start_error;
mod state;
mod usage;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::BytesMut;
use postroom_core::{
    id::DestinationName,
    outcome::{Outcome, OutcomeKind},
    secret::Secret,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

pub use self::usage::Usage;
pub(crate) use self::{exit::Exit, limits::Limits, start_error::StartError};
use self::{
    pending::{Pending, Reply},
    session::Session,
    state::StateDesk,
};
use crate::{
    body::BodyFault,
    clock,
    delivery::{Delivered, PluginDelivery},
    inspect::PluginFile,
    mask::Mask,
    native::Status,
    outcome::Report,
    plugin_log::{PluginLog, current_level},
    plugin_state::PluginState,
    program::Program,
    sandbox::{Layer, Layers, Plan, Sandbox},
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
    /// Keeps what the plugin wants to keep; without it nothing can be kept.
    pub(crate) state: Option<Arc<dyn PluginState>>,
    pub(crate) program: Program,
    pub(crate) sandbox: Sandbox,
    /// See [`Plan::left_out`].
    pub(crate) left_out: BTreeSet<Layer>,
    /// Most deliveries in flight at once; the plugin may want fewer.
    pub(crate) concurrency: u32,
    pub(crate) limits: Limits,
}

/// A plugin that takes deliveries.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    destination: DestinationName,
    mask: Arc<Mask>,
    outgoing: mpsc::Sender<Frame>,
    pending: Arc<Pending>,
    /// One permit for each delivery that the plugin may hold.
    slots: Arc<Semaphore>,
    /// Said by the process before it opened the library.
    layers: Arc<OnceLock<Layers>>,
    next_token: AtomicU64,
    exit: watch::Receiver<Option<Exit>>,
    limits: Limits,
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
    pub(crate) async fn check(launch: &Launch) -> Result<Layers, StartError> {
        let (process, ready) = Self::spawn(launch, true).await?;
        match process.first_answer(ready).await? {
            ToGateway::Valid => Ok(process.layers()),
            answer => Err(StartError::of(answer, &process.mask)),
        }
    }

    async fn spawn(
        launch: &Launch,
        check_only: bool,
    ) -> Result<(Self, oneshot::Receiver<ToGateway>), StartError> {
        let Sealed { library, plugin } = seal_aside(launch.plugin.clone()).await?;
        let mut plan = Plan::new(&launch.sandbox, &plugin.manifest, &launch.config, launch.concurrency);
        plan.left_out.extend(&launch.left_out);
        let spawn_error = |source| StartError::Spawn { program: launch.program.path().into(), source };
        let spawned = spawn::spawn(launch.program.path()).await.map_err(spawn_error)?;
        let (incoming, writer) = spawned.socket.into_split();
        // A cancel must always find room: a target that hangs makes all deliveries run out of time together.
        let deliveries = usize::try_from(launch.concurrency).unwrap_or(usize::MAX);
        let (outgoing, frames) = mpsc::channel(OUTGOING_MAX.saturating_add(deliveries.saturating_mul(2)));
        let (replies, state_replies) = mpsc::channel(state::REPLIES_MAX);
        tokio::spawn(outgoing::write_frames(writer, frames, state_replies));

        let mask = Arc::new(Mask::new(launch.secrets.values()));
        let log = Arc::new(PluginLog::new(launch.destination.clone(), Arc::clone(&mask)));
        let pending = Arc::new(Pending::default());
        let slots = Arc::new(Semaphore::new(0));
        let layers = Arc::new(OnceLock::new());
        let kill = CancellationToken::new();
        let (exit_sender, exit) = watch::channel(None);
        let (ready_sender, ready) = oneshot::channel();
        let session = Session {
            incoming,
            buffer: BytesMut::new(),
            ready: Some(ready_sender),
            pending: Arc::clone(&pending),
            slots: Arc::clone(&slots),
            layers: Arc::clone(&layers),
            threads_max: plan.threads,
            outgoing: outgoing.clone(),
            state: StateDesk::new(launch.state.clone(), replies, launch.limits.state),
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
            mask,
            outgoing,
            pending,
            slots,
            layers,
            next_token: AtomicU64::new(1),
            exit,
            limits: launch.limits,
            kill,
        };
        let start = Start {
            plan,
            config_json: launch.config.to_string(),
            secrets: launch.secrets.clone(),
            concurrency: launch.concurrency,
            log_level: current_level(),
            check_only,
        };
        // There is room for a first frame. If the process is gone already, its end is what the caller hears of next.
        drop(process.outgoing.try_send(Frame::start(&start, library)));
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

    /// Waits until the process has ended.
    pub(crate) async fn exited(&self) -> Exit {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await;
        ended
            .ok()
            .and_then(|exit| exit.clone())
            .unwrap_or_else(|| Exit::Killed("the gateway stops".to_owned()))
    }

    /// Offers a delivery and waits for its end until `until`; `None` when the process has ended before it was offered.
    ///
    /// Waiting for a free place is not an attempt: it takes at most until `accept_until`.
    ///
    /// After `until`, or when it is cancelled, the plugin is told to stop, and the delivery comes back when the plugin has
    /// let go of it. So nobody has two deliveries of a lane inside the plugin, where a slow "failed" could overtake the
    /// "recovered" after it. A plugin that holds on for [`Limits::cancel`] is ended: the order is worth a restart.
    pub(crate) async fn deliver(
        &self,
        delivery: &PluginDelivery,
        accept_until: Instant,
        until: Instant,
    ) -> Option<Delivered> {
        if let Err(fault) = delivery.body.check() {
            return Some(Delivered::Outcome(not_sent(&fault)));
        }
        let (slot, room) = match self.place(delivery, accept_until).await {
            Ok(place) => place,
            Err(end) => return end,
        };
        let token = self.next_token.fetch_add(1, Ordering::Relaxed);
        let frame = Frame::deliver(token, delivery);
        // Dropping this early, as the caller may, cancels the delivery.
        let mut in_flight = self.pending.add(token, delivery.event.id, slot, &self.outgoing)?;
        // From here on the attempt counts: whatever happens, the plugin may have seen the event.
        room.send(frame);
        tokio::select! {
            biased;
            reply = in_flight.reply() => return Some(self.delivered(delivery, reply)),
            () = delivery.cancel.cancelled() => {}
            () = sleep_until(until) => {}
        }
        in_flight.cancel();
        let reply = in_flight.reply().await;
        Some(if delivery.cancel.is_cancelled() {
            self.let_go(delivery, reply)
        } else {
            // How it ended no longer matters, only that it did. By the contract nobody wants the outcome after a cancel,
            // and the plugin is told that it is stale. The one that was on its way when the cancel was sent is treated the
            // same: the time was up for both, and which came first is a matter of luck. The event then comes again, which
            // plugins have to expect at any time.
            Delivered::Outcome(timed_out(delivery))
        })
    }

    /// Waits for a free place in the plugin and room for the frame; otherwise says how the delivery comes back.
    async fn place(
        &self,
        delivery: &PluginDelivery,
        accept_until: Instant,
    ) -> Result<(OwnedSemaphorePermit, mpsc::Permit<'_, Frame>), Option<Delivered>> {
        let place = async {
            // Either is closed only when the process has ended.
            let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| None)?;
            Ok((slot, self.outgoing.reserve().await.map_err(|_| None)?))
        };
        tokio::select! {
            biased;
            () = delivery.cancel.cancelled() => Err(Some(Delivered::NotAccepted)),
            place = place => place,
            () = sleep_until(accept_until) => Err(Some(Delivered::NotAccepted)),
        }
    }

    /// What became of a delivery that ended by itself.
    fn delivered(&self, delivery: &PluginDelivery, reply: Reply) -> Delivered {
        match reply {
            Reply::Ended(report) => Delivered::Outcome(self.outcome(delivery, &report)),
            Reply::Refused(status) => refused(status),
            Reply::Lost(exit) => Delivered::Outcome(Outcome::retry(
                "plugin_crashed",
                format!("the plugin process ended during the delivery: {exit}"),
            )),
            // Only what was given up is released.
            Reply::Released(_) => Delivered::Outcome(timed_out(delivery)),
        }
    }

    /// What became of a delivery that was cancelled. What the remote side has is not taken back by a cancel.
    fn let_go(&self, delivery: &PluginDelivery, reply: Reply) -> Delivered {
        match reply {
            // It was over before the plugin heard of the cancel.
            Reply::Ended(report) => Delivered::Outcome(self.outcome(delivery, &report)),
            Reply::Released(report) if report.kind == postroom_abi::POSTROOM_OUT_DELIVERED => {
                Delivered::Outcome(self.outcome(delivery, &report))
            }
            Reply::Released(_) | Reply::Lost(_) => Delivered::Cancelled,
            // The plugin never had it, and with which status it said so no longer matters.
            Reply::Refused(_) => Delivered::NotAccepted,
        }
    }

    fn outcome(&self, delivery: &PluginDelivery, report: &Report) -> Outcome {
        let (outcome, fault) = report.accept(&self.mask);
        if let Some(fault) = fault {
            let destination = self.destination.as_str();
            tracing::warn!(destination, event = %delivery.event.id, "record of the plugin left out: {fault}");
        }
        outcome
    }

    /// Lets the plugin end what it has, until `deadline` from now, and ends the process.
    pub(crate) async fn stop(&self, deadline: Duration) {
        // Whoever waits for a place must not get one now: the plugin was promised that nothing more comes.
        self.slots.close();
        let deadline_unix_ms = clock::unix_ms(clock::now().plus(deadline));
        let limit = deadline.saturating_add(self.limits.destroy);
        let ended = timeout(limit, async {
            // If the process is gone already, so much the better.
            drop(self.outgoing.send(Frame::stop(deadline_unix_ms)).await);
            self.exited().await
        });
        if ended.await.is_err() {
            let destination = self.destination.as_str();
            tracing::warn!(destination, pid = self.pid, "plugin did not stop within {limit:?}: killed");
            self.kill.cancel();
            self.exited().await;
        }
    }
}

/// Reading a library takes a while on a slow disk, and this thread is everybody's.
async fn seal_aside(plugin: PluginFile) -> Result<Sealed, StartError> {
    let sealed = tokio::task::spawn_blocking(move || seal(&plugin)).await;
    Ok(sealed.map_err(|_| StartError::Failed("the gateway stops".to_owned()))??)
}

/// What it means that `deliver` did not take an event. Only back-pressure, and an instance that is being stopped, say
/// nothing about the event.
fn refused(status: i32) -> Delivered {
    let kind = match status {
        postroom_abi::POSTROOM_E_BUSY | postroom_abi::POSTROOM_E_STALE => return Delivered::NotAccepted,
        postroom_abi::POSTROOM_E_CONFIG => OutcomeKind::Misconfigured,
        _ => OutcomeKind::Retry,
    };
    let message = format!("the plugin did not take the event: {}", Status(status));
    Delivered::Outcome(Outcome { kind, ..Outcome::retry("plugin_refused", message) })
}

fn timed_out(delivery: &PluginDelivery) -> Outcome {
    let limit = delivery.time_limit;
    Outcome::retry("timeout", format!("the plugin did not end the delivery within {limit:?}"))
}

/// A body that is too large is so for ever; another fault of it may pass, as when a disk comes back.
fn not_sent(fault: &BodyFault) -> Outcome {
    match fault {
        BodyFault::TooLarge { .. } => {
            Outcome { kind: OutcomeKind::Permanent, ..Outcome::retry("event_too_large", fault.to_string()) }
        }
        _ => Outcome::retry("body_unreadable", fault.to_string()),
    }
}

#[cfg(test)]
mod tests;
