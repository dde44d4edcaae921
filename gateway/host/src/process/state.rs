//! Carries out what a plugin asks of its state, beside the conversation.

mod pace;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, mpsc},
    time::{sleep_until, timeout},
};

use self::pace::{Pace, cost};
use crate::{
    plugin_state::{PluginState, StateOperation, StateReply, WAITING_BYTES_MAX, WAITING_MAX},
    wire::Frame,
};

/// Operations of one process that are carried out at once. The store is everybody's.
const RUNNING_MAX: usize = 32;
/// Answers that wait to be written.
pub(super) const REPLIES_MAX: usize = 8;

/// A process asks for more at once than its side of the contract lets a plugin ask for.
#[derive(Debug, thiserror::Error)]
#[error("it asked for more of its state at once than it may")]
pub(super) struct TooMuch;

/// Takes the operations of one process.
///
/// Operations that are asked for without waiting for an answer are carried out in any order.
#[derive(Debug)]
pub(super) struct StateDesk {
    state: Option<Arc<dyn PluginState>>,
    replies: mpsc::Sender<Frame>,
    running: Arc<Semaphore>,
    waiting: Arc<Mutex<Waiting>>,
    pace: Arc<Pace>,
    /// How long an operation may take.
    limit: Duration,
}

#[derive(Debug, Default)]
struct Waiting {
    operations: usize,
    bytes: usize,
}

/// An operation's place among those that wait.
struct Place {
    waiting: Arc<Mutex<Waiting>>,
    bytes: usize,
}

impl StateDesk {
    pub(super) fn new(
        state: Option<Arc<dyn PluginState>>,
        replies: mpsc::Sender<Frame>,
        limit: Duration,
    ) -> Self {
        let running = Arc::new(Semaphore::new(RUNNING_MAX));
        Self { state, replies, running, waiting: Arc::default(), pace: Arc::new(Pace::new()), limit }
    }

    /// Has an operation carried out and answered. Never waits.
    pub(super) fn take(&self, request: u64, operation: StateOperation) -> Result<(), TooMuch> {
        let place = Place::take(&self.waiting, operation.bytes()).ok_or(TooMuch)?;
        let (state, replies) = (self.state.clone(), self.replies.clone());
        let (running, pace, limit) = (Arc::clone(&self.running), Arc::clone(&self.pace), self.limit);
        let cost = cost(&operation);
        let begin = pace.take(cost);
        tokio::spawn(async move {
            let run = async {
                let state = state?;
                if let Some(begin) = begin {
                    sleep_until(begin).await;
                }
                let permit = running.acquire_owned().await.ok()?;
                let reply = state.run(operation).await;
                Some((permit, reply))
            };
            let (permit, reply) = match timeout(limit, run).await {
                Ok(Some((permit, reply))) => (Some(permit), reply),
                Ok(None) | Err(_) => (None, StateReply::Unavailable),
            };
            if let StateReply::Conflict { .. } | StateReply::NotFound | StateReply::TooLarge = reply {
                pace.give_back(cost);
            }
            // Both are held until there is room, so that of a process which does not read its answers only so many are
            // made, and so many operations wait. Nobody is there to read them when the process has ended.
            let Ok(room) = replies.reserve().await else { return };
            // Before the answer goes out: whoever has it may ask for the next thing.
            drop((place, permit));
            room.send(Frame::state_reply(request, &reply));
        });
        Ok(())
    }
}

impl Place {
    fn take(waiting: &Arc<Mutex<Waiting>>, bytes: usize) -> Option<Self> {
        let mut now = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if now.operations >= WAITING_MAX || now.bytes + bytes > WAITING_BYTES_MAX {
            return None;
        }
        now.operations += 1;
        now.bytes += bytes;
        Some(Self { waiting: Arc::clone(waiting), bytes })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut now = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        now.operations -= 1;
        now.bytes -= self.bytes;
    }
}

#[cfg(test)]
mod tests;
