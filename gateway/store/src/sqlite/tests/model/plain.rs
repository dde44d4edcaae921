//! The model: what a store must tell, with nothing but maps.

use std::collections::BTreeMap;

use postroom_core::{
    id::{DestinationName, ReplayId},
    limits::INLINE_BODY_BYTES_MAX,
    outcome::OutcomeKind,
    replay::ReplayState,
    time::Timestamp,
};
use proptest::sample::Index;

use super::*;
use crate::{
    AttemptRecord, DeliveryChange, DeliveryFilter, Matching, NewReplay, Pause, Prune, RetryAnswer, Store,
    testing::{at, attempt, marked, received_at},
};

pub(super) const DESTINATIONS: [&str; 2] = ["a", "b"];
pub(super) const KEYS: [&str; 3] = ["x", "y", "z"];
const MARKS: [&str; 2] = ["first", "second"];

/// An event to send.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    /// Its ordering key, of [`KEYS`].
    pub(super) key: usize,
    /// To how many of [`DESTINATIONS`] it goes.
    pub(super) fan_out: usize,
    pub(super) body: BodyOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyOf {
    /// A small one, unlike any other.
    Number,
    /// One of two large ones, so that events share a file.
    Large(u8),
    /// A small one under one of [`MARKS`]; the other number stands for what was sent.
    Marked { key: usize, body: u8 },
}

impl BodyOf {
    pub(super) fn bytes(self, n: u32) -> Vec<u8> {
        match self {
            Self::Large(body) => vec![body; INLINE_BODY_BYTES_MAX + 1],
            Self::Number | Self::Marked { .. } => n.to_be_bytes().repeat(5),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) event: u32,
    pub(super) destination: &'static str,
    pub(super) key: &'static str,
    pub(super) state: DeliveryState,
    pub(super) attempts: u32,
    pub(super) due: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
    pub(super) tries: Vec<AttemptRecord>,
    pub(super) replay_of: Option<DeliveryId>,
    pub(super) replayed_by: Option<DeliveryId>,
    pub(super) replay: Option<ReplayId>,
}

#[derive(Debug)]
pub(super) struct Replay {
    pub(super) state: Option<DeliveryState>,
    pub(super) position: DeliveryId,
    pub(super) up_to: DeliveryId,
    pub(super) final_by: Timestamp,
    pub(super) made: u64,
    pub(super) stands: ReplayState,
}

/// What was first sent under a mark.
#[derive(Debug)]
struct First {
    body: u8,
    event: u32,
    deliveries: Vec<DeliveryId>,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    /// Event numbers given so far.
    pub(super) sent: u32,
    pub(super) events: BTreeMap<u32, BodyOf>,
    /// What each event was about, also of those that are gone.
    pub(super) keys: BTreeMap<u32, &'static str>,
    pub(super) deliveries: BTreeMap<DeliveryId, Delivery>,
    highest: i64,
    marks: BTreeMap<usize, First>,
    pub(super) replays: BTreeMap<ReplayId, Replay>,
    pub(super) pauses: BTreeMap<&'static str, Pause>,
    ticks: i64,
}

impl Model {
    /// A moment later than all before, the acceptance of events too.
    fn now(&mut self) -> Timestamp {
        self.ticks += 10;
        at(2_000 + self.ticks)
    }

    pub(super) async fn accept(&mut self, store: &SqliteStore, events: &[Sent]) {
        let mut new = Vec::new();
        for Sent { key, fan_out, body } in events {
            self.sent += 1;
            let event =
                with_body(new_event(self.sent, KEYS[*key], &DESTINATIONS[..*fan_out]), body.bytes(self.sent));
            new.push(match *body {
                BodyOf::Marked { key, body } => marked(event, MARKS[key], body),
                BodyOf::Number | BodyOf::Large(_) => event,
            });
        }
        let first = self.sent - u32::try_from(events.len()).unwrap() + 1;
        let accepts = futures_util::future::join_all(new.into_iter().map(|event| store.accept(event))).await;
        for ((n, event), accepted) in (first..).zip(events).zip(accepts) {
            let accepted = accepted.unwrap();
            if let BodyOf::Marked { key, body } = event.body {
                if let Some(first) = self.marks.get(&key).filter(|first| first.body == body) {
                    assert!(accepted.repeated);
                    assert_eq!(
                        (accepted.event, accepted.deliveries),
                        (event_id(first.event), first.deliveries.clone())
                    );
                    continue;
                }
                let first = First { body, event: n, deliveries: accepted.deliveries.clone() };
                self.marks.entry(key).or_insert(first);
            }
            assert!(!accepted.repeated);
            self.events.insert(n, event.body);
            self.keys.insert(n, KEYS[event.key]);
            assert_eq!(accepted.deliveries.len(), event.fan_out);
            for (id, destination) in accepted.deliveries.into_iter().zip(DESTINATIONS) {
                self.insert(id, n, destination, KEYS[event.key], None, None);
            }
        }
    }

    fn insert(
        &mut self,
        id: DeliveryId,
        event: u32,
        destination: &'static str,
        key: &'static str,
        replay_of: Option<DeliveryId>,
        replay: Option<ReplayId>,
    ) {
        let delivery = Delivery {
            event,
            destination,
            key,
            state: DeliveryState::Pending,
            attempts: 0,
            due: None,
            finished_at: None,
            tries: Vec::new(),
            replay_of,
            replayed_by: None,
            replay,
        };
        assert!(self.deliveries.insert(id, delivery).is_none(), "{id} was given twice");
        self.highest = self.highest.max(id.get());
    }

    fn again(&mut self, id: DeliveryId, original: DeliveryId, replay: Option<ReplayId>) {
        let Delivery { event, destination, key, .. } = self.deliveries[&original];
        self.deliveries.get_mut(&original).unwrap().replayed_by = Some(id);
        self.insert(id, event, destination, key, Some(original), replay);
    }

    fn known(&self, index: &Index) -> Option<DeliveryId> {
        let ids: Vec<DeliveryId> = self.deliveries.keys().copied().collect();
        (!ids.is_empty()).then(|| *index.get(&ids))
    }

    fn known_replay(&self, index: &Index) -> Option<ReplayId> {
        let ids: Vec<ReplayId> = self.replays.keys().copied().collect();
        (!ids.is_empty()).then(|| *index.get(&ids))
    }

    pub(super) async fn record(
        &mut self,
        store: &SqliteStore,
        changes: &[(Index, DeliveryState, Option<OutcomeKind>)],
    ) {
        let mut records = Vec::new();
        for (index, state, kind) in changes {
            let now = self.now();
            let Some(id) = self.known(index) else { return };
            let delivery = self.deliveries.get_mut(&id).unwrap();
            // One that was repeated is done with: its lane knows the newer one only.
            if delivery.replayed_by.is_some() && !state.is_final() {
                continue;
            }
            delivery.state = *state;
            // Some attempts do not count.
            delivery.attempts += u32::from(kind.is_some_and(|kind| kind != OutcomeKind::RateLimited));
            delivery.due = (!state.is_final()).then(|| now.plus(std::time::Duration::from_secs(1)));
            delivery.finished_at = state.is_final().then_some(now);
            let attempt = kind.map(|kind| attempt(now.as_unix_ms(), kind));
            delivery.tries.extend(attempt.clone());
            let attempts = Some(delivery.attempts);
            records.push(DeliveryChange { id, state: *state, attempts, due: delivery.due, at: now, attempt });
        }
        store.record(records).await.unwrap();
    }

    pub(super) async fn retry(&mut self, store: &SqliteStore, index: &Index) {
        let Some(asked) = self.known(index) else { return };
        let mut newest = asked;
        while let Some(next) = self.deliveries[&newest].replayed_by {
            newest = next;
        }
        let now = self.now();
        let expected = match self.deliveries[&newest].state.is_final() {
            true => RetryAnswer::Made(DeliveryId::new(self.highest + 1)),
            false => RetryAnswer::StillWaiting(newest),
        };
        assert_eq!(store.retry(asked, now).await.unwrap(), expected);
        if let RetryAnswer::Made(id) = expected {
            self.again(id, newest, None);
        }
    }

    /// What a replay would take of those in `state`, each with the moment when it became final.
    fn matching(&self, state: Option<DeliveryState>) -> impl Iterator<Item = (DeliveryId, Timestamp)> {
        self.deliveries
            .iter()
            .filter(move |(_, delivery)| state.is_none_or(|state| delivery.state == state))
            .filter(|(_, delivery)| delivery.replayed_by.is_none())
            .filter_map(|(id, delivery)| Some((*id, delivery.finished_at?)))
    }

    /// Begins a replay of what was final `ago` milliseconds before.
    pub(super) async fn begin_replay(&mut self, store: &SqliteStore, state: Option<DeliveryState>, ago: i64) {
        let destinations: Vec<_> = DESTINATIONS.into_iter().map(DestinationName::new).collect();
        let filter = DeliveryFilter { state, ..DeliveryFilter::default() };
        let now = self.now();
        let final_by = at(now.as_unix_ms() - ago);
        let matching = store.count(filter.clone(), destinations.clone(), final_by).await.unwrap();
        let (in_time, later): (Vec<_>, Vec<_>) = self.matching(state).partition(|(_, end)| *end <= final_by);
        let newest = in_time.iter().chain(&later).map(|(_, end)| *end).max();
        let (count, later) = (in_time.len() as u64, later.len() as u64);
        assert_eq!(matching, Matching { count, later, newest });
        let by = "ann".to_owned();
        let new = NewReplay { filter, destinations, per_second: 9, count, final_by, by, at: now };
        let begun = store.begin_replay(new).await.unwrap();
        let replay = Replay {
            state,
            position: DeliveryId::new(0),
            up_to: DeliveryId::new(self.highest),
            final_by,
            made: 0,
            stands: ReplayState::Running,
        };
        assert!(self.replays.insert(begun.id, replay).is_none(), "{} was given twice", begun.id);
    }

    pub(super) async fn advance(&mut self, store: &SqliteStore, index: &Index, limit: usize) {
        let Some(id) = self.known_replay(index) else { return };
        let now = self.now();
        let told = store.advance_replay(id, limit, now).await.unwrap().unwrap();
        let replay = &self.replays[&id];
        if replay.stands != ReplayState::Running {
            assert_eq!((told.made, told.state), (replay.made, replay.stands));
            return;
        }
        let Replay { position, up_to, final_by, .. } = *replay;
        let left: Vec<_> = self
            .matching(replay.state)
            .filter(|(id, end)| *id > position && *id <= up_to && *end <= final_by)
            .map(|(id, _)| id)
            .collect();
        for original in left.iter().take(limit) {
            self.again(DeliveryId::new(self.highest + 1), *original, Some(id));
        }
        let replay = self.replays.get_mut(&id).unwrap();
        replay.made += left.len().min(limit) as u64;
        replay.position = if left.len() < limit { up_to } else { left[limit - 1] };
        replay.stands = told.state;
        assert_eq!(told.made, replay.made);
        match told.state {
            ReplayState::Running => assert!(left.len() >= limit, "nothing is left"),
            ReplayState::Done => assert!(left.len() <= limit, "something is left"),
            ReplayState::Cancelled => panic!("nobody has cancelled it"),
        }
    }

    pub(super) async fn cancel(&mut self, store: &SqliteStore, index: &Index) {
        let Some(id) = self.known_replay(index) else { return };
        let now = self.now();
        let replay = self.replays.get_mut(&id).unwrap();
        if replay.stands == ReplayState::Running {
            replay.stands = ReplayState::Cancelled;
        }
        let told = store.cancel_replay(id, now).await.unwrap().unwrap();
        assert_eq!((told.state, told.made), (replay.stands, replay.made));
    }

    /// Events of which nothing waits, with the moment of their end and whether they have a dead letter.
    fn ended(&self) -> impl Iterator<Item = (u32, Timestamp, bool)> {
        self.events.keys().filter_map(|n| {
            let of_event = || self.deliveries.values().filter(|delivery| delivery.event == *n);
            let ends = of_event().map(|delivery| delivery.finished_at).collect::<Option<Vec<_>>>()?;
            let end = ends.into_iter().chain([received_at(*n)]).max()?;
            Some((*n, end, of_event().any(|delivery| delivery.state == DeliveryState::Dead)))
        })
    }

    fn remove(&mut self, events: &[u32]) {
        self.events.retain(|n, _| !events.contains(n));
        self.deliveries.retain(|_, delivery| !events.contains(&delivery.event));
    }

    pub(super) async fn prune_old(&mut self, store: &SqliteStore, events: i64, dead: i64, limit: usize) {
        let now = self.now().as_unix_ms();
        let (events_before, dead_before) = (at(now - events), at(now - dead));
        let old: Vec<u32> = self
            .ended()
            .filter(|(_, end, has_dead)| *end < if *has_dead { dead_before } else { events_before })
            .map(|(n, ..)| n)
            .collect();
        let prune = Prune {
            events_before: Some(events_before),
            dead_before: Some(dead_before),
            limit,
            ..Prune::default()
        };
        let mut removed = 0;
        loop {
            let pruned = store.prune(prune.clone()).await.unwrap();
            assert!(pruned.events <= limit as u64);
            removed += pruned.events;
            if !pruned.more {
                break;
            }
        }
        assert_eq!(removed, old.len() as u64);
        self.remove(&old);
    }

    pub(super) async fn prune_oldest(&mut self, store: &SqliteStore, oldest: usize, limit: usize) {
        let mut ended: Vec<_> = self.ended().collect();
        ended.sort_by_key(|(n, _, has_dead)| (*has_dead, *n));
        let expected: Vec<u32> = ended.iter().map(|(n, ..)| *n).take(oldest).collect();
        store.prune(Prune { limit, ..Prune::default() }).await.unwrap();
        let mut left = oldest;
        while left > 0 {
            let pruned = store.prune(Prune { oldest: left, limit, ..Prune::default() }).await.unwrap();
            left -= usize::try_from(pruned.events).unwrap();
            if !pruned.more {
                break;
            }
        }
        assert_eq!(oldest - left, expected.len());
        self.remove(&expected);
    }

    pub(super) async fn prune_marks(&mut self, store: &SqliteStore, age: i64) {
        let before = received_at(self.sent).as_unix_ms() - age / 20;
        self.marks.retain(|_, first| received_at(first.event) >= at(before));
        let prune = Prune { marks_before: Some(at(before)), limit: 1, ..Prune::default() };
        while store.prune(prune.clone()).await.unwrap().more {}
    }

    pub(super) async fn pause(&mut self, store: &SqliteStore, destination: usize, paused: bool) {
        let pause = paused.then(|| Pause { at: self.now(), by: "ann".to_owned() });
        let name = DESTINATIONS[destination];
        store.set_pause(DestinationName::new(name), pause.clone()).await.unwrap();
        match pause {
            Some(pause) => drop(self.pauses.insert(name, pause)),
            None => drop(self.pauses.remove(name)),
        }
    }
}
