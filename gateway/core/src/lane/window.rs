//! One lane: the first of its waiting deliveries, and whether more wait in the store.

use std::collections::VecDeque;

use super::{Ticket, WINDOW_MAX};
use crate::id::DeliveryId;

#[derive(Debug, Default)]
pub(super) struct Lane {
    /// Waiting deliveries in order. The head stays here while it is in flight.
    pub(super) window: VecDeque<Ticket>,
    /// A delivery is in flight or superseded ones are being recorded.
    pub(super) busy: bool,
    /// The head failed since something last went through.
    pub(super) held_up: bool,
    /// A refill was asked for and has not been answered; everything up to this delivery was in the store by then.
    asked_up_to: Option<DeliveryId>,
    /// The newest delivery that was turned away because the window was full.
    newest_spilled: Option<DeliveryId>,
    /// The newest delivery that ever was in the window.
    newest_loaded: Option<DeliveryId>,
}

impl Lane {
    /// Takes `ticket` into the window, or notes that it waits in the store.
    pub(super) fn push(&mut self, ticket: Ticket) -> bool {
        if self.has_spilled() || self.window.len() >= WINDOW_MAX {
            self.newest_spilled = self.newest_spilled.max(Some(ticket.id));
            return false;
        }
        self.load(ticket);
        true
    }

    fn load(&mut self, ticket: Ticket) {
        self.newest_loaded = Some(ticket.id);
        self.window.push_back(ticket);
    }

    /// Takes what the store had after the window.
    pub(super) fn refill(&mut self, tickets: Vec<Ticket>) {
        let Some(asked_up_to) = self.asked_up_to.take() else { return };
        // The store may be ahead of the feed. What was committed after the question comes by itself: taken here as
        // well, it would go twice, the second time behind newer ones.
        let asked: Vec<Ticket> = tickets.into_iter().filter(|ticket| ticket.id <= asked_up_to).collect();
        let complete = asked.len() < WINDOW_MAX;
        for ticket in asked {
            if self.newest_loaded < Some(ticket.id) && self.window.len() < WINDOW_MAX {
                self.load(ticket);
            }
        }
        if complete && self.window.len() < WINDOW_MAX {
            // What was asked for and not given is final already. What was turned away since the question is not
            // covered by the answer and keeps the lane marked.
            self.newest_loaded = self.newest_loaded.max(Some(asked_up_to));
        }
    }

    fn has_spilled(&self) -> bool {
        self.newest_spilled > self.newest_loaded
    }

    /// The delivery after which the store should be read, if this lane wants more now.
    pub(super) fn wants_refill(&mut self) -> Option<Option<DeliveryId>> {
        if self.asked_up_to.is_some() || !self.has_spilled() || self.window.len() > WINDOW_MAX / 2 {
            return None;
        }
        self.asked_up_to = self.newest_spilled;
        Some(self.newest_loaded)
    }

    /// Removes all but the newest waiting delivery, and gives their ids.
    pub(super) fn supersede(&mut self) -> Vec<DeliveryId> {
        let older = self.window.len().saturating_sub(1);
        self.window.drain(..older).map(|ticket| ticket.id).collect()
    }

    /// Whether nothing is left to remember.
    pub(super) fn is_idle(&self) -> bool {
        self.window.is_empty() && !self.busy && self.asked_up_to.is_none() && !self.has_spilled()
    }
}
