//! The store against a plain model: whatever is accepted, recorded, closed and reopened, both tell the same.

use std::collections::BTreeMap;

use postroom_core::{limits::INLINE_BODY_BYTES_MAX, outcome::OutcomeKind, time::Timestamp};
use proptest::prelude::*;

use super::*;
use crate::{
    AttemptRecord, DeliveryFilter,
    testing::{at, attempt, lane, page},
};

const DESTINATIONS: [&str; 2] = ["a", "b"];
const KEYS: [&str; 3] = ["x", "y", "z"];

#[derive(Debug, Clone)]
enum Action {
    /// Some events at once: ordering key, destinations, whether the body is large.
    Accept(Vec<(usize, usize, bool)>),
    /// Changes to known deliveries: which one, its new state, the outcome of an attempt.
    Record(Vec<(prop::sample::Index, DeliveryState, Option<OutcomeKind>)>),
    Reopen,
}

fn action() -> impl Strategy<Value = Action> {
    let event = (0..KEYS.len(), 0..=DESTINATIONS.len(), prop::bool::weighted(0.1));
    let state = prop::sample::select(&DeliveryState::ALL[..]);
    let kind = prop::option::of(prop::sample::select(&OutcomeKind::ALL[..]));
    let change = (any::<prop::sample::Index>(), state, kind);
    prop_oneof![
        5 => prop::collection::vec(event, 1..5).prop_map(Action::Accept),
        5 => prop::collection::vec(change, 1..5).prop_map(Action::Record),
        1 => Just(Action::Reopen),
    ]
}

#[derive(Debug, Clone)]
struct Delivery {
    event: u32,
    destination: &'static str,
    key: &'static str,
    state: DeliveryState,
    attempts: u32,
    due: Option<Timestamp>,
    tries: Vec<AttemptRecord>,
}

#[derive(Debug, Default)]
struct Model {
    deliveries: BTreeMap<DeliveryId, Delivery>,
    bodies: BTreeMap<u32, Vec<u8>>,
    now: i64,
}

impl Model {
    async fn accept(&mut self, store: &SqliteStore, events: &[(usize, usize, bool)]) {
        let mut new = Vec::new();
        for (key, fan_out, large) in events {
            let n = u32::try_from(self.bodies.len() + 1).unwrap();
            let length = if *large { INLINE_BODY_BYTES_MAX + 1 } else { 20 };
            let body = n.to_be_bytes().repeat(length / 4 + 1);
            self.bodies.insert(n, body.clone());
            new.push((n, KEYS[*key], &DESTINATIONS[..*fan_out], body));
        }
        let accepts = new.iter().map(|(n, key, targets, body)| {
            store.accept(with_body(new_event(*n, key, targets), body.clone()))
        });
        for (accepted, (event, key, targets, _)) in
            futures_util::future::join_all(accepts).await.iter().zip(&new)
        {
            let ids = &accepted.as_ref().unwrap().deliveries;
            assert_eq!(ids.len(), targets.len());
            for (id, destination) in ids.iter().zip(*targets) {
                let delivery = Delivery {
                    event: *event,
                    destination,
                    key,
                    state: DeliveryState::Pending,
                    attempts: 0,
                    due: None,
                    tries: Vec::new(),
                };
                assert!(self.deliveries.insert(*id, delivery).is_none(), "{id} was given twice");
            }
        }
    }

    async fn record(
        &mut self,
        store: &SqliteStore,
        changes: &[(prop::sample::Index, DeliveryState, Option<OutcomeKind>)],
    ) {
        let ids: Vec<DeliveryId> = self.deliveries.keys().copied().collect();
        if ids.is_empty() {
            return;
        }
        let mut records = Vec::new();
        for (index, state, kind) in changes {
            self.now += 10;
            let id = *index.get(&ids);
            let delivery = self.deliveries.get_mut(&id).unwrap();
            delivery.state = *state;
            delivery.attempts += u32::from(kind.is_some());
            delivery.due = (!state.is_final()).then(|| at(self.now + 1_000));
            let attempt = kind.map(|kind| attempt(self.now, kind));
            delivery.tries.extend(attempt.clone());
            records.push(DeliveryChange {
                id,
                state: *state,
                attempts: Some(delivery.attempts),
                due: delivery.due,
                at: at(self.now),
                attempt,
            });
        }
        store.record(records).await.unwrap();
    }

    fn waiting(&self) -> Vec<Ticket> {
        let waiting = self.deliveries.iter().filter(|(_, delivery)| !delivery.state.is_final());
        let ticket = |(id, delivery): (&DeliveryId, &Delivery)| Ticket {
            id: *id,
            event: event_id(delivery.event),
            lane: lane(delivery.destination, delivery.key),
            attempts: delivery.attempts,
            due: delivery.due.unwrap_or(Timestamp::EPOCH),
        };
        waiting.map(ticket).collect()
    }

    async fn check(&self, store: &SqliteStore) {
        let waiting = self.waiting();
        assert_eq!(store.waiting(None, usize::MAX).await.unwrap(), waiting);
        for destination in DESTINATIONS {
            for key in KEYS {
                let lane = lane(destination, key);
                let expected: Vec<_> = waiting.iter().filter(|ticket| ticket.lane == lane).cloned().collect();
                assert_eq!(store.waiting_in_lane(lane, None, usize::MAX).await.unwrap(), expected);
            }
            let expected =
                waiting.iter().filter(|ticket| ticket.lane.destination.as_str() == destination).count();
            let counts = store.waiting_counts().await.unwrap();
            let count = counts.iter().find(|count| count.destination.as_str() == destination);
            assert_eq!(count.map_or(0, |count| count.waiting), expected as u64);
        }
        for state in DeliveryState::ALL {
            let filter = DeliveryFilter { state: Some(state), ..DeliveryFilter::default() };
            let listed = store.deliveries(filter, page(None, usize::MAX)).await.unwrap();
            let expected = self.deliveries.iter().rev().filter(|(_, delivery)| delivery.state == state);
            assert!(listed.items.iter().map(|record| record.id).eq(expected.map(|(id, _)| *id)), "{state}");
        }
    }

    async fn check_all(&self, store: &SqliteStore) {
        self.check(store).await;
        for (id, delivery) in &self.deliveries {
            let detail = store.delivery(*id).await.unwrap().unwrap();
            assert!(detail.attempts.iter().map(|(_, attempt)| attempt).eq(&delivery.tries), "{detail:?}");
            let last = delivery.tries.last().map(|attempt| attempt.outcome.kind);
            assert_eq!(detail.delivery.last_outcome.map(|outcome| outcome.kind), last);
        }
        for (n, body) in &self.bodies {
            assert_eq!(store.body(event_id(*n)).await.unwrap().unwrap(), body);
        }
    }
}

async fn run(actions: &[Action]) {
    let scratch = Scratch::new();
    let mut model = Model::default();
    let mut store = scratch.store();
    for action in actions {
        match action {
            Action::Accept(events) => model.accept(&store, events).await,
            Action::Record(changes) => model.record(&store, changes).await,
            Action::Reopen => {
                drop(store);
                store = scratch.store();
            }
        }
        model.check(&store).await;
    }
    model.check_all(&store).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_and_the_model_tell_the_same(actions in prop::collection::vec(action(), 1..16)) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run(&actions));
    }
}
