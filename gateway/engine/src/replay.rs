//! Makes the deliveries of running replays, each at its rate.
//!
//! A replayed delivery is a delivery like any other: it gets its id when it is made, and lanes go by ids. So it waits
//! behind what its lane has by then, what comes later waits behind it, and the order of a lane holds. How far a replay
//! came is on disk with the deliveries it has made, in one transaction; so a restart goes on where it stopped.

mod pace;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use postroom_core::{chain::Chain, id::ReplayId, replay::ReplayState};
use postroom_store::{Replay, Store, StoreError};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use self::pace::Pace;
use crate::{Clock, Metrics, backoff::Backoff};

pub(crate) struct Runner {
    store: Arc<dyn Store>,
    clock: Clock,
    metrics: Metrics,
    /// Someone has begun a replay.
    wake: Arc<Notify>,
    running: BTreeMap<ReplayId, Running>,
    /// When to look for replays that were begun; `None` until someone says so.
    find_at: Option<Instant>,
    backoff: Backoff,
}

/// A replay that has more to make.
#[derive(Debug)]
struct Running {
    pace: Pace,
    made: u64,
    next: Instant,
}

/// What is due next.
#[derive(Debug)]
enum Due {
    Find,
    Step(ReplayId),
}

impl Runner {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Clock, metrics: Metrics, wake: Arc<Notify>) -> Self {
        Self {
            store,
            clock,
            metrics,
            wake,
            running: BTreeMap::new(),
            // Replays of an earlier run go on.
            find_at: Some(Instant::now()),
            backoff: Backoff::new(Duration::from_secs(1), Duration::from_secs(30)),
        }
    }

    /// Never ends.
    pub(crate) async fn run(mut self) {
        loop {
            match self.due().await {
                Due::Find => self.find().await,
                Due::Step(id) => self.step(id).await,
            }
            self.metrics.replays(self.running.len());
        }
    }

    async fn due(&self) -> Due {
        let find = async {
            match self.find_at {
                Some(at) => tokio::select! {
                    () = sleep_until(at) => {}
                    () = self.wake.notified() => {}
                },
                None => self.wake.notified().await,
            }
        };
        let step = async {
            match self.running.iter().min_by_key(|(_, running)| running.next) {
                Some((id, running)) => {
                    sleep_until(running.next).await;
                    *id
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = find => Due::Find,
            id = step => Due::Step(id),
        }
    }

    async fn find(&mut self) {
        match self.store.running_replays().await {
            Ok(replays) => {
                self.find_at = None;
                self.backoff.reset();
                for replay in replays {
                    self.begin(replay);
                }
            }
            Err(error) => {
                let wait = self.failed(&error);
                self.find_at = Some(Instant::now() + wait);
            }
        }
    }

    fn begin(&mut self, replay: Replay) {
        let Replay { id, per_second, made, count, by, .. } = replay;
        self.running.entry(id).or_insert_with(|| {
            tracing::info!(replay = %id, count, made, per_second, by, "replay runs");
            Running { pace: Pace::of(per_second), made, next: Instant::now() }
        });
    }

    async fn step(&mut self, id: ReplayId) {
        let Some(running) = self.running.get_mut(&id) else { return };
        let limit = usize::try_from(running.pace.step).unwrap_or(usize::MAX);
        match self.store.advance_replay(id, limit, self.clock.now()).await {
            Ok(Some(replay)) => {
                self.backoff.reset();
                let made = replay.made.saturating_sub(running.made);
                self.metrics.replayed(made);
                running.made = replay.made;
                // From now and not from when it was due: a slow store must not be made up for by a burst.
                running.next = Instant::now() + running.pace.wait(made);
                if replay.state != ReplayState::Running {
                    self.running.remove(&id);
                    tracing::info!(replay = %id, made = replay.made, state = %replay.state, "replay ended");
                }
            }
            Ok(None) => {
                self.running.remove(&id);
                tracing::warn!(replay = %id, "replay is not in the store any more, it ends");
            }
            Err(error) => {
                let next = Instant::now() + self.failed(&error);
                if let Some(running) = self.running.get_mut(&id) {
                    running.next = next;
                }
            }
        }
    }

    fn failed(&mut self, error: &StoreError) -> Duration {
        let wait = self.backoff.next();
        tracing::error!(error = %Chain(error), wait_s = wait.as_secs(), "replays cannot go on, trying again");
        wait
    }
}
