//! The one task that tells what happens.
//!
//! It works in turns with pauses between them, so that what it costs is bounded, however much happens: changes of the same
//! thing within a pause are one, and of more than is worth streaming it only says that there was more.

use std::{collections::BTreeSet, mem, sync::Arc, time::Duration};

use postroom_core::{
    chain::Chain,
    id::{DeliveryId, IncidentId},
};
use postroom_engine::{Changed, Handle, Noted};
use postroom_openapi::stream::{Change, Topic, Topics};
use postroom_store::{DeliveryOfEvent, Store, StoreError};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use super::{
    destinations::{Look, Seen},
    journal::Journal,
    log::{EventLog, Log as _},
};
use crate::api::wire::{self, Depth};

/// Between two turns. What happens after a pause as long is told at once.
const PAUSE: Duration = Duration::from_millis(100);
/// When there is too much, before some is left out: whoever is told reads lists, and not more often than this.
const REST: Duration = Duration::from_secs(1);
/// How often destinations are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Changes of one topic that one turn tells: to all readers together, and to each.
const TURN_MESSAGES_MAX: usize = 2 * 1024;
const TURN_MAX: usize = 512;
const TURN_MIN: usize = 8;
/// What waits to be told beyond so many turns is left out.
const BACKLOG_TURNS: usize = 16;
/// For how long it goes on when nobody reads: whoever was cut off comes back by then.
const LINGER: Duration = Duration::from_secs(60);

const MUCH: &str = "more happened than is worth streaming";
const REMOVED: &str = "a destination was removed";

/// Writes the journal.
#[derive(Debug)]
pub(crate) struct Reporter {
    journal: Arc<Journal>,
    store: Arc<dyn Store>,
    log: EventLog,
    changed: Changed,
    log_end: watch::Receiver<i64>,
    newest_delivery: watch::Receiver<Option<DeliveryId>>,
    look: Look,
    /// The last delivery that was told when it was made.
    made: i64,
    /// Changed and not told yet.
    deliveries: BTreeSet<DeliveryId>,
    incidents: BTreeSet<IncidentId>,
    /// Some of whose changes nobody knows any more.
    lost: Topics,
    /// It has rested because there was too much.
    rested: bool,
    look_at: Instant,
}

/// What a turn came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Turn {
    /// There is more to tell already.
    has_more: bool,
    /// So much that some is left out, after a rest.
    rests: bool,
}

impl Drop for Reporter {
    fn drop(&mut self) {
        // Whatever ended it, also a fault.
        self.journal.is_left();
    }
}

impl Reporter {
    pub(super) fn new(journal: Arc<Journal>, store: Arc<dyn Store>, engine: &Handle, look: Look) -> Self {
        let log = EventLog::new(Arc::clone(&store));
        Self {
            journal,
            store,
            log_end: log.ends(),
            log,
            changed: engine.changed().clone(),
            newest_delivery: engine.newest_delivery(),
            look,
            made: 0,
            deliveries: BTreeSet::new(),
            incidents: BTreeSet::new(),
            lost: Topics::NONE,
            rested: false,
            look_at: Instant::now(),
        }
    }

    /// Tells what happens until the gateway stops.
    pub(crate) async fn run(mut self) {
        let stopping = self.journal.stopping().clone();
        stopping.run_until_cancelled(self.report()).await;
    }

    async fn report(&mut self) {
        loop {
            self.made = self.journal.awake().await;
            self.deliveries.clear();
            self.incidents.clear();
            (self.lost, self.rested) = (Topics::NONE, false);
            self.look.forget();
            self.look_at = Instant::now();
            self.report_while_read().await;
        }
    }

    async fn report_while_read(&mut self) {
        let mut read_at = Instant::now();
        let mut failing = false;
        loop {
            let turn = self.turn().await;
            self.journal.tell();
            let pause = match turn {
                Ok(Turn { rests: true, .. }) => REST,
                Ok(_) => PAUSE,
                Err(error) => {
                    if !mem::replace(&mut failing, true) {
                        tracing::warn!(error = %Chain(&error), "what happens cannot be told, trying again");
                    }
                    sleep(REST).await;
                    continue;
                }
            };
            if mem::take(&mut failing) {
                tracing::info!("what happens is told again");
            }
            sleep(pause).await;
            if self.journal.readers() > 0 {
                read_at = Instant::now();
            } else if read_at.elapsed() >= LINGER && self.journal.sleep(|| self.changed.ignore()) {
                return;
            }
            if turn.is_ok_and(|turn| !turn.has_more) {
                self.wait().await;
            }
        }
    }

    /// Waits until there may be something to tell.
    async fn wait(&mut self) {
        let Self { changed, log_end, newest_delivery, look_at, .. } = self;
        tokio::select! {
            () = changed.more() => {}
            // At the end of the store they never change.
            Ok(()) = log_end.changed() => {}
            Ok(()) = newest_delivery.changed() => {}
            () = sleep_until(*look_at) => {}
        }
    }

    async fn turn(&mut self) -> Result<Turn, StoreError> {
        let most = (TURN_MESSAGES_MAX / self.journal.readers().max(1)).clamp(TURN_MIN, TURN_MAX);
        self.note();
        // Before the end of the log: an event is told before its deliveries.
        let made = self.newest_delivery.borrow_and_update().map_or(0, DeliveryId::get);
        let end = *self.log_end.borrow_and_update();
        if mem::take(&mut self.rested) {
            self.leave_out(end, made, most);
        }

        let told = self.journal.now().event;
        if end > told {
            self.events(told, most).await?;
        }
        self.deliveries(made, most).await?;
        self.incidents(most).await?;
        if self.look_at <= Instant::now() {
            self.destinations().await?;
            self.look_at = Instant::now() + LOOK_EVERY;
        }
        let is_behind = self.journal.now().event < end || self.made < made;
        let has_more = is_behind || !self.deliveries.is_empty() || !self.incidents.is_empty();
        // What comes in while it rests is left out with the rest.
        self.rested = !self.too_much(end, made, most).is_empty();
        Ok(Turn { has_more, rests: self.rested })
    }

    /// Takes over what was noted.
    fn note(&mut self) {
        let Noted { deliveries, incidents, lost_deliveries, lost_incidents } = self.changed.take();
        self.deliveries.extend(deliveries);
        self.incidents.extend(incidents);
        for (is_lost, topic) in [(lost_deliveries, Topic::Deliveries), (lost_incidents, Topic::Incidents)] {
            if is_lost {
                self.lost = self.lost.or(Topics::of(&[topic]));
            }
        }
    }

    /// Of which topics more waits, up to these newest ones, than is worth telling.
    fn too_much(&self, end: i64, made: i64, most: usize) -> Topics {
        let backlog_max = most * BACKLOG_TURNS;
        let waits = |from: i64, to: i64| usize::try_from(to - from).unwrap_or(0) > backlog_max;
        let topics = [
            (Topic::Events, waits(self.journal.now().event, end)),
            (Topic::Deliveries, waits(self.made, made) || self.deliveries.len() > backlog_max),
            (Topic::Incidents, self.incidents.len() > backlog_max),
        ];
        let topics = topics.into_iter().filter(|(_, is_much)| *is_much);
        topics.fold(self.lost, |topics, (topic, _)| topics.or(Topics::of(&[topic])))
    }

    /// Goes on with what comes now, and says so.
    fn leave_out(&mut self, end: i64, made: i64, most: usize) {
        let topics = self.too_much(end, made, most);
        self.lost = Topics::NONE;
        let told = self.journal.now().event;
        self.journal.missed(topics, MUCH, if topics.has(Topic::Events) { end } else { told });
        if topics.has(Topic::Deliveries) {
            self.made = made;
            self.deliveries.clear();
        }
        if topics.has(Topic::Incidents) {
            self.incidents.clear();
        }
    }

    async fn events(&self, told: i64, most: usize) -> Result<(), StoreError> {
        let part = self.log.after(told, most).await?;
        for (number, change) in part.events {
            self.journal.event(number, change);
        }
        self.journal.events_until(part.last);
        Ok(())
    }

    /// Tells of deliveries that were made, up to this one, and of those that changed.
    async fn deliveries(&mut self, made: i64, most: usize) -> Result<(), StoreError> {
        let until = made.min(self.made + most as i64);
        // Those that are made later are told then, as they stand then.
        let known = self.deliveries.range(..=DeliveryId::new(self.made));
        let changed: Vec<DeliveryId> = known.take(most).copied().collect();
        let ids: Vec<_> =
            changed.iter().copied().chain((self.made + 1..=until).map(DeliveryId::new)).collect();
        if ids.is_empty() {
            return Ok(());
        }
        for of in self.store.deliveries_by_id(ids).await? {
            let DeliveryOfEvent { delivery, kind, source, subject } = of;
            let delivery = wire::delivery(delivery, None);
            self.journal.changed(Change::delivery(&delivery, wire::kind(kind), source.to_string(), subject));
        }
        let just_made = DeliveryId::new(self.made + 1)..=DeliveryId::new(until);
        self.deliveries.retain(|id| !just_made.contains(id) && changed.binary_search(id).is_err());
        self.made = self.made.max(until);
        Ok(())
    }

    async fn incidents(&mut self, most: usize) -> Result<(), StoreError> {
        for _ in 0..most {
            let Some(id) = self.incidents.first().copied() else { break };
            match self.store.incident(id).await {
                Ok(record) => {
                    let incident = record.map(|record| wire::incident(record, Depth::Listed));
                    incident.iter().for_each(|incident| self.journal.changed(Change::incident(incident)));
                }
                // It must not hold up everything else.
                Err(error @ StoreError::Corrupt { .. }) => {
                    tracing::warn!(incident = %id, error = %Chain(&error), "an incident cannot be read, its change is not told");
                }
                Err(error) => return Err(error),
            }
            self.incidents.pop_first();
        }
        Ok(())
    }

    async fn destinations(&mut self) -> Result<(), StoreError> {
        let Seen { changed, removed } = self.look.look().await?;
        changed.into_iter().for_each(|change| self.journal.changed(change));
        if removed {
            let event = self.journal.now().event;
            self.journal.missed(Topics::of(&[Topic::Destinations]), REMOVED, event);
        }
        Ok(())
    }
}
