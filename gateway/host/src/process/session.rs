//! The conversation with one process: reads what it says, watches that it is alive, and reaps it.

use std::{
    pin::pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    process::Child,
    sync::{
        Semaphore,
        mpsc::{self, error::TrySendError},
        oneshot, watch,
    },
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Exit, Limits,
    actions::Actions,
    bounds::Bounds,
    emit::EmitDesk,
    faults::FaultBook,
    health::HealthDesk,
    metrics::MetricDesk,
    moves::MoveWatch,
    output::Output,
    pending::{Pending, Reply},
    socket::{Incoming, READ_BYTES},
    state::StateDesk,
    usage::Usage,
};
use crate::{
    plugin_log::PluginLog,
    sandbox::Layers,
    wire::{Frame, TO_GATEWAY_BYTES_MAX, ToGateway, take_frame},
};

/// How long a process may live on after it closed its socket.
const CLOSED_LIMIT: Duration = Duration::from_millis(500);

/// One side of the conversation, and the process itself.
pub(super) struct Session {
    pub(super) incoming: Incoming,
    pub(super) buffer: BytesMut,
    /// Where the first answer goes.
    pub(super) ready: Option<oneshot::Sender<ToGateway>>,
    pub(super) pending: Arc<Pending>,
    pub(super) actions: Arc<Actions>,
    pub(super) slots: Arc<Semaphore>,
    /// Which layers of the sandbox hold, once the process has said so.
    pub(super) layers: Arc<OnceLock<Layers>>,
    pub(super) moves: MoveWatch,
    pub(super) faults: FaultBook,
    /// Most that the process may take.
    pub(super) bounds: Option<Bounds>,
    pub(super) outgoing: mpsc::Sender<Frame>,
    pub(super) state: StateDesk,
    pub(super) health: HealthDesk,
    pub(super) emit: EmitDesk,
    pub(super) metrics: MetricDesk,
    /// When the ping was sent that is not answered yet.
    pub(super) ping: Option<Instant>,
    pub(super) limits: Limits,
    pub(super) output: Output,
    pub(super) log: Arc<PluginLog>,
    pub(super) child: Child,
    pub(super) kill: CancellationToken,
}

/// Why the conversation is over.
enum End {
    /// The process closed the socket, most likely because it ended.
    Closed,
    /// The gateway ends the process, which is told as this.
    Kill(Exit),
}

/// When to look at the process.
struct Looks {
    interval: Duration,
    next: Instant,
    /// The last look was due while there was more to read.
    put_off: bool,
}

impl Looks {
    /// Whether to look now. There may be no end to what is to be read, so a look is put off once and no more.
    fn is_due(&mut self, now: Instant, all_read: bool) -> bool {
        if now < self.next {
            return false;
        }
        self.next = now + self.interval;
        self.put_off = !all_read && !self.put_off;
        !self.put_off
    }
}

impl Drop for Session {
    /// Dropped before its end, as when the runtime ends, it still tells whoever waits.
    fn drop(&mut self) {
        if self.pending.is_closed() {
            return;
        }
        // It says nothing about the plugin.
        self.kill.cancel();
        self.actions.close();
        self.pending.close(&Exit::Killed("the gateway stops".to_owned()));
    }
}

impl Session {
    /// Talks until the process ends, then reports every delivery that it held, and its end.
    pub(super) async fn run(mut self, exit_sender: watch::Sender<Option<Exit>>) {
        let end = self.talk().await;
        self.slots.close();
        let exit = self.reap(end).await;
        // First, for whoever hears of the end of a delivery asks whether there was an action beside it.
        self.actions.close();
        self.pending.close(&exit);
        // What the process printed last, such as the message of a panic, belongs before the report of its end.
        self.output.finish().await;
        exit_sender.send_replace(Some(exit));
    }

    async fn talk(&mut self) -> End {
        let mut looks = Looks { interval: self.limits.ping_interval, next: Instant::now(), put_off: false };
        // One timer for all looks: to set one for each read would wake the runtime's driver each time.
        let mut look = pin!(sleep_until(looks.next));
        loop {
            // What has come is read before the clock is asked: when the gateway itself was held up, the answer to a
            // ping may be waiting.
            let read = tokio::select! {
                biased;
                () = self.kill.cancelled() => return End::Kill(Exit::Killed("it is no longer needed".to_owned())),
                read = self.incoming.read(&mut self.buffer) => Some(read),
                () = &mut look => None,
            };
            let all_read = read.is_none();
            // An error is a reset by a process that ended with frames unread.
            if !matches!(read, None | Some(Ok(1..))) {
                return End::Closed;
            }
            if let Err(fault) = self.take_frames() {
                return End::Kill(Exit::Killed(format!("it broke the protocol: {fault}")));
            }
            // There may be no end to what it says, and the thread is everybody's. After a smaller read there is nothing left.
            if matches!(read, Some(Ok(READ_BYTES..))) {
                tokio::task::yield_now().await;
            }
            let now = Instant::now();
            if looks.is_due(now, all_read)
                && let Some(exit) = self.watch(now).map(Exit::Killed).or_else(|| self.holds_on(now))
            {
                return End::Kill(exit);
            }
            if look.deadline() != looks.next {
                look.as_mut().reset(looks.next);
            }
        }
    }

    fn take_frames(&mut self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        while let Some(frame) = take_frame(&mut self.buffer, TO_GATEWAY_BYTES_MAX)? {
            self.take(ToGateway::decode(frame)?)?;
        }
        Ok(())
    }

    fn take(&mut self, message: ToGateway) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        match message {
            ToGateway::Completed { token, report } => self.pending.end(token, Reply::Ended(report))?,
            ToGateway::NotAccepted { token, status } => self.pending.end(token, Reply::Refused(status))?,
            ToGateway::Released { token, report } => self.pending.release(token, report)?,
            ToGateway::Pong => self.ping = None,
            ToGateway::Faults(faults) => self.faults.note(faults),
            ToGateway::Health { report } => self.health.answer(report.as_ref())?,
            // The first one counts: the plugin's code, which could send another, does not run before it.
            ToGateway::Confined { layers, places } => {
                self.layers.set(layers).map_err(|_| "it said twice how it is confined")?;
                self.moves.begin(places);
            }
            ToGateway::State { request, operation } => self.state.take(request, operation)?,
            ToGateway::Metric(measurement) => self.metrics.take(measurement)?,
            ToGateway::Extended { token, want_ms } => self.pending.extend(token, want_ms),
            ToGateway::Emit { request, event } => self.emit.take(request, *event, &self.pending)?,
            ToGateway::ActionReply { token, report } => self.actions.end(token, report)?,
            ToGateway::Log(record) => self.log.record(&record, self.pending.event(record.token)),
            ToGateway::LogsLost { count } => self.log.lost(count),
            answer @ (ToGateway::Ready { .. }
            | ToGateway::Valid { .. }
            | ToGateway::Refused { .. }
            | ToGateway::Failed { .. }) => {
                let ready = self.ready.take().ok_or("it started twice")?;
                // Nobody waits for the answer when the start was given up a moment ago.
                drop(ready.send(answer));
            }
        }
        Ok(())
    }

    /// Looks whether the process is alive; says what is wrong with it.
    fn watch(&mut self, now: Instant) -> Option<String> {
        if let Some(excess) = self.excess() {
            return Some(excess);
        }
        // A plugin that is being loaded cannot answer, and has a limit of its own.
        if self.ready.is_some() {
            return None;
        }
        match self.ping {
            Some(sent) if now.duration_since(sent) >= self.limits.ping => {
                return Some(format!("it did not answer for {:?}", self.limits.ping));
            }
            Some(_) => {}
            None => match self.outgoing.try_send(Frame::ping()) {
                Ok(()) => self.ping = Some(now),
                // There are other frames to read, which tell as much once they are read.
                Err(TrySendError::Full(_)) => {}
                // Of a process that has ended, the end would have been read by now.
                Err(TrySendError::Closed(_)) => return Some("it did not take a ping".to_owned()),
            },
        }
        self.health.look(now, &self.outgoing)
    }

    fn holds_on(&self, now: Instant) -> Option<Exit> {
        let grace = self.limits.cancel;
        let reason = || format!("it held on to a delivery for {grace:?} after it was cancelled");
        self.pending.is_overdue(now, grace).then(|| Exit::HeldOn(reason()))
    }

    /// What the process takes too much of.
    fn excess(&self) -> Option<String> {
        self.bounds?.excess(Usage::of(self.child.id()?)?)
    }

    async fn reap(&mut self, end: End) -> Exit {
        let exit = match end {
            End::Kill(exit) => exit,
            End::Closed => match timeout(CLOSED_LIMIT, self.child.wait()).await {
                Ok(Ok(status)) => return Exit::of(status),
                Ok(Err(error)) => return Exit::Killed(format!("its end cannot be told: {error}")),
                Err(_) => Exit::Killed("it closed its socket and lived on".to_owned()),
            },
        };
        // Fails only when the process has ended by itself meanwhile.
        drop(self.child.kill().await);
        exit
    }
}

#[cfg(test)]
mod tests;
