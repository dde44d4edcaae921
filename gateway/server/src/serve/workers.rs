//! The threads that connections live on, each with a runtime of its own.
//!
//! A connection stays on the thread it was given to: it is woken without asking which core is free, and no core looks for
//! the work of another.

use std::{
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use tokio::{
    net::TcpStream,
    runtime::{Builder, Handle},
    sync::watch,
    task,
};

use super::wakes::Wakes;

/// The threads. They run until this is stopped or dropped.
#[derive(Debug)]
pub(super) struct Workers {
    workers: Vec<Worker>,
    running: watch::Sender<()>,
}

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    wakes: Arc<Wakes>,
    connections: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Workers {
    /// Starts `count` threads, or as many as the system gives.
    pub(super) fn start(count: usize) -> Self {
        let (running, watched) = watch::channel(());
        let mut workers = Vec::with_capacity(count);
        for _ in 0..count {
            match Worker::start(watched.clone()) {
                Ok(worker) => workers.push(worker),
                Err(error) => {
                    tracing::warn!(%error, threads = workers.len(), wanted = count, "cannot start more threads");
                    break;
                }
            }
        }
        Self { workers, running }
    }

    /// Runs `serve` for a new connection, on the thread that has the fewest; where the caller runs, if there is none.
    pub(super) fn spawn<S, F>(&self, stream: TcpStream, serve: S)
    where
        S: FnOnce(TcpStream) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let load = |worker: &&Worker| worker.connections.load(Ordering::Relaxed);
        let Some(Worker { runtime, wakes, connections, .. }) = self.workers.iter().min_by_key(load) else {
            tokio::spawn(serve(stream));
            return;
        };
        let place = Place::take(connections);
        runtime.spawn(Arc::clone(wakes).gather(async move {
            // Watched by the runtime it was accepted on until now, it would be woken through that one for ever.
            match stream.into_std().and_then(TcpStream::from_std) {
                Ok(stream) => serve(stream).await,
                Err(error) => tracing::warn!(%error, "cannot serve a connection"),
            }
            drop(place);
        }));
    }

    /// Ends the threads, and whatever handlers left running on them.
    pub(super) async fn stop(self) {
        drop(self.running);
        let join = move || self.workers.into_iter().all(|worker| worker.thread.join().is_ok());
        if !matches!(task::spawn_blocking(join).await, Ok(true)) {
            tracing::error!("a thread that served connections ended by a fault");
        }
    }
}

impl Worker {
    fn start(mut watched: watch::Receiver<()>) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let wakes = Arc::new(Wakes::default());
        handle.spawn(Arc::clone(&wakes).pass_on());
        let thread = thread::Builder::new().name("connections".to_owned()).spawn(move || {
            // Nothing is ever sent, so this waits until the sender is gone.
            while runtime.block_on(watched.changed()).is_ok() {}
            // A look into the store that nobody waits for any more must not hold up the end.
            runtime.shutdown_background();
        })?;
        Ok(Self { runtime: handle, wakes, connections: Arc::default(), thread })
    }
}

/// A connection's share of a thread.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(connections: &Arc<AtomicUsize>) -> Self {
        // Relaxed: the number guards no other memory.
        connections.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(connections))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
