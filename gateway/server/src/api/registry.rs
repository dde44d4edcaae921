//! The destinations that there are.

use std::sync::{Arc, PoisonError, RwLock};

use super::DestinationInfo;

/// The destinations that there are, in the order of the configuration in force.
#[derive(Debug)]
pub(crate) struct Destinations(RwLock<Arc<[DestinationInfo]>>);

impl Destinations {
    pub(crate) fn new(destinations: Vec<DestinationInfo>) -> Self {
        Self(RwLock::new(destinations.into()))
    }

    /// Those of now.
    pub(crate) fn all(&self) -> Arc<[DestinationInfo]> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts these in the place of all before them.
    pub(crate) fn put(&self, destinations: Vec<DestinationInfo>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = destinations.into();
    }

    /// Puts a destination in the place of the one of its name.
    pub(crate) fn replace(&self, destination: DestinationInfo) {
        let mut destinations = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let others = |before: &DestinationInfo| {
            if before.name == destination.name { destination.clone() } else { before.clone() }
        };
        *destinations = destinations.iter().map(others).collect();
    }
}
