//! Whether a connection is used. Counting is all that a request pays for it: no timer is touched.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use hyper::body::{Body, Frame, SizeHint};

/// The requests of one connection, and what is taken of the answers.
#[derive(Default)]
pub(super) struct Activity {
    counts: Arc<Counts>,
    /// How many steps there had been at the last look.
    steps_before: AtomicUsize,
}

#[derive(Default)]
struct Counts {
    open: AtomicUsize,
    /// Requests that began, and pieces of answers that were asked for.
    steps: AtomicUsize,
    /// Answers with an end that are not wholly taken.
    ending: AtomicUsize,
    /// An answer without one was begun.
    endless: AtomicBool,
}

impl Counts {
    fn step(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }
}

impl Activity {
    /// Counts a request as open until what it gives is dropped.
    pub(super) fn begin(&self) -> Open {
        self.counts.open.fetch_add(1, Ordering::Relaxed);
        self.counts.step();
        Open(Arc::clone(&self.counts))
    }

    /// Whether no request is open, and since the last look none has begun and no piece of an answer was taken.
    pub(super) fn was_none(&self) -> bool {
        let steps = self.counts.steps.load(Ordering::Relaxed);
        let steps_before = self.steps_before.swap(steps, Ordering::Relaxed);
        steps == steps_before && self.counts.open.load(Ordering::Relaxed) == 0
    }

    /// Whether all that is open is an answer without an end. Of one that has ended the client may not have read the last
    /// piece.
    pub(super) fn is_endless(&self) -> bool {
        let Counts { open, ending, endless, .. } = &*self.counts;
        let other = open.load(Ordering::Relaxed) + ending.load(Ordering::Relaxed);
        endless.load(Ordering::Relaxed) && other == 0
    }
}

/// An open request.
pub(super) struct Open(Arc<Counts>);

impl Open {
    /// Ends the request with this answer. While the client takes pieces of it the connection is used: hyper asks for the
    /// next one when there is room for it.
    pub(super) fn answer<B>(self, body: B, endless: bool) -> Answer<B> {
        let counts = Arc::clone(&self.0);
        if endless {
            counts.endless.store(true, Ordering::Relaxed);
        } else {
            counts.ending.fetch_add(1, Ordering::Relaxed);
        }
        Answer { body, counts, endless }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer that counts its pieces.
pub(super) struct Answer<B> {
    body: B,
    counts: Arc<Counts>,
    endless: bool,
}

impl<B> Drop for Answer<B> {
    fn drop(&mut self) {
        if !self.endless {
            self.counts.ending.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl<B: Body + Unpin> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let piece = Pin::new(&mut self.body).poll_frame(context);
        if piece.is_ready() {
            self.counts.step();
        }
        piece
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
