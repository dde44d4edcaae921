//! Destinations that people have paused.
//!
//! A pause is on disk before it is answered, so that it outlives a restart. Wishes are carried out one after the other:
//! two writes side by side could end in another order than they began.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use postroom_core::{chain::Chain, id::DestinationName};
use postroom_store::{Pause, StoreError};

use super::{
    Dispatcher,
    answer::tell,
    input::{Done, PauseWish},
};

#[derive(Debug, Default)]
pub(super) struct Pauses {
    /// What the store has; `None` until it was read.
    kept: Option<HashMap<DestinationName, Pause>>,
    wishes: VecDeque<PauseWish>,
    /// A wish is being written.
    writing: bool,
}

impl Pauses {
    pub(super) fn know(&mut self, pauses: Vec<(DestinationName, Pause)>) {
        self.kept = Some(pauses.into_iter().collect());
    }

    pub(super) const fn are_known(&self) -> bool {
        self.kept.is_some()
    }

    pub(super) fn of(&self, destination: &DestinationName) -> Option<&Pause> {
        self.kept.as_ref()?.get(destination)
    }

    fn keep(&mut self, destination: &DestinationName, pause: Option<Pause>) {
        let kept = self.kept.get_or_insert_default();
        match pause {
            Some(pause) => kept.insert(destination.clone(), pause),
            None => kept.remove(destination),
        };
    }

    fn next_wish(&mut self) -> Option<PauseWish> {
        if self.writing || self.kept.is_none() {
            return None;
        }
        self.wishes.pop_front()
    }
}

impl Dispatcher {
    pub(super) fn wish_pause(&mut self, wish: PauseWish) {
        self.pauses.wishes.push_back(wish);
        self.keep_next_pause();
    }

    pub(super) fn keep_next_pause(&mut self) {
        while let Some(wish) = self.pauses.next_wish() {
            let PauseWish { destination, pause, .. } = &wish;
            if pause.is_some() == self.pauses.of(destination).is_some() {
                // A resumption also ends a pause that an outcome has asked for, and the breaker.
                self.hold(destination, pause.is_some());
                tell(wish.answer, Ok(()));
                continue;
            }
            if pause.is_some() {
                // From here on nothing starts, however long the write takes.
                self.hold(destination, true);
            }
            let (store, destination, pause) = (Arc::clone(&self.store), destination.clone(), pause.clone());
            self.pauses.writing = true;
            self.writing += 1;
            self.tasks.spawn(async move {
                let kept = store.set_pause(destination, pause).await;
                Done::PauseKept { wish, kept }
            });
        }
    }

    pub(super) fn pause_kept(&mut self, wish: PauseWish, kept: Result<(), StoreError>) {
        self.writing -= 1;
        self.pauses.writing = false;
        let PauseWish { destination, pause, answer } = wish;
        match kept {
            Ok(()) => {
                match &pause {
                    Some(pause) => {
                        tracing::info!(%destination, by = pause.by, "destination paused by a person")
                    }
                    None => tracing::debug!(%destination, "destination resumed by a person"),
                }
                self.hold(&destination, pause.is_some());
                self.pauses.keep(&destination, pause);
                tell(answer, Ok(()));
            }
            Err(error) => {
                tracing::error!(%destination, error = %Chain(&error), "a person's pause could not be stored, nothing changes");
                if pause.is_some() && !self.removed.contains(&destination) {
                    self.lanes.undo_hold(&destination);
                }
                tell(answer, Err(error.into()));
            }
        }
        self.keep_next_pause();
    }

    /// A destination that is gone starts nothing, whatever a person wished before it went.
    fn hold(&mut self, destination: &DestinationName, paused: bool) {
        self.lanes.hold(destination, paused || self.removed.contains(destination));
    }
}
