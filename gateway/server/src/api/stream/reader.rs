//! Somebody who follows: a place in the journal, and before that one in the log of events.

use std::{ops::ControlFlow, sync::Arc};

use postroom_core::chain::Chain;
use postroom_openapi::{
    port::{self, Step, Told},
    stream::{Topic, Topics, Wanted},
};
use postroom_store::StoreError;
use tokio::sync::watch;

use super::{
    journal::{Entry, Journal, Lost, Now, What},
    log::Log,
    places::Place,
    position::Position,
};

/// Entries that are looked at, and bytes that are taken, before anything is given.
const LOOKED_AT_MAX: usize = 1024;
// As many as a connection holds for a client that does not read: some sixteen of such pieces.
const TAKEN_BYTES_MAX: usize = 8 * 1024;
/// Events that are read from the log at once.
const PART_MAX: usize = 32;

const UNKNOWN: &str = "the position to go on behind is not remembered";
const GONE: &str = "some of the events were removed because of their age";
const SLOW: &str = "more happened than was read in time";

/// Reads what its filter leaves of the journal. Nobody waits for it.
#[derive(Debug)]
pub(crate) struct Reader<L> {
    journal: Arc<Journal>,
    log: L,
    wanted: Wanted,
    /// The last entry of the journal that it has taken.
    entry: u64,
    /// The last event that it has taken.
    event: i64,
    /// It has events to read from the log before it goes on in the journal.
    behind: bool,
    /// What it has missed and was not told yet.
    missed: Option<Missed>,
    newest: watch::Receiver<u64>,
    keys: watch::Receiver<()>,
    _place: Place,
}

#[derive(Debug, Clone, Copy)]
struct Missed {
    topics: Topics,
    reason: &'static str,
    /// The last event that it had before.
    after: i64,
}

impl<L: Log> Reader<L> {
    /// Begins now, or behind the position `after`.
    pub(super) fn begin(
        journal: Arc<Journal>,
        place: Place,
        log: L,
        wanted: Wanted,
        after: Option<&str>,
    ) -> Self {
        let (newest, keys, now) = (journal.newest(), journal.keys(), journal.now());
        let Now { entry, event } = now;
        let mut reader = Self {
            journal,
            log,
            wanted,
            entry,
            event,
            behind: false,
            missed: None,
            newest,
            keys,
            _place: place,
        };
        if let Some(after) = after {
            reader.go_to(after, now);
        }
        reader
    }

    fn go_to(&mut self, position: &str, now: Now) {
        // What came before a position that says nothing is not known either.
        self.event = 0;
        let Ok(position) = position.parse::<Position>() else {
            return self.miss(Topics::ALL, UNKNOWN, now);
        };
        let known = if position.life == self.journal.life() {
            self.journal.event_at(position.entry).ok()
        } else {
            None
        };
        match known {
            Some(_) => self.entry = position.entry,
            None => self.miss(Topics::STATES, UNKNOWN, now),
        }
        if !self.wanted.topics.has(Topic::Events) {
            self.event = known.unwrap_or(now.event);
            return;
        }
        if position.event > self.log.end() {
            // It is of another store.
            self.event = 0;
            return self.miss(Topics::of(&[Topic::Events]), UNKNOWN, Now { entry: self.entry, ..now });
        }
        self.event = position.event;
        self.behind = position.event < known.unwrap_or(now.event);
    }

    /// Goes on somewhere else, which is to be told.
    fn miss(&mut self, topics: Topics, reason: &'static str, now: Now) {
        let topics = topics.and(self.wanted.topics);
        if !topics.is_empty() {
            let before = self.missed.map_or(Topics::NONE, |missed| missed.topics);
            let after = self.missed.map_or(self.event, |missed| missed.after);
            self.missed = Some(Missed { topics: topics.or(before), reason, after });
        }
        (self.entry, self.event) = (now.entry, now.event);
    }

    fn at(&self) -> String {
        Position { life: self.journal.life(), entry: self.entry, event: self.event }.to_string()
    }

    /// What is there to be given; nothing if there is nothing yet.
    async fn ready(&mut self) -> Result<Option<Vec<Told>>, StoreError> {
        loop {
            if self.journal.stopping().is_cancelled() {
                return Ok(None);
            }
            if let Some(missed) = self.missed {
                return Ok(Some(vec![self.resync(missed).await?]));
            }
            let told = if self.behind { self.catch_up().await? } else { self.take() };
            if !told.is_empty() {
                return Ok(Some(told));
            }
            let has_all = !self.behind && self.journal.now().entry == self.entry;
            if self.missed.is_none() && has_all {
                return Ok(None);
            }
        }
    }

    async fn resync(&mut self, missed: Missed) -> Result<Told, StoreError> {
        let Missed { topics, reason, after } = missed;
        let after_event = if topics.has(Topic::Events) { self.log.id(after).await? } else { None };
        self.missed = None;
        Ok(Told::Resync { position: self.at(), topics, reason, after_event })
    }

    /// Reads on in the log of events, up to where the journal goes on.
    async fn catch_up(&mut self) -> Result<Vec<Told>, StoreError> {
        let until = match self.journal.event_at(self.entry) {
            Ok(until) => until,
            Err(Lost) => {
                let now = self.journal.now();
                self.miss(Topics::STATES, SLOW, Now { event: self.event, ..now });
                now.event
            }
        };
        if self.event >= until {
            self.behind = false;
            return Ok(Vec::new());
        }
        let part = self.log.after(self.event, PART_MAX).await?;
        if part.missing > 0 {
            self.behind = false;
            let now = self.journal.now();
            self.miss(Topics::of(&[Topic::Events]), GONE, Now { entry: self.entry, ..now });
            return Ok(Vec::new());
        }
        let mut told = Vec::with_capacity(part.events.len());
        for (number, change) in part.events {
            self.event = number;
            if self.wanted.takes(&change.about) {
                told.push(Told::Change { position: self.at(), change });
            }
        }
        self.event = part.last;
        Ok(told)
    }

    /// Takes what the journal has next.
    fn take(&mut self) -> Vec<Told> {
        let journal = Arc::clone(&self.journal);
        let (mut told, mut looked_at, mut bytes) = (Vec::new(), 0, 0);
        let taken = journal.after(self.entry, |number, entry| {
            (looked_at, self.entry) = (looked_at + 1, number);
            bytes += self.take_one(entry, &mut told);
            let enough = looked_at == LOOKED_AT_MAX || bytes >= TAKEN_BYTES_MAX || self.missed.is_some();
            if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if taken.is_err() {
            self.miss(Topics::ALL, SLOW, journal.now());
        }
        told
    }

    /// Gives the bytes that it takes.
    fn take_one(&mut self, entry: &Entry, told: &mut Vec<Told>) -> usize {
        let is_known = entry.event <= self.event;
        match &entry.what {
            What::Changed(change) => {
                self.event = self.event.max(entry.event);
                if change.about.topic == Topic::Events && is_known || !self.wanted.takes(&change.about) {
                    return 0;
                }
                told.push(Told::Change { position: self.at(), change: change.clone() });
                change.data.len()
            }
            What::Missed { topics, reason } => {
                // Whoever came back may have read them from the log.
                let topics = if is_known { topics.and(Topics::STATES) } else { *topics };
                self.miss(topics, reason, Now { entry: self.entry, event: self.event.max(entry.event) });
                0
            }
        }
    }
}

impl<L: Log> port::Reader for Reader<L> {
    async fn next(&mut self) -> Option<Step> {
        let stopping = self.journal.stopping().clone();
        loop {
            if stopping.is_cancelled() {
                return None;
            }
            if self.keys.has_changed().unwrap_or(false) {
                self.keys.mark_unchanged();
                return Some(Step::KeysChanged);
            }
            // Marked as seen before it looks: what comes later wakes it.
            self.newest.mark_unchanged();
            match self.ready().await {
                Ok(Some(told)) => return Some(Step::Told(told)),
                Ok(None) => {}
                Err(error) => {
                    // It can come back and go on behind its position.
                    tracing::warn!(error = %Chain(&error), "a reader of the stream is sent away: events cannot be read");
                    return None;
                }
            }
            tokio::select! {
                () = stopping.cancelled() => return None,
                changed = self.keys.changed() => return changed.ok().map(|()| Step::KeysChanged),
                changed = self.newest.changed() => changed.ok()?,
            }
        }
    }

    fn position(&self) -> Option<String> {
        self.missed.is_none().then(|| self.at())
    }
}

#[cfg(test)]
mod tests;
