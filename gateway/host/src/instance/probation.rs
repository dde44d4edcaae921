//! Finds the event that ends a plugin's process, and spares those that were only beside it.
//!
//! A process that ends by itself may have ended by any event that it held. Each of them is a suspect: next time it goes
//! into the plugin alone, and everything else waits outside meanwhile. One that gets through, however the plugin ends it, is
//! cleared. One that ends the process while nothing else is inside is charged with it, and after [`ENDS_MAX`] charges it is
//! not tried again. An event that happened to be alone when it first ended the process is charged at once: the evidence
//! is the same.
//!
//! What the gateway ends, because it stops or reloads the plugin, says nothing about anybody.
//!
//! All of this is in memory. After a restart of the gateway nobody is suspected, and an event that ends processes is found
//! again.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use postroom_core::{
    id::EventId,
    outcome::{Outcome, OutcomeKind},
};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::{
    delivery::Delivered,
    process::{Ending, Exit},
};

/// Ends of a process that an event may be charged with.
const ENDS_MAX: u32 = 3;
/// Events that are suspected at once; the oldest suspicion is forgotten first. Twice what a plugin can hold.
const SUSPECTS_MAX: usize = 2048;
/// How often a suspect waits in vain to be alone. After that it goes beside others: where every delivery takes long, it would
/// wait for ever otherwise.
const VAIN_WAITS_MAX: u32 = 3;

/// Who may be inside the plugin of one instance together with whom.
#[derive(Debug, Default)]
pub(crate) struct Probation {
    /// Suspects write, all others read. First come, first served: a suspect waits for those before it only, and others
    /// get their turn between suspects.
    inside: RwLock<()>,
    suspects: Mutex<Suspects>,
}

/// A place inside the plugin.
#[derive(Debug)]
pub(super) enum Pass<'a> {
    Shared { _place: RwLockReadGuard<'a, ()> },
    Alone { _place: RwLockWriteGuard<'a, ()> },
}

#[derive(Debug, Default)]
struct Suspects {
    by_event: HashMap<EventId, Suspect>,
    /// Numbers suspicions in their order.
    last: u64,
}

#[derive(Debug)]
struct Suspect {
    number: u64,
    /// Ends of a process that it is charged with.
    ends: u32,
    /// Waits in vain since it last was inside.
    vain_waits: u32,
}

impl Probation {
    /// Waits until the event may go into the plugin.
    pub(super) async fn enter(&self, event: EventId) -> Pass<'_> {
        if self.suspects().must_be_alone(event) {
            Pass::Alone { _place: self.inside.write().await }
        } else {
            Pass::Shared { _place: self.inside.read().await }
        }
    }

    /// The event waited and was not let in.
    pub(super) fn waited_in_vain(&self, event: EventId) {
        if let Some(suspect) = self.suspects().by_event.get_mut(&event) {
            suspect.vain_waits += 1;
        }
    }

    /// The event is back from the plugin with `delivered`. `ending` is how the process ended that held it until then, if it
    /// did. Gives what becomes of the delivery.
    pub(super) fn came_back(
        &self,
        event: EventId,
        delivered: Delivered,
        ending: Option<Ending>,
    ) -> Delivered {
        match (ending, delivered) {
            (None, Delivered::NotAccepted) => Delivered::NotAccepted,
            (None, delivered) => {
                self.suspects().by_event.remove(&event);
                delivered
            }
            (Some(Ending::ByGateway), delivered) => interrupted(delivered),
            (Some(Ending::ByItself { alone, exit }), delivered) => {
                let guilty = self.suspects().suspect(event, alone);
                interrupted(match delivered {
                    Delivered::Outcome(_) if guilty => Delivered::Outcome(given_up(&exit)),
                    delivered => delivered,
                })
            }
        }
    }

    /// The plugin is another one, or has other settings: what the one before was ended by is forgiven. Suspects stay so,
    /// and are alone at first.
    pub(crate) fn forgive(&self) {
        for suspect in self.suspects().by_event.values_mut() {
            suspect.ends = 0;
        }
    }

    fn suspects(&self) -> MutexGuard<'_, Suspects> {
        self.suspects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Suspects {
    fn must_be_alone(&self, event: EventId) -> bool {
        self.by_event.get(&event).is_some_and(|suspect| suspect.vain_waits < VAIN_WAITS_MAX)
    }

    /// Suspects the event, and charges it if it was `alone`; gives whether that was once too often, and forgets it then:
    /// when a person sends it again, it is tried like any other.
    fn suspect(&mut self, event: EventId, alone: bool) -> bool {
        self.last += 1;
        let ends = u32::from(alone) + self.by_event.remove(&event).map_or(0, |before| before.ends);
        if ends >= ENDS_MAX {
            return true;
        }
        if self.by_event.len() >= SUSPECTS_MAX {
            self.forget_oldest();
        }
        self.by_event.insert(event, Suspect { number: self.last, ends, vain_waits: 0 });
        false
    }

    /// An event that has not come back for so long was cancelled, or has run out of attempts.
    fn forget_oldest(&mut self) {
        let oldest = self.by_event.iter().min_by_key(|(_, suspect)| suspect.number).map(|(event, _)| *event);
        if let Some(oldest) = oldest {
            self.by_event.remove(&oldest);
        }
    }
}

/// Whatever the attempt came to, the remote side has no part in it.
fn interrupted(delivered: Delivered) -> Delivered {
    match delivered {
        Delivered::Outcome(outcome) => Delivered::Interrupted(outcome),
        other => other,
    }
}

fn given_up(exit: &Exit) -> Outcome {
    let message = format!(
        "the plugin process ended {ENDS_MAX} times while it had this event and no other, last with {exit}. The event is not \
         tried again by itself: mend the plugin, then replay it"
    );
    Outcome { kind: OutcomeKind::Permanent, ..Outcome::retry("plugin_crashed", message) }
}

#[cfg(test)]
mod tests;
