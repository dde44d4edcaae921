//! The way to a running dispatcher.

use std::{collections::BTreeMap, time::Duration};

use postroom_core::{chain::Chain, id::DestinationName, time::Timestamp};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::dispatcher::Input;

/// How busy a destination is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationLoad {
    /// Deliveries in flight.
    pub in_flight: u32,
    /// Nothing starts before this moment.
    pub paused_until: Option<Timestamp>,
    /// What goes wrong there; `None` when the last delivery got through.
    pub trouble: Option<Trouble>,
}

/// What goes wrong at a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// When the first of the failures ended.
    pub since: Timestamp,
    /// The newest failure, or the one that paused the destination, in the words of its outcome.
    pub reason: String,
}

/// Whether everything in flight came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Nothing is in flight, and every outcome is stored.
    Complete,
    /// The time was over first. What was in flight is delivered again at the next start.
    TimedOut,
}

/// A running dispatcher.
#[derive(Debug)]
pub struct Handle {
    questions: mpsc::UnboundedSender<Input>,
    stop: CancellationToken,
    /// `None` once it was drained.
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Handle {
    pub(crate) fn new(
        questions: mpsc::UnboundedSender<Input>,
        stop: CancellationToken,
        task: JoinHandle<()>,
    ) -> Self {
        Self { questions, stop, task: Mutex::new(Some(task)) }
    }

    /// How busy each destination is; empty once the dispatcher has stopped.
    pub async fn loads(&self) -> BTreeMap<DestinationName, DestinationLoad> {
        let (answer, loads) = oneshot::channel();
        if self.questions.send(Input::Loads(answer)).is_err() {
            return BTreeMap::new();
        }
        loads.await.unwrap_or_default()
    }

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

    /// Starts nothing more and waits until what is in flight has ended and is stored, at most `deadline`.
    pub async fn drain(&self, deadline: Duration) -> Drained {
        self.stop.cancel();
        let Some(mut task) = self.task.lock().await.take() else { return Drained::Complete };
        match tokio::time::timeout(deadline, &mut task).await {
            Ok(Ok(())) => Drained::Complete,
            Ok(Err(error)) => {
                tracing::error!(error = %Chain(&error), "the dispatcher ended by a fault");
                Drained::TimedOut
            }
            Err(_) => {
                task.abort();
                // An aborted task ends as cancelled; what it held is gone when this returns.
                drop(task.await);
                Drained::TimedOut
            }
        }
    }
}
