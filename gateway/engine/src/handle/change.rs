//! Other settings for a running engine.

use std::sync::PoisonError;

use postroom_core::id::DestinationName;

use super::Handle;
use crate::{Destination, dispatcher::Question, steer::SteerError};

impl Handle {
    /// Goes on with these settings, for destinations that are there, and delivers to those that are not from now on. People's
    /// pauses, the breaker, what waits and what is counted stand; attempts under way end under the settings they began with.
    ///
    /// # Errors
    /// [`SteerError::Stopped`]: nothing has changed.
    pub async fn put(&self, destinations: Vec<Destination>) -> Result<(), SteerError> {
        let names: Vec<_> = destinations.iter().map(|destination| destination.name.clone()).collect();
        self.ask(|answer| Question::Put(destinations, answer)).await?;
        self.rename(|known| {
            let new = names.into_iter().filter(|name| !known.contains(name)).collect::<Vec<_>>();
            known.extend(new);
        });
        Ok(())
    }

    /// The plugins of these destinations have other settings from now on: where settings that do not work were why nothing
    /// started, one delivery tries the new ones at once.
    ///
    /// # Errors
    /// [`SteerError::Stopped`]: nothing has changed.
    pub async fn mended(&self, names: Vec<DestinationName>) -> Result<(), SteerError> {
        self.ask(|answer| Question::Mended(names, answer)).await
    }

    /// Starts nothing more at these destinations. What is in flight ends as it does, and what waits stays in the store until
    /// they come back.
    ///
    /// # Errors
    /// [`SteerError::Stopped`]: nothing has changed.
    pub async fn remove(&self, names: Vec<DestinationName>) -> Result<(), SteerError> {
        self.rename(|known| known.retain(|name| !names.contains(name)));
        self.ask(|answer| Question::Remove(names, answer)).await
    }

    /// The destinations that are configured.
    pub(super) fn names(&self) -> Vec<DestinationName> {
        self.destinations.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn rename(&self, change: impl FnOnce(&mut Vec<DestinationName>)) {
        change(&mut self.destinations.write().unwrap_or_else(PoisonError::into_inner));
    }
}
