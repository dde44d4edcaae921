//! Places for those who read the stream: so many in all, and so many of one key, so that nobody takes all of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The places that are taken, by whose they are.
#[derive(Debug)]
pub(super) struct Places {
    in_all: usize,
    of_one: usize,
    taken: Mutex<HashMap<String, usize>>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    whose: String,
}

impl Places {
    pub(super) fn new(in_all: usize, of_one: usize) -> Self {
        Self { in_all, of_one, taken: Mutex::default() }
    }

    /// A place for one more reader of this key; `None` when there is none.
    pub(super) fn take(self: &Arc<Self>, whose: &str) -> Option<Place> {
        let mut taken = self.lock();
        let of_this = taken.get(whose).copied().unwrap_or_default();
        if of_this >= self.of_one || taken.values().sum::<usize>() >= self.in_all {
            return None;
        }
        taken.insert(whose.to_owned(), of_this + 1);
        Some(Place { places: Arc::clone(self), whose: whose.to_owned() })
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.lock().values().sum()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        let Some(of_this) = taken.get_mut(&self.whose) else { return };
        *of_this -= 1;
        if *of_this == 0 {
            taken.remove(&self.whose);
        }
    }
}

#[cfg(test)]
mod tests;
