//! The way to a running engine.

mod change;
mod monitors;
mod stopping;

use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
};

use postroom_core::{
    id::{DeliveryId, DestinationName, ReplayId},
    lane::{GateState, LaneKey},
    limits,
    time::Timestamp,
};
use postroom_store::{
    DeliveryFilter, DeliveryRecord, Matching, NewReplay, Pause, Replay, RetryAnswer, Store, StoreError,
};
use tokio::sync::{Notify, mpsc, oneshot, watch};

pub use self::stopping::Drained;
pub(crate) use self::stopping::Tasks;
use crate::{
    Changed, Clock,
    dispatcher::{Answer, CancelWish, PauseWish, Question},
    steer::{CancelAnswer, SteerError},
    tracker::{Command, Tracking},
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
    /// In the order of the configuration.
    pub(crate) destinations: Arc<RwLock<Vec<DestinationName>>>,
    pub(crate) questions: mpsc::UnboundedSender<Question>,
    /// Wakes the runner of replays.
    pub(crate) replays: Arc<Notify>,
    /// What the tracker goes by.
    pub(crate) tracking: watch::Sender<Arc<Tracking>>,
    /// What people want of the tracker.
    pub(crate) tracker: mpsc::UnboundedSender<Command>,
    /// The newest delivery that is durable.
    pub(crate) newest_delivery: watch::Receiver<Option<DeliveryId>>,
    pub(crate) changed: Changed,
    pub(crate) tasks: Tasks,
}

impl Handle {
    /// How busy each destination is; empty once the engine has stopped.
    pub async fn loads(&self) -> BTreeMap<DestinationName, DestinationLoad> {
        self.ask(Question::Loads).await.unwrap_or_default()
    }

    /// Follows the id of the newest delivery that is durable.
    #[must_use]
    pub fn newest_delivery(&self) -> watch::Receiver<Option<DeliveryId>> {
        self.newest_delivery.clone()
    }

    /// What changes of deliveries and incidents.
    #[must_use]
    pub const fn changed(&self) -> &Changed {
        &self.changed
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
        let destination = self.names().into_iter().find(|destination| destination.as_str() == name);
        let Some(destination) = destination else {
            return Err(SteerError::UnknownDestination { name: name.to_owned() });
        };
        self.ask(|answer| Question::Pause(PauseWish { destination, pause, answer })).await?
    }

    /// Ends a delivery that nobody wants any more. `by` says who that is. `None`: there is no such delivery.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub async fn cancel(&self, id: DeliveryId, by: &str) -> Result<Option<CancelAnswer>, SteerError> {
        let Some(delivery) = self.delivery(id).await? else { return Ok(None) };
        if delivery.state.is_final() {
            return Ok(Some(CancelAnswer::AlreadyFinal));
        }
        let lane = lane_of(delivery);
        let by = by.to_owned();
        self.ask(|answer| Question::Cancel(CancelWish { lane, id, by, answer })).await?
    }

    /// Delivers once more: the newest in the chain of a delivery, whichever of it `id` names. A final one is followed by a
    /// new one with a full budget, whose id this gives. One that waits keeps its id, which this gives, and its lane waits
    /// no longer for a retry: the first of the lane is tried as soon as its destination starts anything, be it this one
    /// or one that it may not overtake. One that is with its plugin is left alone. `None`: there is no such delivery.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub async fn retry(&self, id: DeliveryId) -> Result<Option<DeliveryId>, SteerError> {
        loop {
            let newest = match self.store.retry(id, self.clock.now()).await? {
                RetryAnswer::Made(new) => {
                    tracing::debug!(delivery = %new, asked = %id, "delivery replayed by a person");
                    return Ok(Some(new));
                }
                RetryAnswer::Unknown => return Ok(None),
                RetryAnswer::StillWaiting(newest) => newest,
            };
            match self.delivery(newest).await? {
                // It has become final meanwhile: now it can be made anew.
                Some(delivery) if delivery.state.is_final() => {}
                Some(delivery) => {
                    let lane = lane_of(delivery);
                    self.ask(|answer| Question::Hurry { lane, id: newest, answer }).await?;
                    return Ok(Some(newest));
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
        let (count, _) = self.matching(filter, self.clock.now()).await?;
        Ok(count)
    }

    /// Begins to deliver once more everything final that matches and was not repeated yet, at most `per_second`
    /// deliveries a second, in the order in which it was accepted. What becomes final from now on is left out, and so is
    /// what is not configured any more. `by` says who wants that.
    ///
    /// # Errors
    /// No replay was begun then.
    pub async fn begin_replay(
        &self,
        filter: DeliveryFilter,
        per_second: Option<u32>,
        by: &str,
    ) -> Result<Replay, SteerError> {
        let at = self.clock.now();
        let (count, final_by) = self.matching(filter.clone(), at).await?;
        let new = NewReplay {
            filter,
            destinations: self.names(),
            per_second: per_second.unwrap_or(limits::REPLAY_PER_SECOND).max(1),
            count,
            final_by,
            by: by.to_owned(),
            at,
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

    /// Counts what a replay takes that is asked for `now`, and says by when all that was final.
    async fn matching(&self, filter: DeliveryFilter, now: Timestamp) -> Result<(u64, Timestamp), SteerError> {
        let Matching { count, later, newest } = self.store.count(filter, self.names(), now).await?;
        match newest {
            // The clock was set back: what bears a time to come is over all the same, and must not be left out.
            Some(newest) if newest > self.clock.now() => Ok((count + later, newest)),
            _ => Ok((count, now)),
        }
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
