//! When the gateway was listening. Silence is judged by what it could have heard.

use std::{sync::Arc, time::Duration};

use crate::time::Timestamp;

/// When the gateway was not listening, as far back as is known. Bounded, however often it is started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watch {
    absences: Arc<[Absence]>,
}

/// A time in which the gateway was not listening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absence {
    /// The last moment of which it is known that it was listening before that.
    pub from: Timestamp,
    /// Since when it was listening again.
    pub until: Timestamp,
}

impl Watch {
    /// Absences that are kept.
    pub const ABSENCES_MAX: usize = 32;

    /// A gateway that has always been listening.
    #[must_use]
    pub fn always() -> Self {
        Self::default()
    }

    /// A gateway of which nothing is known before `since`.
    #[must_use]
    pub fn since(since: Timestamp) -> Self {
        let mut watch = Self::default();
        watch.away(Timestamp::EPOCH, since);
        watch
    }

    /// A gateway that was away then.
    #[must_use]
    pub fn of(absences: impl IntoIterator<Item = Absence>) -> Self {
        let mut watch = Self::default();
        absences.into_iter().for_each(|Absence { from, until }| watch.away(from, until));
        watch
    }

    /// The gateway was away after all that is known: from `from` until `until`, which is now. Where the clock was set
    /// back, what is said to have been later than now is forgotten.
    pub fn away(&mut self, from: Timestamp, until: Timestamp) {
        let mut from = from.min(until);
        let mut absences = Vec::with_capacity(self.absences.len() + 1);
        for absence in self.absences.iter().filter(|absence| absence.from <= until) {
            if absence.until >= from {
                from = from.min(absence.from);
            } else {
                absences.push(*absence);
            }
        }
        absences.push(Absence { from, until });
        if absences.len() > Self::ABSENCES_MAX {
            join_nearest(&mut absences);
        }
        self.absences = absences.into();
    }

    /// When it was away, the longest ago first.
    #[must_use]
    pub fn absences(&self) -> &[Absence] {
        &self.absences
    }

    /// Since when it has been listening without a gap.
    #[must_use]
    pub fn listening_since(&self) -> Timestamp {
        self.absences.last().map_or(Timestamp::EPOCH, |absence| absence.until)
    }

    /// The absences of which some is between `from` and `until`.
    pub(super) fn between(&self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = &Absence> {
        self.absences.iter().filter(move |absence| absence.from < until && absence.until > from)
    }

    /// When it has listened for so long after `from`.
    pub(super) fn listened(&self, from: Timestamp, long: Duration) -> Timestamp {
        let mut at = from.plus(long);
        for absence in &*self.absences {
            if absence.from < at && absence.until > from {
                at = at.plus(absence.from.max(from).until(absence.until));
            }
        }
        at
    }
}

/// Of more absences than are kept, those with the least time between them become one.
fn join_nearest(absences: &mut Vec<Absence>) {
    let between = |pair: &[Absence]| pair[0].until.until(pair[1].from);
    let nearest = absences.windows(2).enumerate().min_by_key(|(_, pair)| between(pair));
    if let Some(first) = nearest.map(|(first, _)| first) {
        let second = absences.remove(first + 1);
        absences[first].until = second.until;
    }
}
