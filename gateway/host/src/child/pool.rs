//! Threads for plugins whose `deliver` blocks.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use super::threads::OwnThread;
use crate::sandbox::STACK_BYTES;

type Job = Box<dyn FnOnce() + Send>;

/// At most so many threads as there are deliveries at once, started when they are needed.
pub(super) struct Pool {
    shared: Arc<Shared>,
    threads_max: usize,
}

struct Shared {
    state: Mutex<State>,
    added: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

impl Pool {
    pub(super) fn new(threads_max: usize) -> Self {
        let shared = Shared { state: Mutex::default(), added: Condvar::new() };
        Self { shared: Arc::new(shared), threads_max }
    }

    /// Runs `job` on a thread of the pool. The queue is as long as the gateway sends deliveries, which it bounds.
    ///
    /// # Errors
    /// When there is no thread at all to run it.
    pub(super) fn run(&self, job: Job) -> io::Result<()> {
        let mut state = self.shared.lock();
        if state.idle <= state.jobs.len() && state.threads < self.threads_max {
            let worker = Arc::clone(&self.shared);
            let thread = thread::Builder::new().name("deliver".to_owned()).stack_size(STACK_BYTES);
            match thread.spawn(move || worker.work()) {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => return Err(error),
                // The threads that are there get to it.
                Err(_) => {}
            }
        }
        state.jobs.push_back(job);
        drop(state);
        self.shared.added.notify_one();
        Ok(())
    }
}

impl Shared {
    fn work(&self) {
        let _own = OwnThread::enter();
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                job();
                state = self.lock();
            } else {
                state.idle += 1;
                state = self.added.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
