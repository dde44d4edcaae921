//! Destinations that come, go and change while the dispatcher runs.
//!
//! What waits for a destination, what is in flight there, people's pauses, the breaker and all counts are about the
//! destination, and not about its settings: they stand.

use std::sync::Arc;

use postroom_core::id::DestinationName;

use super::Dispatcher;
use crate::Destination;

impl Dispatcher {
    /// Goes on with these settings, for destinations that are there, and begins with those that are not. Attempts under way
    /// end under the settings they began with.
    pub(super) fn put(&mut self, destinations: Vec<Destination>) {
        for destination in destinations {
            let name = destination.name.clone();
            let comes_back = self.removed.remove(&name);
            if self.destinations.contains_key(&name) {
                self.lanes.change(&name, destination.lanes);
            } else {
                self.lanes.open(name.clone(), destination.lanes);
                self.warm.open(&name);
            }
            let paused = self.pauses.of(&name).is_some();
            if paused || comes_back {
                self.lanes.hold(&name, paused);
            }
            self.destinations.insert(name, Arc::new(destination));
        }
        self.change_hours();
    }

    /// Ends pauses because of settings that do not work: these are others.
    pub(super) fn mended(&mut self, names: &[DestinationName]) {
        for name in names {
            self.lanes.mended(name);
        }
    }

    /// Starts nothing more there. What is in flight ends as it does, and what waits stays in the store, for the day on which
    /// the destination comes back.
    pub(super) fn remove(&mut self, names: Vec<DestinationName>) {
        for name in names {
            self.lanes.hold(&name, true);
            self.removed.insert(name);
        }
    }
}
