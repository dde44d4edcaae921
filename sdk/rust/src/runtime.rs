//! The thread of an instance, with its tokio runtime.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::mpsc,
    thread::{self, JoinHandle},
};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Threads for what blocks, in a plugin that does not say how many it needs; the gateway grants 256 then.
const BLOCKING_THREADS: usize = 128;
/// Memory for the stack of such a thread. Looking up names and reading files takes little of it.
const STACK_BYTES: usize = 1024 * 1024;

/// How many threads may block, where the manifest says how many there are in all: this one is among them.
pub(crate) fn blocking_threads(declared: Option<u64>) -> usize {
    let all = declared.map(|threads| usize::try_from(threads).unwrap_or(usize::MAX));
    all.map_or(BLOCKING_THREADS, |all| all.saturating_sub(1).clamp(1, BLOCKING_THREADS))
}

/// One thread with a single-threaded runtime.
///
/// A runtime per instance, because nothing of tokio may be shared with the host: a plugin has its own copy of it.
/// Single-threaded, because a destination mostly waits; what blocks goes to the runtime's blocking threads.
pub(crate) struct RuntimeThread {
    /// Tasks to run. Handed over in a queue, because many that come together then wake the thread once.
    tasks: UnboundedSender<Task>,
    thread: JoinHandle<()>,
}

impl RuntimeThread {
    /// Starts the thread and the runtime, which has at most `blocking` others; `on_thread_start` runs first on this thread
    /// and on those.
    pub(crate) fn start(
        blocking: usize,
        on_thread_start: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (tasks, queue) = unbounded_channel();
        let (started, is_up) = mpsc::sync_channel(1);
        // Linux shows 15 bytes of a thread's name.
        let thread = thread::Builder::new().name("postroom-plugin".to_owned()).spawn(move || {
            on_thread_start();
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_all().on_thread_start(on_thread_start);
            builder.max_blocking_threads(blocking).thread_stack_size(STACK_BYTES);
            let runtime = match builder.build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(started.send(Err(error))),
            };
            drop(started.send(Ok(())));
            // Ends when `tasks` is dropped. Dropping the runtime drops all tasks and joins its threads.
            runtime.block_on(run(queue));
        })?;
        match is_up.recv() {
            Ok(Ok(())) => Ok(Self { tasks, thread }),
            Ok(Err(error)) => Err(error),
            Err(mpsc::RecvError) => Err(io::Error::other("the thread ended before its runtime was up")),
        }
    }

    /// Runs `task` on the thread, without waiting.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // An error: the thread has ended by a fault, and drops the task as it dropped all others.
        drop(self.tasks.send(Box::pin(task)));
    }

    /// Runs `work` on the thread and waits for its output; `None` when the thread is gone.
    pub(crate) fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let (done, output) = mpsc::sync_channel(1);
        self.spawn(async move { drop(done.send(work.await)) });
        output.recv().ok()
    }

    /// Drops all tasks and waits for the thread to end.
    pub(crate) fn stop(self) {
        drop(self.tasks);
        // A panic on the thread outside of any task was printed by the panic hook; the thread has ended either way.
        drop(self.thread.join());
    }
}

async fn run(mut queue: UnboundedReceiver<Task>) {
    while let Some(task) = queue.recv().await {
        tokio::spawn(task);
    }
}

#[cfg(test)]
mod tests;
