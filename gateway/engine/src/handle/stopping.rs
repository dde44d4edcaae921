//! How a running engine ends.

use std::time::Duration;

use postroom_core::chain::Chain;
use tokio::{
    sync::Mutex,
    task::{JoinError, JoinHandle},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::Handle;

/// Whether everything in flight came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Nothing is in flight, and every outcome is stored.
    Complete,
    /// The time was over first, or the engine had ended by a fault. What was in flight is delivered again at the next
    /// start.
    Incomplete,
}

/// The tasks of an engine and what ends them.
#[derive(Debug)]
pub(crate) struct Tasks {
    stop: CancellationToken,
    running: Mutex<Running>,
}

#[derive(Debug)]
struct Running {
    tasks: Vec<JoinHandle<Drained>>,
    /// What those say that have ended.
    drained: Drained,
}

impl Tasks {
    pub(crate) fn new(stop: CancellationToken, tasks: Vec<JoinHandle<Drained>>) -> Self {
        Self { stop, running: Mutex::new(Running { tasks, drained: Drained::Complete }) }
    }

    /// Waits until all have ended.
    async fn ended(&self) -> Drained {
        let mut running = self.running.lock().await;
        // Each goes only when it has ended: a wait that is given up leaves the rest to the next.
        while let Some(task) = running.tasks.last_mut() {
            let ended = task.await;
            running.tasks.pop();
            running.note(ended);
        }
        running.drained
    }
}

impl Running {
    fn note(&mut self, ended: Result<Drained, JoinError>) {
        match ended {
            Ok(Drained::Complete) => return,
            Ok(Drained::Incomplete) => {}
            Err(error) if error.is_cancelled() => {}
            Err(error) => tracing::error!(error = %Chain(&error), "a task of the engine ended by a fault"),
        }
        self.drained = Drained::Incomplete;
    }
}

impl Handle {
    /// Whether the dispatcher still runs. It ends only when it is drained; anything else is a fault.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.questions.is_closed()
    }

    /// Waits until the dispatcher has ended. Whoever has not drained it should end the gateway then: events would be
    /// taken and never delivered.
    pub async fn ended(&self) {
        self.questions.closed().await;
    }

    /// Starts nothing more and waits until what is in flight has ended and is stored, at most `deadline`. Then it ends
    /// by force, unless someone else waits for it still. Whoever asks again gets the same answer.
    pub async fn drain(&self, deadline: Duration) -> Drained {
        self.tasks.stop.cancel();
        if let Ok(drained) = timeout(deadline, self.tasks.ended()).await {
            return drained;
        }
        if let Ok(running) = self.tasks.running.try_lock() {
            running.tasks.iter().for_each(JoinHandle::abort);
            drop(running);
            // An aborted task ends as cancelled; what it held is gone when this returns.
            self.tasks.ended().await;
        }
        Drained::Incomplete
    }
}
