//! The deliveries that a plugin process holds.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use postroom_core::id::EventId;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, oneshot},
    time::Instant,
};

use super::Exit;
use crate::{outcome::Report, wire::Frame};

/// How a delivery came back from the process.
#[derive(Debug)]
pub(super) enum Reply {
    /// The plugin ended it.
    Ended(Report),
    /// The plugin did not take it, with this status.
    Refused(i32),
    /// The plugin let go of it after it was given up, with this to say.
    Released(Report),
    /// The process ended first.
    Lost(Exit),
}

/// A token that the gateway never gave out, or that has ended before.
#[derive(Debug, thiserror::Error)]
#[error("it ended delivery {0}, which it does not hold")]
pub(super) struct UnknownToken(u64);

/// All deliveries of one process, by token.
#[derive(Debug, Default)]
pub(super) struct Pending {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: HashMap<u64, Held>,
    closed: bool,
}

#[derive(Debug)]
struct Held {
    event: EventId,
    reply: oneshot::Sender<Reply>,
    /// When the gateway gave the delivery up. The plugin still holds it, and its slot, until it says that it let go.
    given_up: Option<Instant>,
    _slot: OwnedSemaphorePermit,
}

impl Pending {
    /// Notes a delivery before it is sent; `None` when the process has ended.
    pub(super) fn add(
        self: &Arc<Self>,
        token: u64,
        event: EventId,
        slot: OwnedSemaphorePermit,
        outgoing: &mpsc::Sender<Frame>,
    ) -> Option<InFlight> {
        let (sender, reply) = oneshot::channel();
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        state.held.insert(token, Held { event, reply: sender, given_up: None, _slot: slot });
        Some(InFlight { pending: Arc::clone(self), outgoing: outgoing.clone(), token, reply })
    }

    /// The process says that a delivery has come to its end.
    pub(super) fn end(&self, token: u64, reply: Reply) -> Result<(), UnknownToken> {
        self.end_if(token, reply, |_| true)
    }

    /// The process says that it let go of a delivery that was given up.
    pub(super) fn release(&self, token: u64, report: Report) -> Result<(), UnknownToken> {
        self.end_if(token, Reply::Released(report), |held| held.given_up.is_some())
    }

    fn end_if(
        &self,
        token: u64,
        reply: Reply,
        may_end: impl FnOnce(&Held) -> bool,
    ) -> Result<(), UnknownToken> {
        match self.lock().held.entry(token) {
            Entry::Occupied(held) if may_end(held.get()) => {
                // Nobody waits for the reply when whoever did has gone away.
                drop(held.remove().reply.send(reply));
                Ok(())
            }
            _ => Err(UnknownToken(token)),
        }
    }

    /// The event that a token stands for.
    pub(super) fn event(&self, token: u64) -> Option<EventId> {
        self.lock().held.get(&token).map(|held| held.event)
    }

    /// Whether the plugin holds on to a delivery that was given up at least `grace` ago.
    pub(super) fn is_overdue(&self, now: Instant, grace: Duration) -> bool {
        let overdue = |held: &Held| held.given_up.is_some_and(|since| now.duration_since(since) >= grace);
        self.lock().held.values().any(overdue)
    }

    /// The process has ended: every delivery that it holds comes back, and no more are taken.
    pub(super) fn close(&self, exit: &Exit) {
        let mut state = self.lock();
        state.closed = true;
        for (_, held) in state.held.drain() {
            // As above.
            drop(held.reply.send(Reply::Lost(exit.clone())));
        }
    }

    /// Gives a delivery up; false when it has ended, or was given up before.
    fn give_up(&self, token: u64) -> bool {
        let mut state = self.lock();
        let held = state.held.get_mut(&token).filter(|held| held.given_up.is_none());
        held.is_some_and(|held| {
            held.given_up = Some(Instant::now());
            true
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A delivery that somebody waits for. Dropped before the reply came, it is cancelled.
#[derive(Debug)]
pub(super) struct InFlight {
    pending: Arc<Pending>,
    outgoing: mpsc::Sender<Frame>,
    token: u64,
    reply: oneshot::Receiver<Reply>,
}

impl InFlight {
    pub(super) async fn reply(&mut self) -> Reply {
        let gone = || Reply::Lost(Exit::Killed("the gateway stops".to_owned()));
        (&mut self.reply).await.unwrap_or_else(|_| gone())
    }

    /// Tells the plugin that the delivery is no longer wanted. The reply follows once the plugin has let go of it, or
    /// the session has ended the process because it did not.
    pub(super) fn cancel(&self) {
        if self.pending.give_up(self.token) {
            // There is room for one cancel of each delivery. Should it be missing all the same, the process ends as
            // one that holds on.
            drop(self.outgoing.try_send(Frame::cancel(self.token)));
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.cancel();
    }
}

#[cfg(test)]
mod tests;
