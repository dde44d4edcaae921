//! Destinations that deliver at certain hours only.
//!
//! Hours are a matter of the wall clock, which may jump; so they are looked up again now and then, not only at the next
//! moment at which they change.

use std::collections::HashMap;

use postroom_core::{id::DestinationName, time::Timestamp};
use tokio::time::Instant;

use super::{Dispatcher, NAP_MAX};
use crate::Destination;

#[derive(Debug)]
pub(super) struct Hours {
    /// Each with the moment at which it opens, by the wall clock.
    closed: HashMap<DestinationName, Timestamp>,
    /// When to look again; `None` when no destination has hours.
    next: Option<Instant>,
}

impl Hours {
    pub(super) fn of(destinations: &[Destination]) -> Self {
        let any = destinations.iter().any(|destination| destination.schedule.is_some());
        Self { closed: HashMap::new(), next: any.then(Instant::now) }
    }

    /// When a destination that is closed now opens.
    pub(super) fn opens_at(&self, destination: &DestinationName) -> Option<Timestamp> {
        self.closed.get(destination).copied()
    }

    pub(super) const fn next(&self) -> Option<Instant> {
        self.next
    }
}

impl Dispatcher {
    /// Looks the hours up again, because other destinations have some now.
    pub(super) fn change_hours(&mut self) {
        for (name, destination) in &self.destinations {
            if destination.schedule.is_none() && self.hours.closed.remove(name).is_some() {
                self.lanes.close_until(name, None);
            }
        }
        let any = self.destinations.values().any(|destination| destination.schedule.is_some());
        self.hours.next = any.then(Instant::now);
    }

    /// Opens and closes destinations by the hours of now.
    pub(super) fn keep_hours(&mut self) {
        let now = Instant::now();
        if self.hours.next.is_none_or(|next| now < next) {
            return;
        }
        let wall = self.clock.now();
        let mut wait = NAP_MAX;
        for (name, destination) in &self.destinations {
            let Some(schedule) = &destination.schedule else { continue };
            let changes = match schedule.open_at(wall) {
                Ok(closes) => {
                    self.lanes.close_until(name, None);
                    if self.hours.closed.remove(name).is_some() {
                        tracing::info!(destination = %name, "destination is open again by its schedule");
                    }
                    closes
                }
                Err(opens) => {
                    self.lanes.close_until(name, Some(self.by_the_steady(opens)));
                    if self.hours.closed.insert(name.clone(), opens).is_none() {
                        let for_s = wall.until(opens).as_secs();
                        tracing::info!(destination = %name, for_s, "destination is closed by its schedule");
                    }
                    Some(opens)
                }
            };
            wait = changes.map_or(wait, |at| wait.min(wall.until(at)));
        }
        self.hours.next = Some(now + wait);
    }
}
