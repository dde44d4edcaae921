//! How a tree lies in memory: numbers of four bytes in the place of pointers.

use std::ops::Range;

use super::Kind;
use crate::place::Place;

/// A number that is smaller than the length of a text.
pub(super) fn number(number: usize) -> u32 {
    u32::try_from(number).expect("a text is no longer than that, and has no more parts than bytes")
}

/// A piece of the text, or of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    start: u32,
    length: u32,
}

impl Span {
    pub(super) const NONE: Self = Self { start: 0, length: 0 };

    pub(super) fn new(start: usize, length: usize) -> Self {
        Self { start: number(start), length: number(length) }
    }

    /// Where a slice of a text is in it.
    pub(super) fn of(slice: &str, text: &str) -> Self {
        Self::new(slice.as_ptr() as usize - text.as_ptr() as usize, slice.len())
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.length as usize
    }
}

/// The key of a member.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    /// As it stands in the text.
    Written(Span),
    /// Of those with escapes, which say something else than is written.
    Odd(u32),
}

impl Key {
    pub(super) const NONE: Self = Self::Written(Span::NONE);
}

#[derive(Debug)]
pub(super) struct PackedNode {
    pub(super) kind: Kind,
    pub(super) place: Place,
    pub(super) text: Span,
    pub(super) parent: u32,
    pub(super) list: Key,
    pub(super) position: u32,
    /// Among the parts of all nodes.
    pub(super) parts: Span,
}

#[derive(Debug)]
pub(super) struct PackedPart {
    pub(super) key: Key,
    /// Of the text, or of the elements of all lists.
    pub(super) content: Span,
    pub(super) is_list: bool,
}
