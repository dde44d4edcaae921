//! One accepted delivery: the host's memory on loan until it is completed, exactly once.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
};

use postroom_abi::{
    self as abi, postroom_attr, postroom_event, postroom_outcome, postroom_str, postroom_token,
};

use super::host_table::HostTable;

/// The outcome of an attempt, ready for the boundary.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    pub(crate) kind: u32,
    pub(crate) retry_after_ms: u64,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) record_json: String,
}

impl Ending {
    /// For a delivery that ends without anyone having said how.
    fn dropped() -> Self {
        Self {
            kind: abi::POSTROOM_OUT_RETRY,
            retry_after_ms: 0,
            code: "dropped".to_owned(),
            message: "the plugin was shut down before the delivery had ended".to_owned(),
            record_json: String::new(),
        }
    }
}

/// The loan of one event. Dropping it completes the delivery, so completing happens exactly once by construction, and
/// never while someone can still read the event.
pub(crate) struct Lease {
    host: Arc<HostTable>,
    token: postroom_token,
    event: postroom_event,
    ending: Mutex<Option<Ending>>,
    /// Only held; see [`Leases`].
    _open: Sender<Infallible>,
}

// SAFETY: the event's memory is read-only and stays until `complete` returns, which is called when the lease is dropped.
unsafe impl Send for Lease {}
// SAFETY: as above.
unsafe impl Sync for Lease {}

impl Lease {
    /// Takes over the duty to complete `token`.
    ///
    /// # Safety
    ///
    /// `event` was handed to `deliver` for `token`; its memory stays as the contract says.
    pub(super) unsafe fn new(
        host: Arc<HostTable>,
        token: postroom_token,
        event: postroom_event,
        leases: &Leases,
    ) -> Self {
        Self { host, token, event, ending: Mutex::new(None), _open: leases.open() }
    }

    /// Says how the attempt ended; reported when the lease is dropped.
    pub(crate) fn end(&self, ending: Ending) {
        *self.ending.lock().unwrap_or_else(PoisonError::into_inner) = Some(ending);
    }

    /// The event without what it points to.
    pub(crate) fn event(&self) -> &postroom_event {
        &self.event
    }

    /// A text of the event; empty when the host broke its promise of UTF-8.
    pub(crate) fn text(&self, field: impl FnOnce(&postroom_event) -> postroom_str) -> &str {
        self.str(field(&self.event))
    }

    /// The event's body.
    pub(crate) fn body(&self) -> &[u8] {
        // SAFETY: lives until `complete` returns; `self` is borrowed, so that has not been called.
        unsafe { self.event.body.bytes() }
    }

    /// The event's labels.
    pub(crate) fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let attrs: &[postroom_attr] = if self.event.attrs.is_null() {
            &[]
        } else {
            // SAFETY: `attr_count` labels that live until `complete` returns.
            unsafe { std::slice::from_raw_parts(self.event.attrs, self.event.attr_count) }
        };
        attrs.iter().map(|attr| (self.str(attr.key), self.str(attr.value)))
    }

    /// `text` must come from this lease's event; private for that reason.
    fn str(&self, text: postroom_str) -> &str {
        // SAFETY: part of the event, so it lives until `complete` returns.
        let bytes = unsafe { text.bytes() };
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let ending = self.ending.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let ending = ending.unwrap_or_else(Ending::dropped);
        let mut outcome = postroom_outcome::of(ending.kind);
        outcome.retry_after_ms = ending.retry_after_ms;
        outcome.code = postroom_str::of(ending.code.as_bytes());
        outcome.message = postroom_str::of(ending.message.as_bytes());
        outcome.record_json = postroom_str::of(ending.record_json.as_bytes());
        // Stale after a cancel or a missed deadline: the host has counted it, and there is nothing left to do.
        let _status = self.host.complete(self.token, &outcome);
    }
}

/// Knows when the last lease of an instance is gone.
///
/// Each lease holds a sender of a channel on which nothing is ever sent; the receiver wakes when all are dropped.
pub(crate) struct Leases {
    open: Sender<Infallible>,
    /// A receiver belongs to one thread at a time, an instance to many; only the last call takes it out.
    closed: Mutex<Receiver<Infallible>>,
}

impl Leases {
    pub(crate) fn new() -> Self {
        let (open, closed) = mpsc::channel();
        Self { open, closed: Mutex::new(closed) }
    }

    /// What a lease holds.
    pub(super) fn open(&self) -> Sender<Infallible> {
        self.open.clone()
    }

    /// Waits until every lease is dropped.
    ///
    /// For ever, if the author keeps an event for ever: `destroy` must not return while someone can still read the
    /// host's memory, and the host ends a plugin that takes too long.
    pub(crate) fn wait_until_returned(self) {
        drop(self.open);
        let closed = self.closed.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Err(mpsc::RecvError) = closed.recv();
    }
}
