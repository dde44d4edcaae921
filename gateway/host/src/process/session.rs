//! The conversation with one process: reads what it says, watches that it is alive, and reaps it.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::unix::{OwnedReadHalf, OwnedWriteHalf},
    process::Child,
    sync::{Semaphore, mpsc, oneshot, watch},
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Exit, Limits,
    output::Output,
    pending::{Pending, Reply},
};
use crate::{
    plugin_log::PluginLog,
    wire::{TO_GATEWAY_BYTES_MAX, ToChild, ToGateway, take_frame},
};

/// How long a process may live on after it closed its socket.
const CLOSED_LIMIT: Duration = Duration::from_millis(500);

/// Frames are joined up to this size; what is larger is a body, and goes out without being copied.
const JOIN_BYTES_MAX: usize = 16 * 1024;
const FRAMES_AT_ONCE: usize = 64;

/// One side of the conversation, and the process itself.
pub(super) struct Session {
    pub(super) incoming: OwnedReadHalf,
    pub(super) buffer: BytesMut,
    /// Where the first answer goes.
    pub(super) ready: Option<oneshot::Sender<ToGateway>>,
    pub(super) pending: Arc<Pending>,
    pub(super) slots: Arc<Semaphore>,
    pub(super) outgoing: mpsc::Sender<ToChild>,
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
        let mut ticks = interval(self.limits.ping_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.buffer.reserve(JOIN_BYTES_MAX);
            // What has come is read before the clock is asked: when the gateway itself was held up, the answer to a
            // ping may be waiting.
            let read = tokio::select! {
                biased;
                () = self.kill.cancelled() => return End::Kill("it is no longer needed".to_owned()),
                read = self.incoming.read_buf(&mut self.buffer) => read,
                now = ticks.tick() => match self.watch(now) {
                    Some(fault) => return End::Kill(fault),
                    None => continue,
                },
            };
            // An error is a reset by a process that ended with frames unread.
            if !matches!(read, Ok(1..)) {
                return End::Closed;
            }
            if let Err(fault) = self.take_frames() {
                return End::Kill(format!("it broke the protocol: {fault}"));
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
            ToGateway::Released { token } => self.pending.release(token)?,
            ToGateway::Pong => self.ping = None,
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
            None if self.outgoing.try_send(ToChild::Ping).is_ok() => self.ping = Some(now),
            None => {}
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

/// Writes frames to the process until either side is gone; small ones together.
pub(super) async fn write_frames(mut socket: OwnedWriteHalf, mut outgoing: mpsc::Receiver<ToChild>) {
    let mut frames = Vec::with_capacity(FRAMES_AT_ONCE);
    let mut joined = BytesMut::new();
    while outgoing.recv_many(&mut frames, FRAMES_AT_ONCE).await > 0 {
        for frame in frames.drain(..) {
            let (head, body) = frame.encode();
            joined.extend_from_slice(&head);
            if joined.len() + body.len() <= JOIN_BYTES_MAX {
                joined.extend_from_slice(&body);
                continue;
            }
            // A failed write means that the process is gone, which the reading side sees and reports.
            if socket.write_all_buf(&mut joined).await.is_err() || socket.write_all(&body).await.is_err() {
                return;
            }
        }
        if socket.write_all_buf(&mut joined).await.is_err() {
            return;
        }
    }
}
