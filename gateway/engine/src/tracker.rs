//! Follows the log of events: what the runs say about each monitor, when an incident opens and resolves, when a
//! monitor falls silent, and when a backup is overdue.
//!
//! It is no destination. It reads the durable events in the order in which they were accepted, a part at a time, and
//! keeps what came of it: the monitors, their runs, the incidents, the events that tell of them with their deliveries,
//! and how far it has come. A monitor and all that comes of its runs is one transaction. So every run counts exactly once,
//! whatever crashes, and an event that is delivered again is not a run again. Why it is made like this: `docs/design/0010-tracker.md`.

mod changes;
mod command;
mod failures;
mod follow;
mod forget;
mod listening;
mod records;
mod round;
mod settings;
mod told;
mod work;

use std::{sync::Arc, time::Duration};

use postroom_core::{
    chain::Chain,
    id::IncidentId,
    monitor::{Monitor, Watch},
    schedule::Schedule,
    time::Timestamp,
};
use postroom_store::{Alive, Store, StoreError};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

pub(crate) use self::command::{Command, Wish};
use self::{failures::Asking, listening::Listening, round::Round};
pub use self::{
    failures::{Failure, Failures},
    settings::{Enrich, Tracking},
};
use crate::{Changed, Clock, Drained, Intake, Metrics, backoff::Backoff, intake::time_uuid};

/// Monitors, or collections, that one look takes in.
const PAGE_MAX: usize = 256;
/// Events that are looked at together.
const PART_MAX: usize = 4096;
/// Monitors that one change writes. What is accepted meanwhile waits for no more than that.
const CHANGED_MAX: usize = 128;
/// How long it leaves the log alone after a part of it. Of what comes in meanwhile many runs are of the same monitors, and
/// cost one write together. What comes after a pause as long is told at once.
const PAUSE: Duration = Duration::from_millis(250);
/// An older run is history: what follows from it is kept, and not told.
const OLD: Duration = Duration::from_secs(60 * 60);
/// How often a sign of life is kept while nothing else is: for so long, at most, a gateway that was killed is taken to have
/// been away before. Less than [`listening::AWAY_MAX`], which is about one that keeps nothing.
const ALIVE_EVERY: Duration = Duration::from_secs(30);
/// How long the last sign of life may take.
const LAST_SIGN_MAX: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Tracker {
    store: Arc<dyn Store>,
    intake: Arc<Intake>,
    metrics: Metrics,
    /// Told of every incident that changes.
    changed: Changed,
    settings: watch::Receiver<Arc<Tracking>>,
    commands: mpsc::UnboundedReceiver<Command>,
    log_end: watch::Receiver<i64>,
    listening: Listening,
    asking: Asking,
    /// Everything up to here came in before the log was followed.
    came_before: Option<i64>,
    /// While this is open all the time, nothing is told.
    untold: Arc<Schedule>,
    place: Option<Place>,
    /// The log is left alone until then.
    pause_until: Instant,
    /// [`CHANGED_MAX`]; fewer in tests.
    changed_max: usize,
    /// The settings of the last turn.
    judged_by: Option<Arc<Tracking>>,
    backoff: Backoff,
}

/// Where in the log it is, and what comes next.
#[derive(Debug)]
struct Place {
    /// Everything up to here was followed.
    position: i64,
    /// Since when the log has been followed, whatever gaps there were since.
    following_since: Timestamp,
    /// Of the first part behind the position some changes may have been kept already.
    is_resumed: bool,
    /// Nothing is due before.
    due_first: Option<Timestamp>,
    /// Looks at monitors to which nothing has happened.
    round: Option<Round>,
    /// The settings have changed: a round by all monitors has to follow.
    judge_all: bool,
    /// Whether that is for other settings, which may give a silence more time; a clock that was set back does not.
    is_reconsidering: bool,
}

/// What there is to do next.
struct Next {
    /// The log goes on behind the position.
    is_behind: bool,
    /// In how long a monitor or a collection is due.
    in_time: Option<Duration>,
}

/// What it takes from outside.
pub(crate) struct Reins {
    pub(crate) settings: watch::Receiver<Arc<Tracking>>,
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
}

impl Tracker {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        intake: Arc<Intake>,
        clock: Clock,
        metrics: Metrics,
        reins: Reins,
    ) -> Self {
        let log_end = store.log_end();
        let always = Schedule::parse(&["mon-sun 00:00-24:00"], "UTC").expect("it is a window");
        Self {
            store,
            intake,
            metrics,
            changed: Changed::default(),
            settings: reins.settings,
            commands: reins.commands,
            log_end,
            listening: Listening::start(clock),
            asking: Asking::default(),
            came_before: None,
            untold: Arc::new(always),
            place: None,
            pause_until: Instant::now(),
            changed_max: CHANGED_MAX,
            judged_by: None,
            backoff: Backoff::for_store(),
        }
    }

    /// Tells this of the changes.
    pub(crate) fn telling(self, changed: Changed) -> Self {
        Self { changed, ..self }
    }

    /// Follows the log until `stop`. It may be stopped at any point: each of its writes happens as a whole or not at all.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Drained {
        stop.run_until_cancelled(self.follow()).await;
        // So that the next start knows for how long nobody listened.
        if let Some(place) = &self.place {
            let (now, _) = self.listening.look();
            let last_sign = self.store.track(changes::nothing(Some(place.position), self.alive(place, now)));
            if !matches!(timeout(LAST_SIGN_MAX, last_sign).await, Ok(Ok(()))) {
                tracing::debug!("the tracker's last sign of life was not kept");
            }
        }
        Drained::Complete
    }

    async fn follow(&mut self) {
        loop {
            match self.turn().await {
                Ok(()) => self.backoff.reset(),
                Err(error) => {
                    let wait = self.backoff.next();
                    tracing::error!(error = %Chain(&error), wait_s = wait.as_secs_f64(), "monitors cannot be followed, trying again");
                    self.metrics.tracking_failed();
                    // Whether the store has kept it or not: it says so itself.
                    self.place = None;
                    sleep(wait).await;
                }
            }
        }
    }

    /// Does what there is to do, a part of each, or waits for something.
    async fn turn(&mut self) -> Result<(), StoreError> {
        let settings = Arc::clone(&self.settings.borrow_and_update());
        if !self.judged_by.as_ref().is_some_and(|known| Arc::ptr_eq(known, &settings)) {
            self.judged_by = Some(Arc::clone(&settings));
            if let Some(place) = &mut self.place {
                (place.judge_all, place.is_reconsidering) = (true, true);
            }
        }
        if let Ok(command) = self.commands.try_recv() {
            return self.carry_out(command, &settings).await;
        }
        if !settings.enabled {
            (self.place, self.came_before) = (None, None);
            return self.wait(None).await;
        }
        let now = self.look();
        let mut place = match self.place.take() {
            Some(place) => place,
            None => self.begin(now).await?,
        };

        let mut busy = false;
        let log_end = *self.log_end.borrow_and_update();
        if place.position < log_end && self.pause_until <= Instant::now() {
            self.part(&mut place, &settings, now).await?;
            if place.position >= log_end {
                self.pause_until = Instant::now() + PAUSE;
            }
            busy = true;
        }
        if place.begin_round(now, *self.log_end.borrow()) {
            self.look_round(&mut place, &settings).await?;
            busy = true;
        }
        if self.listening.kept_ago() >= ALIVE_EVERY {
            self.keep(changes::nothing(Some(place.position), self.alive(&place, now))).await?;
        }
        let lag = self.log_end.borrow().saturating_sub(place.position);
        self.metrics.tracker_lag(lag);
        let next = Next {
            is_behind: lag > 0,
            // A round that has begun goes on when all is followed that came in before it.
            in_time: place.due_first.filter(|_| place.round.is_none()).map(|due| now.until(due)),
        };
        self.place = Some(place);
        if busy { Ok(()) } else { self.wait(Some(next)).await }
    }

    /// Reads where it was.
    async fn begin(&mut self, now: Timestamp) -> Result<Place, StoreError> {
        let end = *self.log_end.borrow();
        let is_first = self.came_before.is_none();
        self.came_before.get_or_insert(end);
        let mark = self.store.tracker().await?;
        let following_since = mark.alive.as_ref().map(|alive| alive.following_since);
        // Only at its start: afterwards it knows better than what was kept.
        if let (true, Some(Alive { at, watch, .. })) = (is_first, mark.alive) {
            self.listening.go_on(at, watch);
        }
        Ok(Place {
            position: mark.position,
            is_resumed: true,
            following_since: following_since.map_or(now, |since| since.min(now)),
            due_first: None,
            round: None,
            // The settings may be others than those of the last run.
            judge_all: true,
            is_reconsidering: true,
        })
    }

    /// A sign of life for a change that is no part of following the log.
    async fn sign(&mut self, settings: &Tracking) -> Result<(Timestamp, Alive), StoreError> {
        let now = self.look();
        if !settings.enabled {
            let nobody = Alive { at: Timestamp::EPOCH, watch: Watch::since(now), following_since: now };
            return Ok((now, self.store.tracker().await?.alive.unwrap_or(nobody)));
        }
        let place = match self.place.take() {
            Some(place) => place,
            None => self.begin(now).await?,
        };
        let alive = self.alive(&place, now);
        self.place = Some(place);
        Ok((now, alive))
    }

    /// Waits until there is something to do; while nothing is followed, for a person alone.
    async fn wait(&mut self, next: Option<Next>) -> Result<(), StoreError> {
        let alive_in = ALIVE_EVERY.saturating_sub(self.listening.kept_ago());
        let (settings, log_end, pause_until) = (&mut self.settings, &mut self.log_end, self.pause_until);
        let time = async {
            match &next {
                Some(next) => sleep(next.in_time.map_or(alive_in, |due_in| alive_in.min(due_in))).await,
                None => std::future::pending().await,
            }
        };
        let grown = async {
            // While it is not enabled it does not look at the log.
            let Some(next) = &next else { return std::future::pending().await };
            sleep_until(pause_until).await;
            if !next.is_behind && log_end.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let changed = async {
            if settings.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let command = tokio::select! {
            () = grown => None,
            () = time => None,
            () = changed => None,
            Some(command) = self.commands.recv() => Some(command),
        };
        match command {
            Some(command) => {
                let settings = Arc::clone(&self.settings.borrow());
                self.carry_out(command, &settings).await
            }
            None => Ok(()),
        }
    }

    /// The time now. What rests on a clock that has jumped since the last look is begun anew.
    fn look(&mut self) -> Timestamp {
        let (now, jumped) = self.listening.look();
        if let Some(place) = &mut self.place {
            if jumped {
                // Moments at which monitors are due are of the other clock, and a round looks at one that never was.
                (place.round, place.judge_all, place.is_reconsidering) = (None, true, false);
            }
            place.following_since = place.following_since.min(now);
        }
        now
    }

    fn watch(&self) -> Watch {
        self.listening.watch()
    }

    fn alive(&self, place: &Place, now: Timestamp) -> Alive {
        Alive { at: now, watch: self.watch(), following_since: place.following_since }
    }
}

impl Place {
    /// Whether what came in at `at` says nothing about now.
    fn is_history(&self, at: Timestamp) -> bool {
        at.plus(OLD) < self.following_since
    }

    /// Whether nothing of a monitor is known that says anything about now.
    fn knows_only_history(&self, monitor: &Monitor) -> bool {
        monitor.last_run.as_ref().is_none_or(|run| self.is_history(run.at))
    }
}

/// A new id for an incident that opens at `at`.
fn incident_id(at: Timestamp) -> IncidentId {
    IncidentId::new(time_uuid(at.as_unix_ms()))
}

#[cfg(test)]
mod tests;
