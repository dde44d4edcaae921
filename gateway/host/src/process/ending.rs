//! What the end of a process says about the events that it held.

use postroom_core::id::EventId;

use super::{Exit, Process};

/// How a process ended that held an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It crashed or left, or it had to be ended because it hung as a whole or broke a rule.
    ByItself {
        /// It held no other event, and no action was inside.
        alone: bool,
        exit: Exit,
    },
    /// The gateway had told it to stop, or ended it because it held on to a delivery. A remote side that does not answer
    /// makes a plugin that ignores cancels do that, whatever the event.
    ByGateway,
}

impl Process {
    /// Whether the plugin has ended a delivery in the life of this process.
    pub(crate) fn has_ended_a_delivery(&self) -> bool {
        self.pending.has_ended_one()
    }

    /// How the process ended, if it held this event then.
    pub(crate) fn ending_of(&self, event: EventId) -> Option<Ending> {
        let (exit, held) = self.pending.lost(event)?;
        let alone = held == 1 && !self.actions.were_interrupted();
        let held_on = matches!(exit, Exit::HeldOn(_));
        let by_gateway = held_on || self.is_stopping() || self.kill.is_cancelled();
        Some(if by_gateway { Ending::ByGateway } else { Ending::ByItself { alone, exit } })
    }
}
