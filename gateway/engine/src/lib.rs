//! Takes events in and sees their deliveries through.
//!
//! [`Intake`] is the way in: it authenticates a caller, recognises and routes what was sent, and answers only when
//! the store has it. The dispatcher is the way out: one task that owns every lane, hands deliveries to plugins and
//! records what became of them. The two meet in the store's feed of commits, so nothing polls. Beside them run three
//! quiet tasks: one makes the deliveries of replays, one follows what the runs say about their monitors, and one removes
//! what is old.

mod attempt;
mod backoff;
pub mod changed;
pub mod clock;
pub mod destination;
mod dispatcher;
pub mod feed;
mod handle;
pub mod intake;
pub mod metrics;
mod replay;
pub mod retention;
pub mod source;
pub mod steer;
#[cfg(test)]
mod testing;
mod tracker;

pub use self::{
    changed::{Changed, Noted},
    clock::Clock,
    destination::{Deliver, Destination},
    feed::CommitFeed,
    handle::{DestinationLoad, Drained, Handle, Trouble},
    intake::{
        Admission, Emitted, Incoming, Intake, IntakeError, Receipt, emit_source, emitting_destination,
        tracker_source,
    },
    metrics::Metrics,
    retention::Retention,
    source::{Source, Sources},
    steer::{CancelAnswer, SteerError},
    tracker::{Enrich, Failure, Failures, Tracking},
};

use std::sync::{Arc, RwLock};

use postroom_store::Store;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use self::{
    dispatcher::Dispatcher,
    handle::Tasks,
    tracker::{Reins, Tracker},
};

/// What an engine is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where events and deliveries are kept.
    pub store: Arc<dyn Store>,
    /// What the store commits.
    pub feed: CommitFeed,
    /// The way in: it routes what the tracker makes.
    pub intake: Arc<Intake>,
    /// Where deliveries go.
    pub destinations: Vec<Destination>,
    /// How long things are kept.
    pub retention: Retention,
    /// What makes an incident.
    pub tracking: Tracking,
    /// The wall clock.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Metrics,
}

/// Starts the engine on the current runtime.
///
/// What an earlier run left undone goes on from where it stood: waiting deliveries are read from the store as there is
/// room for them, people's pauses hold, replays go on.
///
/// # Panics
/// Outside a tokio runtime.
#[must_use]
pub fn start(parts: Parts) -> Handle {
    let Parts { store, feed, intake, destinations, retention, tracking, clock, metrics } = parts;
    let (newest_delivery, changed) = (feed.newest.clone(), Changed::default());
    let (questions, asked) = mpsc::unbounded_channel();
    let (stop, replays) = (CancellationToken::new(), Arc::new(Notify::new()));
    let names = destinations.iter().map(|destination| destination.name.clone()).collect();
    let names = Arc::new(RwLock::new(names));
    let runner =
        replay::Runner::new(Arc::clone(&store), clock.clone(), metrics.clone(), Arc::clone(&replays));
    let configured = Arc::clone(&names);
    let pruner =
        retention::Pruner::new(Arc::clone(&store), retention, configured, clock.clone(), metrics.clone());
    let (tracking, settings) = watch::channel(Arc::new(tracking));
    let (tracker, commands) = mpsc::unbounded_channel();
    let reins = Reins { settings, commands };
    let follower = Tracker::new(Arc::clone(&store), intake, clock.clone(), metrics.clone(), reins);
    let follower = follower.telling(changed.clone());
    let dispatcher =
        Dispatcher::new(Arc::clone(&store), feed, destinations, clock.clone(), metrics, asked, stop.clone());
    let dispatcher = dispatcher.telling(changed.clone());
    let running = vec![
        tokio::spawn(dispatcher.run()),
        tokio::spawn(until_stopped(stop.clone(), runner.run())),
        tokio::spawn(until_stopped(stop.clone(), pruner.run())),
        tokio::spawn(follower.run(stop.clone())),
    ];
    Handle {
        store,
        clock,
        destinations: names,
        questions,
        replays,
        tracking,
        tracker,
        newest_delivery,
        changed,
        tasks: Tasks::new(stop, running),
    }
}

/// Runs a task that never ends by itself. It may be dropped at any point: each of its writes happens as a whole or not
/// at all.
async fn until_stopped(stop: CancellationToken, task: impl Future<Output = ()>) -> Drained {
    stop.run_until_cancelled(task).await;
    Drained::Complete
}
