//! The conversation with one process: reads what it says, watches that it is alive, and reaps it.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::AsyncReadExt,
    net::unix::OwnedReadHalf,
    process::Child,
    sync::{Semaphore, mpsc, oneshot, watch},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Exit, Limits,
    output::Output,
    pending::{Pending, Reply},
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

const READ_BYTES: usize = 16 * 1024;

/// One side of the conversation, and the process itself.
pub(super) struct Session {
    pub(super) incoming: OwnedReadHalf,
    pub(super) buffer: BytesMut,
    /// Where the first answer goes.
    pub(super) ready: Option<oneshot::Sender<ToGateway>>,
    pub(super) pending: Arc<Pending>,
    pub(super) slots: Arc<Semaphore>,
    /// Which layers of the sandbox hold, once the process has said so.
    pub(super) layers: Arc<OnceLock<Layers>>,
    /// Most threads that the process may have.
    pub(super) threads_max: u32,
    pub(super) outgoing: mpsc::Sender<Frame>,
    pub(super) state: StateDesk,
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
    /// The gateway ends the process.
    Kill(String),
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

impl Session {
    /// Talks until the process ends, then reports every delivery that it held, and its end.
    pub(super) async fn run(mut self, exit_sender: watch::Sender<Option<Exit>>) {
        let end = self.talk().await;
        self.slots.close();
        let exit = self.reap(end).await;
        self.pending.close(&exit);
        // What the process printed last, such as the message of a panic, belongs before the report of its end.
        self.output.finish().await;
        exit_sender.send_replace(Some(exit));
    }

    async fn talk(&mut self) -> End {
        let mut looks = Looks { interval: self.limits.ping_interval, next: Instant::now(), put_off: false };
        loop {
            self.buffer.reserve(READ_BYTES);
            // What has come is read before the clock is asked: when the gateway itself was held up, the answer to a
            // ping may be waiting.
            let read = tokio::select! {
                biased;
                () = self.kill.cancelled() => return End::Kill("it is no longer needed".to_owned()),
                read = self.incoming.read_buf(&mut self.buffer) => Some(read),
                () = sleep_until(looks.next) => None,
            };
            let all_read = read.is_none();
            // An error is a reset by a process that ended with frames unread.
            if !matches!(read, None | Some(Ok(1..))) {
                return End::Closed;
            }
            if let Err(fault) = self.take_frames() {
                return End::Kill(format!("it broke the protocol: {fault}"));
            }
            // There may be no end to what it says, and the thread is everybody's.
            tokio::task::yield_now().await;
            let now = Instant::now();
            if looks.is_due(now, all_read)
                && let Some(fault) = self.watch(now)
            {
                return End::Kill(fault);
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
            // The first one counts: the plugin's code, which could send another, does not run before it.
            ToGateway::Confined { layers } => {
                self.layers.set(layers).map_err(|_| "it said twice how it is confined")?;
            }
            ToGateway::State { request, operation } => self.state.take(request, operation)?,
            ToGateway::Log(record) => self.log.record(&record, self.pending.event(record.token)),
            ToGateway::LogsLost { count } => self.log.lost(count),
            answer @ (ToGateway::Ready { .. }
            | ToGateway::Valid
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
        // A plugin that is being loaded cannot answer, and has a limit of its own.
        if self.ready.is_some() {
            return None;
        }
        match self.ping {
            Some(sent) if now.duration_since(sent) >= self.limits.ping => {
                return Some(format!("it did not answer for {:?}", self.limits.ping));
            }
            Some(_) => {}
            // Without room for a ping there are other frames to read, which tell as much once they are read.
            None if self.outgoing.try_send(Frame::ping()).is_ok() => self.ping = Some(now),
            None => {}
        }
        let threads = self.child.id().and_then(Usage::of).map(|usage| usage.threads);
        if let Some(threads) = threads.filter(|threads| *threads > self.threads_max) {
            return Some(format!("it has {threads} threads, at most {} may be", self.threads_max));
        }
        self.pending
            .is_overdue(now, self.limits.cancel)
            .then(|| format!("it held on to a delivery for {:?} after it was cancelled", self.limits.cancel))
    }

    async fn reap(&mut self, end: End) -> Exit {
        let reason = match end {
            End::Kill(reason) => reason,
            End::Closed => match timeout(CLOSED_LIMIT, self.child.wait()).await {
                Ok(Ok(status)) => return Exit::of(status),
                Ok(Err(error)) => return Exit::Killed(format!("its end cannot be told: {error}")),
                Err(_) => "it closed its socket and lived on".to_owned(),
            },
        };
        // Fails only when the process has ended by itself meanwhile.
        drop(self.child.kill().await);
        Exit::Killed(reason)
    }
}

#[cfg(test)]
mod tests;
