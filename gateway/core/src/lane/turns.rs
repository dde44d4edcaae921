//! Whose turn it is among the lanes of a destination that nothing holds back.
//!
//! First attempts and retries wait in two lines and take turns. Retries never take the last places of a destination:
//! thousands of lanes that fail slowly, again and again, do not keep a healthy lane from going.

use std::{collections::BTreeMap, sync::Arc};

use crate::time::Timestamp;

/// A lane's place in the lines, which finds it again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    due: Timestamp,
    number: u64,
    line: Line,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    First,
    Again,
}

#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Lanes whose head may go now, by the order in which they came.
    first: BTreeMap<u64, Arc<str>>,
    again: BTreeMap<u64, Arc<str>>,
    /// Lanes whose head waits for a moment.
    timed: BTreeMap<(Timestamp, u64), (Arc<str>, Line)>,
    numbers: u64,
    /// The last one was a first attempt, so a retry goes next.
    again_next: bool,
}

impl Turns {
    /// Puts a lane in line whose head is due then.
    pub(super) fn put(&mut self, key: &Arc<str>, due: Timestamp, line: Line, now: Timestamp) -> Turn {
        self.numbers += 1;
        let turn = Turn { due, number: self.numbers, line };
        if due <= now {
            self.line(line).insert(turn.number, Arc::clone(key));
        } else {
            self.timed.insert((due, turn.number), (Arc::clone(key), line));
        }
        turn
    }

    pub(super) fn take_out(&mut self, turn: Turn) {
        if self.timed.remove(&(turn.due, turn.number)).is_none() {
            self.line(turn.line).remove(&turn.number);
        }
    }

    fn line(&mut self, line: Line) -> &mut BTreeMap<u64, Arc<str>> {
        match line {
            Line::First => &mut self.first,
            Line::Again => &mut self.again,
        }
    }

    /// Moves the lanes whose moment has come into their lines.
    pub(super) fn pass_time(&mut self, now: Timestamp) {
        while let Some(entry) = self.timed.first_entry()
            && entry.key().0 <= now
        {
            let ((_, number), (key, line)) = entry.remove_entry();
            self.line(line).insert(number, key);
        }
    }

    /// Whose line is next. Retries only count where there is room for one.
    pub(super) fn next_line(&self, room_for_again: bool) -> Option<Line> {
        let again = room_for_again && !self.again.is_empty();
        match (self.first.is_empty(), again) {
            (false, true) if self.again_next => Some(Line::Again),
            (false, _) => Some(Line::First),
            (true, true) => Some(Line::Again),
            (true, false) => None,
        }
    }

    /// Lanes in line, those with retries last.
    pub(super) fn in_line(&self) -> impl Iterator<Item = &Arc<str>> {
        self.first.values().chain(self.again.values())
    }

    /// Takes the lane at the front of a line.
    pub(super) fn pop(&mut self, line: Line) -> Option<Arc<str>> {
        self.again_next = line == Line::First;
        self.line(line).pop_first().map(|(_, key)| key)
    }

    /// When the next lane comes into a line.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.timed.first_key_value().map(|((due, _), _)| *due)
    }

    /// Lanes whose head waits for a moment, the furthest first.
    pub(super) fn furthest(&self) -> impl Iterator<Item = (Timestamp, &Arc<str>)> {
        self.timed.iter().rev().map(|((due, _), (key, _))| (*due, key))
    }
}
