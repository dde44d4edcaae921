//! The deliveries that a plugin process holds.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use postroom_core::{id::EventId, limits};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, oneshot},
    time::{Instant, sleep_until},
};

use super::Exit;
use crate::{
    delivery::PluginDelivery,
    outcome::Report,
    plugin_emit::{EmitReply, Origin},
    wire::Frame,
};

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
    closed: Option<Closed>,
    /// The plugin has ended one.
    has_ended_one: bool,
}

/// What is known of a process that has ended.
#[derive(Debug)]
struct Closed {
    /// The events that it held.
    held: HashSet<EventId>,
    exit: Exit,
}

#[derive(Debug)]
struct Held {
    event: EventId,
    /// How many plugins stand behind the event.
    hops: u8,
    /// How many events it has made.
    emits: u32,
    until: Instant,
    until_max: Instant,
    reply: oneshot::Sender<Reply>,
    /// When the gateway gave the delivery up. The plugin still holds it, and its slot, until it says that it let go.
    given_up: Option<Instant>,
    _slot: OwnedSemaphorePermit,
}

/// What is to be known of a delivery while the process holds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holding {
    pub(super) event: EventId,
    /// How many plugins stand behind the event.
    pub(super) hops: u8,
    /// When its time is up.
    pub(super) until: Instant,
    /// When it is up at the latest, however often the plugin asks for more.
    pub(super) until_max: Instant,
}

impl Holding {
    pub(super) fn of(delivery: &PluginDelivery, until: Instant) -> Self {
        let more = delivery.time_limit_max.saturating_sub(delivery.time_limit);
        Self { event: delivery.event.id, hops: delivery.event.hops, until, until_max: until + more }
    }
}

impl Pending {
    /// Notes a delivery before it is sent; `None` when the process has ended.
    pub(super) fn add(
        self: &Arc<Self>,
        token: u64,
        holding: Holding,
        slot: OwnedSemaphorePermit,
        outgoing: &mpsc::Sender<Frame>,
    ) -> Option<InFlight> {
        let (sender, reply) = oneshot::channel();
        let mut state = self.lock();
        if state.closed.is_some() {
            return None;
        }
        let Holding { event, hops, until, until_max } = holding;
        let held =
            Held { event, hops, emits: 0, until, until_max, reply: sender, given_up: None, _slot: slot };
        state.held.insert(token, held);
        Some(InFlight { pending: Arc::clone(self), outgoing: outgoing.clone(), token, reply })
    }

    /// The process says that a delivery has come to its end.
    pub(super) fn end(&self, token: u64, reply: Reply) -> Result<(), UnknownToken> {
        self.end_if(token, reply, |_| true)
    }

    /// Whether the plugin has ended a delivery in the life of this process.
    pub(super) fn has_ended_one(&self) -> bool {
        self.lock().has_ended_one
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
        let mut state = self.lock();
        match state.held.entry(token) {
            Entry::Occupied(held) if may_end(held.get()) => {
                let by_plugin = matches!(reply, Reply::Ended(_));
                // Nobody waits for the reply when whoever did has gone away.
                drop(held.remove().reply.send(reply));
                state.has_ended_one |= by_plugin;
                Ok(())
            }
            _ => Err(UnknownToken(token)),
        }
    }

    /// Counts an event that the plugin makes in a delivery, its `nth` with this content, and gives where it comes from.
    ///
    /// # Errors
    /// The answer to a plugin that does not have the delivery any more, or has made as many in it as it may.
    pub(super) fn made_event(&self, token: u64, nth: u32) -> Result<Origin, EmitReply> {
        let mut state = self.lock();
        let held = state.held.get_mut(&token).filter(|held| held.given_up.is_none());
        let held = held.ok_or(EmitReply::Stale)?;
        if held.emits >= limits::EMITS_PER_DELIVERY_MAX {
            return Err(EmitReply::Denied);
        }
        held.emits += 1;
        Ok(Origin { event: held.event, hops: held.hops, nth })
    }

    /// Counts an event no more that the plugin was told is not made: its next try is the same one.
    pub(super) fn unmade_event(&self, token: u64) {
        if let Some(held) = self.lock().held.get_mut(&token) {
            held.emits = held.emits.saturating_sub(1);
        }
    }

    /// Gives a delivery more time, `want_ms` from now, as far as it may have that. One that is over has none to get.
    pub(super) fn extend(&self, token: u64, want_ms: u32) {
        if let Some(held) = self.lock().held.get_mut(&token) {
            let wanted = Instant::now() + Duration::from_millis(want_ms.into());
            held.until = held.until.max(wanted.min(held.until_max));
        }
    }

    /// Waits until the time of a delivery is up; for ever when it is over.
    pub(super) async fn out_of_time(&self, token: u64) {
        loop {
            let until = self.lock().held.get(&token).map(|held| held.until);
            match until {
                Some(until) if until <= Instant::now() => return,
                Some(until) => sleep_until(until).await,
                None => std::future::pending().await,
            }
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

    /// The process has ended: every delivery that it holds comes back, and no more are taken. Of several ends the first holds.
    pub(super) fn close(&self, exit: &Exit) {
        let mut state = self.lock();
        if state.closed.is_some() {
            return;
        }
        let held = state.held.values().map(|held| held.event).collect();
        // Before anybody hears of it.
        state.closed = Some(Closed { held, exit: exit.clone() });
        for (_, held) in state.held.drain() {
            // As above.
            drop(held.reply.send(Reply::Lost(exit.clone())));
        }
    }

    /// Whether the end of the process is known.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed.is_some()
    }

    /// How the process ended and how many events it held then, if this one was among them.
    pub(super) fn lost(&self, event: EventId) -> Option<(Exit, usize)> {
        let state = self.lock();
        let closed = state.closed.as_ref().filter(|closed| closed.held.contains(&event))?;
        Some((closed.exit.clone(), closed.held.len()))
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
