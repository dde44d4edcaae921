//! The way to a running engine.

mod stopping;

use std::{collections::BTreeMap, sync::Arc};

use postroom_core::{
    id::{DeliveryId, DestinationName, ReplayId},
    lane::{GateState, LaneKey},
    limits,
    time::Timestamp,
};
use postroom_store::{
    DeliveryFilter, DeliveryRecord, NewReplay, Pause, Replay, RetryAnswer, Store, StoreError,
};
use tokio::sync::{Notify, mpsc, oneshot};

pub use self::stopping::Drained;
pub(crate) use self::stopping::Tasks;
use crate::{
    Clock,
    dispatcher::{Answer, CancelWish, PauseWish, Question},
    steer::{CancelAnswer, SteerError},
};

/// How busy a destination is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationLoad {
    /// Deliveries in flight; not those that have ended and are being recorded.
    pub in_flight: u32,
    /// Nothing starts before this moment: the end of a pause, the breaker's next probe, or the opening by its schedule.
    pub paused_until: Option<Timestamp>,
    /// Whether deliveries may start, and what keeps them from it.
    pub gate: GateState,
    /// More waits in the store than memory holds of it.
    pub behind: bool,
    /// Who has paused it and when; `None` when no person has.
    pub paused_by: Option<Pause>,
    /// What goes wrong there; `None` when the last delivery got through.
    pub trouble: Option<Trouble>,
}

/// What goes wrong at a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// When the first of the failures ended.
    pub since: Timestamp,
    /// The newest failure, or the one that paused the destination, in the words of its outcome.
    pub reason: String,
}

/// A running engine.
#[derive(Debug)]
pub struct Handle {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Clock,
    pub(crate) destinations: Vec<DestinationName>,
    pub(crate) questions: mpsc::UnboundedSender<Question>,
    /// Wakes the runner of replays.
    pub(crate) replays: Arc<Notify>,
    pub(crate) tasks: Tasks,
}

impl Handle {
    /// How busy each destination is; empty once the engine has stopped.
    pub async fn loads(&self) -> BTreeMap<DestinationName, DestinationLoad> {
        self.ask(Question::Loads).await.unwrap_or_default()
    }

    /// Starts nothing more at a destination until [`Handle::resume`], over restarts too. `by` says who wants that.
    /// What is in flight ends as it does. A destination that is paused already keeps its first pause.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub async fn pause(&self, name: &str, by: &str) -> Result<(), SteerError> {
        let pause = Pause { at: self.clock.now(), by: by.to_owned() };
        self.wish_pause(name, Some(pause)).await
    }

    /// Lets a destination go on, whoever or whatever has paused it; one delivery goes first, as a probe.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub async fn resume(&self, name: &str) -> Result<(), SteerError> {
        self.wish_pause(name, None).await
    }

    async fn wish_pause(&self, name: &str, pause: Option<Pause>) -> Result<(), SteerError> {
        let destination = self.destinations.iter().find(|destination| destination.as_str() == name);
        let Some(destination) = destination.cloned() else {
            return Err(SteerError::UnknownDestination { name: name.to_owned() });
        };
        self.ask(|answer| Question::Pause(PauseWish { destination, pause, answer })).await?
    }

    /// Ends a delivery that nobody wants any more. `None`: there is no such delivery.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub async fn cancel(&self, id: DeliveryId) -> Result<Option<CancelAnswer>, SteerError> {
        let Some(delivery) = self.delivery(id).await? else { return Ok(None) };
        if delivery.state.is_final() {
            return Ok(Some(CancelAnswer::AlreadyFinal));
        }
        let lane = lane_of(delivery);
        self.ask(|answer| Question::Cancel(CancelWish { lane, id, answer })).await?
    }

    /// Delivers once more. A final delivery is followed by a new one with a full budget, whose id this gives. One that
    /// waits keeps its id, and its lane waits no longer for a retry: the first of the lane is tried as soon as its
    /// destination starts anything, be it this one or one that it may not overtake. One that is with its plugin is left
    /// alone. `None`: there is no such delivery.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub async fn retry(&self, id: DeliveryId) -> Result<Option<DeliveryId>, SteerError> {
        loop {
            match self.store.retry(id, self.clock.now()).await? {
                RetryAnswer::Made(new) => {
                    tracing::debug!(delivery = %new, replay_of = %id, "delivery replayed by a person");
                    return Ok(Some(new));
                }
                RetryAnswer::Unknown => return Ok(None),
                RetryAnswer::StillWaiting => {}
            }
            match self.delivery(id).await? {
                // It has become final meanwhile: now it can be made anew.
                Some(delivery) if delivery.state.is_final() => {}
                Some(delivery) => {
                    let lane = lane_of(delivery);
                    self.ask(|answer| Question::Hurry { lane, id, answer }).await?;
                    return Ok(Some(id));
                }
                None => return Ok(None),
            }
        }
    }

    /// How many final deliveries a replay with this filter would deliver once more.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn count(&self, filter: DeliveryFilter) -> Result<u64, SteerError> {
        Ok(self.store.count(filter, self.destinations.clone(), None).await?)
    }

    /// Begins to deliver once more everything final that matches, at most `per_second` deliveries a second, in the
    /// order in which it was accepted. What is not configured any more is left out. `by` says who wants that.
    ///
    /// # Errors
    /// No replay was begun then.
    pub async fn begin_replay(
        &self,
        filter: DeliveryFilter,
        per_second: Option<u32>,
        by: &str,
    ) -> Result<Replay, SteerError> {
        let new = NewReplay {
            count: self.count(filter.clone()).await?,
            filter,
            destinations: self.destinations.clone(),
            per_second: per_second.unwrap_or(limits::REPLAY_PER_SECOND).max(1),
            by: by.to_owned(),
            at: self.clock.now(),
        };
        let (store, runner) = (Arc::clone(&self.store), Arc::clone(&self.replays));
        // A task of its own: whoever asked may go away, and a replay that is on disk must not lie there unnoticed.
        let begun = tokio::spawn(async move {
            let replay = store.begin_replay(new).await?;
            runner.notify_one();
            Ok::<_, StoreError>(replay)
        });
        Ok(begun.await.map_err(|_| SteerError::Stopped)??)
    }

    /// Ends a replay early: it makes no more deliveries, and those it has made stay. `None`: there is no such replay.
    ///
    /// # Errors
    /// When the store could not keep it.
    pub async fn cancel_replay(&self, id: ReplayId) -> Result<Option<Replay>, SteerError> {
        Ok(self.store.cancel_replay(id, self.clock.now()).await?)
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRecord>, SteerError> {
        Ok(self.store.delivery(id).await?.map(|detail| detail.delivery))
    }

    async fn ask<T>(&self, question: impl FnOnce(Answer<T>) -> Question) -> Result<T, SteerError> {
        let (answer, answered) = oneshot::channel();
        self.questions.send(question(answer)).map_err(|_| SteerError::Stopped)?;
        answered.await.map_err(|_| SteerError::Stopped)
    }
}

fn lane_of(delivery: DeliveryRecord) -> LaneKey {
    LaneKey { destination: delivery.destination, key: delivery.lane }
}
