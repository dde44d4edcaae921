//! What goes to the gateway. A plugin's call never waits for the socket.

use std::{
    io::{self, Write},
    os::unix::net::UnixStream,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use bytes::BytesMut;
use rustix::net::{SendFlags, send};
use tokio::time::Instant;

use super::{process, threads::OwnThread};
use crate::{
    plugin_log::{Budget, LogRecord},
    wire::ToGateway,
};

/// Most bytes of log records that wait for the gateway.
const LOG_BYTES_MAX: usize = 1024 * 1024;
/// Most bytes that wait for the gateway when something is sent that may be lost.
const WAITING_BYTES_MAX: usize = 256 * 1024;
/// Room that is kept from one batch to the next.
const BATCH_BYTES_KEPT: usize = 64 * 1024;

/// The queue of frames to the gateway.
///
/// It is bounded in both its parts: an answer goes out once for each delivery, and the gateway bounds those; log
/// records are dropped and counted when they come too fast.
#[derive(Clone)]
pub(super) struct Outbox {
    shared: Arc<Shared>,
}

struct Shared {
    socket: UnixStream,
    queue: Mutex<Queue>,
    /// The queue waits for the writer, or has been written while somebody waited for that.
    changed: Condvar,
}

struct Queue {
    /// Frames, one behind the other.
    bytes: Vec<u8>,
    log_bytes: usize,
    log_budget: Budget,
    /// Somebody writes: the frames before those in the queue are on their way.
    writing: bool,
    /// Somebody waits until all is written.
    flushing: bool,
}

impl Outbox {
    /// Starts the writer, which writes what the socket did not take at once.
    pub(super) fn start(socket: UnixStream) -> io::Result<Self> {
        let queue = Queue {
            bytes: Vec::new(),
            log_bytes: 0,
            log_budget: Budget::new(Instant::now()),
            writing: false,
            flushing: false,
        };
        let shared = Arc::new(Shared { socket, queue: Mutex::new(queue), changed: Condvar::new() });
        let writer = Arc::clone(&shared);
        thread::Builder::new().name("outbox".to_owned()).spawn(move || {
            let _own = OwnThread::enter();
            writer.write_queue();
        })?;
        Ok(Self { shared })
    }

    /// Sends a frame that must not be lost.
    pub(super) fn send(&self, message: &ToGateway) {
        let frame = message.encode();
        self.shared.send(self.shared.lock(), &frame);
    }

    /// Sends a frame that may be lost, unless much waits for the gateway.
    pub(super) fn send_if_room(&self, message: &ToGateway) -> bool {
        let queue = self.shared.lock();
        let room = queue.bytes.len() < WAITING_BYTES_MAX;
        if room {
            self.shared.send(queue, &message.encode());
        }
        room
    }

    /// Sends a log record, or drops and counts it.
    pub(super) fn log(&self, record: LogRecord) {
        let mut queue = self.shared.lock();
        let room = queue.log_bytes < LOG_BYTES_MAX;
        if !queue.log_budget.take(Instant::now(), room) {
            return;
        }
        let mut frames = queue
            .log_budget
            .lost()
            .map_or_else(BytesMut::new, |count| ToGateway::LogsLost { count }.encode());
        frames.extend_from_slice(&ToGateway::Log(record).encode());
        queue.log_bytes += frames.len();
        self.shared.send(queue, &frames);
    }

    /// Waits until the gateway has everything.
    pub(super) fn flush(&self) {
        let mut queue = self.shared.lock();
        queue.flushing = true;
        while queue.writing || !queue.bytes.is_empty() {
            queue = self.shared.wait(queue);
        }
    }
}

impl Shared {
    /// Writes `frames`, or has them written when somebody else writes or the socket is full.
    ///
    /// Written by the calling thread where that needs no waiting: to wake another one takes as long as the writing.
    fn send(&self, mut queue: MutexGuard<'_, Queue>, frames: &[u8]) {
        if queue.writing || !queue.bytes.is_empty() {
            queue.bytes.extend_from_slice(frames);
            return;
        }
        queue.writing = true;
        drop(queue);
        // An error other than a full socket is met again by the writer.
        let sent = send(&self.socket, frames, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).unwrap_or(0);
        let mut queue = self.lock();
        // What came meanwhile goes behind.
        queue.bytes.splice(0..0, frames.iter().skip(sent).copied());
        self.written(&mut queue);
        if !queue.bytes.is_empty() {
            self.changed.notify_all();
        }
    }

    fn write_queue(&self) {
        let mut batch = Vec::new();
        let mut queue = self.lock();
        loop {
            while queue.writing || queue.bytes.is_empty() {
                queue = self.wait(queue);
            }
            std::mem::swap(&mut queue.bytes, &mut batch);
            queue.log_bytes = 0;
            queue.writing = true;
            drop(queue);
            if (&self.socket).write_all(&batch).is_err() {
                // The gateway is gone, and this process has nobody left to work for.
                process::leave(false);
            }
            batch.clear();
            // One large record must not be paid for ever.
            batch.shrink_to(BATCH_BYTES_KEPT);
            queue = self.lock();
            self.written(&mut queue);
        }
    }

    fn written(&self, queue: &mut Queue) {
        queue.writing = false;
        if queue.bytes.is_empty() {
            queue.log_bytes = 0;
            if queue.flushing {
                self.changed.notify_all();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
