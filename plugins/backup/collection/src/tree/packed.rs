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

/// The key of a member: as it stands in the text, or one of those with escapes, which say something else than is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key(Span);

impl Key {
    pub(super) const NONE: Self = Self(Span::NONE);
    /// No key is so long: it has quotes in the text.
    const IS_ODD: u32 = u32::MAX;

    pub(super) fn written(span: Span) -> Self {
        Self(span)
    }

    /// The number of one with escapes.
    pub(super) fn odd(at: usize) -> Self {
        Self(Span { start: number(at), length: Self::IS_ODD })
    }

    /// Where it stands in the text, or its number.
    pub(super) fn place(self) -> Result<Range<usize>, usize> {
        if self.0.length == Self::IS_ODD { Err(self.0.start as usize) } else { Ok(self.0.range()) }
    }
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
