//! The store's feed of commits, made gapless.
//!
//! The store never waits for its reader: when the feed is full it drops the message. Here the gap is noticed, by the
//! ids of the deliveries and by the newest id the store has committed, and the dispatcher reads what is missing.

use futures_util::FutureExt as _;
use postroom_core::id::DeliveryId;
use postroom_store::{Committed, FreshDelivery};
use tokio::sync::{mpsc, watch};

/// Both ends of the feed that a store gives when it is opened.
#[derive(Debug)]
pub struct CommitFeed {
    /// The deliveries of each commit, in order; may have gaps.
    pub commits: mpsc::Receiver<Committed>,
    /// The newest delivery committed.
    pub newest: watch::Receiver<Option<DeliveryId>>,
}

/// What the feed has next.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// Deliveries that follow directly on what was seen.
    Fresh(Vec<FreshDelivery>),
    /// Something was missed: it is in the store, up to [`Feed::newest`].
    Gap,
}

#[derive(Debug)]
pub(crate) struct Feed {
    source: CommitFeed,
    seen: Option<DeliveryId>,
}

impl Feed {
    pub(crate) fn new(source: CommitFeed) -> Self {
        Self { source, seen: None }
    }

    /// Notes that everything up to `id` was taken in.
    pub(crate) fn saw(&mut self, id: Option<DeliveryId>) {
        self.seen = self.seen.max(id);
    }

    /// The newest delivery that the store has committed.
    pub(crate) fn newest(&self) -> Option<DeliveryId> {
        *self.source.newest.borrow()
    }

    /// Gives what is there already.
    pub(crate) fn try_next(&mut self) -> Option<Arrival> {
        self.next().now_or_never()
    }

    /// Waits for what comes next. Dropping the future loses nothing: a message taken and not handled is a gap.
    pub(crate) async fn next(&mut self) -> Arrival {
        loop {
            // The mark first: the store sends what it committed before it marks it. So a mark above what was seen,
            // with nothing to read after that, means that something was dropped.
            if self.newest() > self.seen && self.source.commits.is_empty() {
                return Arrival::Gap;
            }
            tokio::select! {
                biased;
                Some(committed) = self.source.commits.recv() => {
                    if Some(committed.last) <= self.seen {
                        continue;
                    }
                    let expected = self.seen.map_or(1, |seen| seen.get() + 1);
                    if committed.first.get() != expected {
                        return Arrival::Gap;
                    }
                    self.seen = Some(committed.last);
                    return Arrival::Fresh(committed.deliveries);
                }
                Ok(()) = self.source.newest.changed() => {}
                // The store is closed: nothing more will come.
                else => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests;
