//! What goes to the gateway. A plugin's call never waits for the socket.

use std::{
    io::{self, Write},
    mem,
    os::unix::net::UnixStream,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use bytes::BytesMut;
use rustix::net::{SendFlags, send};
use tokio::time::Instant;

use super::{process, spin::Spin, threads::OwnThread};
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
/// Frames that follow on each other faster than this are written together, by the writer.
const BURST: Duration = Duration::from_micros(15);

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
    /// Whether there is something in the queue, for a writer that looks without the lock.
    filled: AtomicBool,
    /// The queue waits for a writer that sleeps.
    wake: Condvar,
    /// All is written, while somebody waits for that.
    written: Condvar,
}

struct Queue {
    /// Frames, one behind the other.
    bytes: Vec<u8>,
    log_bytes: usize,
    log_budget: Budget,
    /// Somebody writes: the frames before those in the queue are on their way.
    writing: bool,
    writer_sleeps: bool,
    /// When a sender last wrote by itself.
    sent_at: Option<Instant>,
    /// How many wait until all is written.
    flushing: usize,
}

impl Outbox {
    /// Starts the writer, which writes what the socket did not take at once, and what comes in bursts.
    pub(super) fn start(socket: UnixStream, spin: Spin) -> io::Result<Self> {
        let now = Instant::now();
        let queue = Queue {
            bytes: Vec::new(),
            log_bytes: 0,
            log_budget: Budget::new(now),
            writing: false,
            writer_sleeps: false,
            sent_at: None,
            flushing: 0,
        };
        let shared = Arc::new(Shared {
            socket,
            queue: Mutex::new(queue),
            filled: AtomicBool::new(false),
            wake: Condvar::new(),
            written: Condvar::new(),
        });
        let writer = Arc::clone(&shared);
        thread::Builder::new().name("outbox".to_owned()).spawn(move || {
            let _own = OwnThread::enter();
            writer.write_queue(spin);
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
        queue.flushing += 1;
        while queue.writing || !queue.bytes.is_empty() {
            queue = wait(&self.shared.written, queue);
        }
        queue.flushing -= 1;
    }
}

impl Shared {
    /// Writes `frames`, or leaves them to the writer: when somebody else writes, the socket is full or a burst has begun.
    ///
    /// Written by the calling thread where that needs no waiting: to wake another one takes as long as the writing. In a
    /// burst the writer takes many frames with one system call, and most find it awake.
    fn send(&self, mut queue: MutexGuard<'_, Queue>, frames: &[u8]) {
        if queue.writing || !queue.bytes.is_empty() || !queue.writer_sleeps || queue.is_burst() {
            queue.bytes.extend_from_slice(frames);
            self.hand_over(queue);
            return;
        }
        queue.writing = true;
        drop(queue);
        // An error other than a full socket is met again by the writer.
        let sent = send(&self.socket, frames, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).unwrap_or(0);
        let mut queue = self.lock();
        queue.sent_at = Some(Instant::now());
        // What came meanwhile goes behind.
        queue.bytes.splice(0..0, frames.iter().skip(sent).copied());
        self.written(&mut queue);
        if !queue.bytes.is_empty() {
            self.hand_over(queue);
        }
    }

    /// Tells the writer that there is something in the queue.
    fn hand_over(&self, mut queue: MutexGuard<'_, Queue>) {
        self.filled.store(true, Ordering::Release);
        // A sender that writes just now looks at the queue after that.
        let wake = !queue.writing && mem::take(&mut queue.writer_sleeps);
        drop(queue);
        if wake {
            self.wake.notify_one();
        }
    }

    fn write_queue(&self, mut spin: Spin) {
        let mut batch = Vec::new();
        loop {
            let look = |(): &mut ()| self.filled.load(Ordering::Acquire).then(|| self.wait_for_frames());
            let mut queue = spin.wait(&mut (), look, |()| self.wait_for_frames());
            mem::swap(&mut queue.bytes, &mut batch);
            self.filled.store(false, Ordering::Relaxed);
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
            self.written(&mut self.lock());
        }
    }

    /// Waits until there are frames that nobody writes.
    fn wait_for_frames(&self) -> MutexGuard<'_, Queue> {
        let mut queue = self.lock();
        while queue.writing || queue.bytes.is_empty() {
            queue.writer_sleeps = true;
            queue = wait(&self.wake, queue);
            // It is taken back by whoever wakes the writer, but not when that happens by chance.
            queue.writer_sleeps = false;
        }
        queue
    }

    fn written(&self, queue: &mut Queue) {
        queue.writing = false;
        if queue.bytes.is_empty() {
            queue.log_bytes = 0;
            // Asked first: to notify nobody costs a system call too.
            if queue.flushing > 0 {
                self.written.notify_all();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn is_burst(&self) -> bool {
        self.sent_at.is_some_and(|sent_at| sent_at.elapsed() < BURST)
    }
}

fn wait<'a>(condition: &Condvar, queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
    condition.wait(queue).unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
