//! Takes events in and sees their deliveries through.
//!
//! [`Intake`] is the way in: it authenticates a caller, recognises and routes what was sent, and answers only when
//! the store has it. The dispatcher is the way out: one task that owns every lane, hands deliveries to plugins and
//! records what became of them. The two meet in the store's feed of commits, so nothing polls.

mod attempt;
pub mod clock;
pub mod destination;
mod dispatcher;
pub mod feed;
mod handle;
pub mod intake;
pub mod metrics;
pub mod source;

pub use self::{
    clock::Clock,
    destination::{Deliver, Destination},
    feed::CommitFeed,
    handle::{DestinationLoad, Drained, Handle, Trouble},
    intake::{Admission, Intake, IntakeError},
    metrics::Metrics,
    source::{Source, Sources},
};

use std::sync::Arc;

use postroom_store::Store;

/// Starts the dispatcher on the current runtime.
///
/// It first reads every waiting delivery from the store, so what an earlier run left undone goes on from where it
/// stood.
#[must_use]
pub fn start(
    store: Arc<dyn Store>,
    feed: CommitFeed,
    destinations: Vec<Destination>,
    clock: Clock,
    metrics: Metrics,
) -> Handle {
    dispatcher::spawn(store, feed, destinations, clock, metrics)
}
