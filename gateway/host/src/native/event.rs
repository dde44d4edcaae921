//! The event as the plugin sees it: one struct that points into memory of ours.
#![expect(unsafe_code, reason = "the struct of the ABI holds pointers, which need a word to cross threads")]

use std::ptr;

use bytes::Bytes;
use postroom_abi::{postroom_attr, postroom_event, postroom_str};

use super::host::Deadline;
use crate::offer::Offer;

/// An event for a plugin, and everything that it points to.
pub(super) struct EventMemory {
    raw: postroom_event,
    deadline: Deadline,
    // What `raw` points to: never touched again, only kept.
    _attrs: Vec<postroom_attr>,
    _offer: Offer,
}

// SAFETY: the pointers lead to heap memory that this value owns and that nobody writes to.
unsafe impl Send for EventMemory {}
// SAFETY: as above; there is no way to change anything through a shared reference.
unsafe impl Sync for EventMemory {}

impl EventMemory {
    pub(super) fn new(offer: Offer) -> Self {
        let text = |text: &Bytes| postroom_str::of(text);
        let attrs: Vec<_> = offer
            .labels
            .iter()
            .map(|(key, value)| postroom_attr { key: text(key), value: text(value) })
            .collect();
        let raw = postroom_event {
            struct_size: struct_size::<postroom_event>(),
            attempt: offer.attempt,
            received_unix_ms: offer.received_unix_ms,
            deadline_unix_ms: offer.deadline_unix_ms,
            id: text(&offer.id),
            kind: text(&offer.kind),
            subject: text(&offer.subject),
            verdict: text(&offer.verdict),
            source: text(&offer.source),
            content_type: text(&offer.content_type),
            ordering_key: text(&offer.ordering_key),
            trace_parent: postroom_str::EMPTY,
            attrs: if attrs.is_empty() { ptr::null() } else { attrs.as_ptr() },
            attr_count: attrs.len(),
            body: postroom_str::of(&offer.body),
        };
        // Moving the vector and the offer below moves their handles, not the bytes that `raw` points to.
        let deadline = Deadline { unix_ms: offer.deadline_unix_ms, max_unix_ms: offer.deadline_max_unix_ms };
        Self { raw, deadline, _attrs: attrs, _offer: offer }
    }

    pub(super) const fn deadline(&self) -> Deadline {
        self.deadline
    }

    pub(super) fn raw(&self) -> *const postroom_event {
        &raw const self.raw
    }
}

/// The size of a struct as the ABI states it.
pub(super) const fn struct_size<T>() -> u32 {
    postroom_abi::layout::size_of_u32::<T>()
}
