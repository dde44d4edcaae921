//! Which changes a reader wants.

use super::{About, Topic};
use crate::{deliveries::DeliveryState, events::Kind};

/// A set of topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Topics(u8);

impl Topics {
    /// No topic.
    pub const NONE: Self = Self(0);
    /// Every topic.
    pub const ALL: Self = Self::of(&Topic::ALL);
    /// Those that tell how something stands now, and not what was accepted.
    pub const STATES: Self = Self::of(&[Topic::Deliveries, Topic::Incidents, Topic::Destinations]);

    /// These topics.
    #[must_use]
    pub const fn of(topics: &[Topic]) -> Self {
        let (mut bits, mut place) = (0, 0);
        while place < topics.len() {
            bits |= 1 << topics[place] as u8;
            place += 1;
        }
        Self(bits)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a topic is one of them.
    #[must_use]
    pub const fn has(self, topic: Topic) -> bool {
        self.0 & (1 << topic as u8) != 0
    }

    /// Those that are in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that are in either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Topic> {
        Topic::ALL.into_iter().filter(move |topic| self.has(*topic))
    }
}

/// Which changes a reader wants. Every part that is set must hold, so a topic that knows no such thing is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of these topics.
    pub topics: Topics,
    /// Of events of this kind.
    pub kind: Option<Kind>,
    /// Of events by this source.
    pub source: Option<String>,
    /// About this destination.
    pub destination: Option<String>,
    /// About this monitor.
    pub monitor: Option<String>,
    /// Deliveries in this state.
    pub state: Option<DeliveryState>,
}

impl Wanted {
    /// Without the topics that cannot meet it; `None` when no topic is left.
    #[must_use]
    pub fn narrowed(self) -> Option<Self> {
        use Topic::{Deliveries, Destinations, Events, Incidents};
        let having: [(bool, &[Topic]); 5] = [
            (self.kind.is_some(), &[Events, Deliveries]),
            (self.source.is_some(), &[Events, Deliveries]),
            (self.destination.is_some(), &[Deliveries, Destinations]),
            (self.monitor.is_some(), &[Events, Deliveries, Incidents]),
            (self.state.is_some(), &[Deliveries]),
        ];
        let topics = having.into_iter().filter(|(is_set, _)| *is_set);
        let topics = topics.fold(self.topics, |left, (_, having)| left.and(Topics::of(having)));
        (!topics.is_empty()).then_some(Self { topics, ..self })
    }

    /// Whether a change is wanted.
    #[must_use]
    pub fn takes(&self, about: &About) -> bool {
        let Self { topics, kind, source, destination, monitor, state } = self;
        topics.has(about.topic)
            && is(kind, &about.kind)
            && is(source, &about.source)
            && is(destination, &about.destination)
            && is(monitor, &about.subject)
            && is(state, &about.state)
    }
}

fn is<T: PartialEq>(wanted: &Option<T>, found: &Option<T>) -> bool {
    wanted.is_none() || wanted == found
}
