//! What goes to the gateway: written by one thread, so that a plugin's call never waits for the socket.

use std::{
    collections::VecDeque,
    io::{self, Write},
    os::unix::net::UnixStream,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use bytes::BytesMut;
use tokio::time::Instant;

use super::process;
use crate::{
    plugin_log::{Budget, LogRecord},
    wire::ToGateway,
};

/// Most bytes of log records that wait for the gateway.
const LOG_BYTES_MAX: usize = 1024 * 1024;

/// The queue of frames to the gateway.
///
/// It is bounded in both its parts: an answer goes out once for each delivery, and the gateway bounds those; log
/// records are dropped and counted when they come too fast.
#[derive(Clone)]
pub(super) struct Outbox {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Mutex<Queue>,
    /// The queue has something to write, or has been written.
    changed: Condvar,
}

struct Queue {
    frames: VecDeque<BytesMut>,
    log_bytes: usize,
    log_budget: Budget,
    writing: bool,
}

impl Outbox {
    /// Starts the writer.
    pub(super) fn start(socket: UnixStream) -> io::Result<Self> {
        let queue = Queue {
            frames: VecDeque::new(),
            log_bytes: 0,
            log_budget: Budget::new(Instant::now()),
            writing: false,
        };
        let shared = Arc::new(Shared { queue: Mutex::new(queue), changed: Condvar::new() });
        let writer = Arc::clone(&shared);
        thread::Builder::new().name("outbox".to_owned()).spawn(move || writer.write_all_to(socket))?;
        Ok(Self { shared })
    }

    /// Queues a frame that must not be lost.
    pub(super) fn send(&self, message: &ToGateway) {
        self.shared.lock().frames.push_back(message.encode());
        self.shared.changed.notify_all();
    }

    /// Queues a log record, or drops and counts it.
    pub(super) fn log(&self, record: LogRecord) {
        let mut queue = self.shared.lock();
        let room = queue.log_bytes < LOG_BYTES_MAX;
        if !queue.log_budget.take(Instant::now(), room) {
            return;
        }
        if let Some(count) = queue.log_budget.lost() {
            queue.frames.push_back(ToGateway::LogsLost { count }.encode());
        }
        let frame = ToGateway::Log(record).encode();
        queue.log_bytes += frame.len();
        queue.frames.push_back(frame);
        drop(queue);
        self.shared.changed.notify_all();
    }

    /// Waits until the gateway has everything.
    pub(super) fn flush(&self) {
        let mut queue = self.shared.lock();
        while queue.writing || !queue.frames.is_empty() {
            queue = self.shared.wait(queue);
        }
    }
}

impl Shared {
    fn write_all_to(&self, mut socket: UnixStream) {
        let mut batch = Vec::new();
        let mut queue = self.lock();
        loop {
            while queue.frames.is_empty() {
                queue = self.wait(queue);
            }
            batch.clear();
            queue.frames.drain(..).for_each(|frame| batch.extend_from_slice(&frame));
            queue.log_bytes = 0;
            queue.writing = true;
            drop(queue);
            if socket.write_all(&batch).is_err() {
                // The gateway is gone, and this process has nobody left to work for.
                process::leave(false);
            }
            queue = self.lock();
            queue.writing = false;
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner)
    }
}
