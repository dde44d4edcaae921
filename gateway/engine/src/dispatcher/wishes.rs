//! Wishes about deliveries that cannot be touched just now: what became of them is being written, or looked up.
//!
//! Until that is known nobody can say what a wish means: a failed delivery may go on, a delivered one may not. So the
//! wish waits, and is taken up as if it came after.

use std::collections::HashMap;

use postroom_core::id::DeliveryId;

use super::{Dispatcher, Question};

#[derive(Debug, Default)]
pub(super) struct Wishes(HashMap<DeliveryId, Vec<Question>>);

impl Wishes {
    /// Lets wishes about a delivery wait until [`Wishes::free`].
    pub(super) fn hold(&mut self, id: DeliveryId) {
        self.0.entry(id).or_default();
    }

    /// Keeps a wish that has to wait; gives back any other question.
    pub(super) fn park(&mut self, question: Question) -> Option<Question> {
        match question.delivery().and_then(|id| self.0.get_mut(&id)) {
            Some(parked) => {
                parked.push(question);
                None
            }
            None => Some(question),
        }
    }

    /// Ends the hold of these, and gives the wishes that waited for it.
    pub(super) fn free(&mut self, ids: &[DeliveryId]) -> Vec<Question> {
        ids.iter().filter_map(|id| self.0.remove(id)).flatten().collect()
    }
}

impl Question {
    /// The delivery that it is about.
    fn delivery(&self) -> Option<DeliveryId> {
        match self {
            Self::Loads(_) | Self::Pause(_) | Self::Put(..) | Self::Mended(..) | Self::Remove(..) => None,
            Self::Cancel(cancel) => Some(cancel.id),
            Self::Hurry { id, .. } => Some(*id),
        }
    }
}

impl Dispatcher {
    /// Takes up wishes that have waited. One that finds its delivery held again waits again.
    pub(super) fn take_up(&mut self, wishes: Vec<Question>) {
        for wish in wishes {
            self.asked(wish);
        }
    }
}
