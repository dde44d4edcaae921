//! The thread of an instance, with its tokio runtime.

use std::{
    future::Future,
    io,
    sync::mpsc,
    thread::{self, JoinHandle},
};

use tokio::{runtime::Handle, sync::oneshot};

/// One thread with a single-threaded runtime.
///
/// A runtime per instance, because nothing of tokio may be shared with the host: a plugin has its own copy of it.
/// Single-threaded, because a destination mostly waits; what blocks goes to the runtime's blocking threads.
pub(crate) struct RuntimeThread {
    handle: Handle,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl RuntimeThread {
    /// Starts the thread and the runtime.
    pub(crate) fn start() -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (started, handle) = mpsc::sync_channel(1);
        // Linux shows 15 bytes of a thread's name.
        let thread = thread::Builder::new().name("postroom-plugin".to_owned()).spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(started.send(Err(error))),
            };
            drop(started.send(Ok(runtime.handle().clone())));
            // Ends by a message or when `stop` is dropped. Dropping the runtime drops all tasks and joins its threads.
            drop(runtime.block_on(stopped));
        })?;
        match handle.recv() {
            Ok(Ok(handle)) => Ok(Self { handle, stop, thread }),
            Ok(Err(error)) => Err(error),
            Err(mpsc::RecvError) => Err(io::Error::other("the thread ended before its runtime was up")),
        }
    }

    /// Runs `task` on the thread, without waiting.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.handle.spawn(task));
    }

    /// Runs `work` on the thread and waits for its output; `None` when the thread is gone.
    pub(crate) fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let (done, output) = mpsc::sync_channel(1);
        self.spawn(async move { drop(done.send(work.await)) });
        output.recv().ok()
    }

    /// Drops all tasks and waits for the thread to end.
    pub(crate) fn stop(self) {
        drop(self.stop);
        // A panic on the thread outside of any task was printed by the panic hook; the thread has ended either way.
        drop(self.thread.join());
    }
}
