//! Answers what comes from outside.

use std::collections::BTreeMap;

use postroom_core::id::DestinationName;

use super::{Answer, Dispatcher, Question};
use crate::DestinationLoad;

impl Dispatcher {
    pub(super) fn asked(&mut self, question: Question) {
        let Some(question) = self.wishes.park(question) else { return };
        match question {
            Question::Loads(answer) => tell(answer, self.loads()),
            Question::Pause(wish) => self.wish_pause(wish),
            Question::Cancel(cancel) => self.cancel(cancel),
            Question::Put(destinations, answer) => {
                self.put(destinations);
                tell(answer, ());
            }
            Question::Mended(names, answer) => {
                self.mended(&names);
                tell(answer, ());
            }
            Question::Remove(names, answer) => {
                self.remove(names);
                tell(answer, ());
            }
            Question::Hurry { lane, id, answer } => tell(answer, self.hurry(&lane, id)),
        }
    }

    fn loads(&self) -> BTreeMap<DestinationName, DestinationLoad> {
        let load = |name: &DestinationName| {
            let load = self.lanes.load(name)?;
            self.metrics.gate(name, load.gate);
            let paused_until = load.paused_until.map(|until| self.by_the_wall(until));
            let load = DestinationLoad {
                in_flight: load.in_flight,
                paused_until: paused_until.max(self.hours.opens_at(name)),
                gate: load.gate,
                behind: load.behind,
                paused_by: self.pauses.of(name).cloned(),
                trouble: self.troubles.of(name).cloned(),
            };
            Some((name.clone(), load))
        };
        let there = self.destinations.keys().filter(|name| !self.removed.contains(*name));
        there.filter_map(load).collect()
    }
}

/// Answers a question. Whoever asked may have gone.
pub(super) fn tell<T>(answer: Answer<T>, value: T) {
    drop(answer.send(value));
}
