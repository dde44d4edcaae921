//! What the store tells, held against the model.

use std::collections::BTreeSet;

use postroom_core::{lane::Ticket, limits::INLINE_BODY_BYTES_MAX, time::Timestamp};

use super::{
    plain::{BodyOf, DESTINATIONS, Delivery, KEYS, Model},
    *,
};
use crate::{DeliveryFilter, DeliveryRecord, Store, testing::lane};

impl Model {
    fn waiting(&self) -> Vec<Ticket> {
        let waiting = self.deliveries.iter().filter(|(_, delivery)| !delivery.state.is_final());
        let ticket = |(id, delivery): (&DeliveryId, &Delivery)| Ticket {
            id: *id,
            event: event_id(delivery.event),
            lane: lane(delivery.destination, delivery.key),
            attempts: delivery.attempts,
            due: delivery.due.unwrap_or(Timestamp::EPOCH),
            repeats: delivery.replay_of.is_some(),
        };
        waiting.map(ticket).collect()
    }

    /// How many large bodies the events name.
    pub(super) fn large_bodies(&self) -> usize {
        let large = |body: &BodyOf| match body {
            BodyOf::Large(body) => Some(*body),
            BodyOf::Number | BodyOf::Marked { .. } => None,
        };
        self.events.values().filter_map(large).collect::<BTreeSet<_>>().len()
    }

    /// Lists the events about `key`, page by page.
    async fn check_events_about(&self, key: &str, store: &SqliteStore) {
        let filter = crate::EventFilter { subject: Some(key.to_owned()), ..crate::EventFilter::default() };
        let (mut listed, mut before) = (Vec::new(), None);
        loop {
            let found = store.events(filter.clone(), page(before, 2)).await.unwrap();
            listed.extend(found.items.iter().map(|record| record.event.id));
            before = found.next;
            if before.is_none() {
                break;
            }
        }
        listed.sort_unstable();
        let about = self.events.keys().filter(|n| self.keys[n] == key);
        assert_eq!(listed, about.map(|n| event_id(*n)).collect::<Vec<_>>());
    }

    /// Compares what waits, the lists, the replays and the pauses.
    pub(super) async fn check(&self, store: &SqliteStore) {
        let waiting = self.waiting();
        let counts = store.waiting_counts().await.unwrap();
        for name in DESTINATIONS {
            let all: Vec<_> =
                waiting.iter().filter(|ticket| ticket.lane.destination.as_str() == name).cloned().collect();
            assert_eq!(store.waiting(destination(name), None, usize::MAX).await.unwrap(), all);
            let count = counts.iter().find(|count| count.destination.as_str() == name);
            assert_eq!(count.map_or(0, |count| count.waiting), all.len() as u64);
            for key in KEYS {
                let lane = lane(name, key);
                let expected: Vec<_> = all.iter().filter(|ticket| ticket.lane == lane).cloned().collect();
                assert_eq!(store.waiting_in_lane(lane.clone(), None, usize::MAX).await.unwrap(), expected);
                for (nth, ticket) in expected.iter().enumerate() {
                    let next: Vec<_> = expected[nth + 1..].iter().take(2).cloned().collect();
                    assert_eq!(store.waiting_in_lane(lane.clone(), Some(ticket.id), 2).await.unwrap(), next);
                }
            }
        }
        for key in KEYS {
            self.check_events_about(key, store).await;
        }
        for state in DeliveryState::ALL {
            let filter = DeliveryFilter { state: Some(state), ..DeliveryFilter::default() };
            let listed = store.deliveries(filter, page(None, usize::MAX)).await.unwrap();
            let expected = self.deliveries.iter().rev().filter(|(_, delivery)| delivery.state == state);
            assert!(listed.items.iter().map(|record| record.id).eq(expected.map(|(id, _)| *id)), "{state}");
        }
        let replays = store.replays(page(None, usize::MAX)).await.unwrap().items;
        let told = replays.iter().rev().map(|replay| (replay.id, replay.made, replay.state));
        assert!(told.eq(self.replays.iter().map(|(id, replay)| (*id, replay.made, replay.stands))));
        let pauses: Vec<_> =
            self.pauses.iter().map(|(name, pause)| (destination(name), pause.clone())).collect();
        assert_eq!(store.pauses().await.unwrap(), pauses);
        let large = self.large_bodies() * (INLINE_BODY_BYTES_MAX + 1);
        assert_eq!(store.usage().await.unwrap().blob_bytes, large as u64);
    }

    /// Compares every delivery, its attempts, every body, and what became of each replay.
    pub(super) async fn check_all(&self, store: &SqliteStore) {
        for (id, delivery) in &self.deliveries {
            let detail = store.delivery(*id).await.unwrap().unwrap();
            assert!(detail.attempts.iter().map(|(_, attempt)| attempt).eq(&delivery.tries), "{detail:?}");
            let last = delivery.tries.last().map(|attempt| attempt.outcome.kind);
            assert_eq!(detail.delivery.last_outcome.as_ref().map(|outcome| outcome.kind), last);
            let DeliveryRecord { replay_of, replayed_by, replay, .. } = detail.delivery;
            assert_eq!(
                (replay_of, replayed_by, replay),
                (delivery.replay_of, delivery.replayed_by, delivery.replay)
            );
        }
        for n in 1..=self.sent {
            let kept = store.body(event_id(n)).await.unwrap();
            assert_eq!(kept.is_some(), self.events.contains_key(&n));
            if let Some(sent) = self.events.get(&n) {
                assert_eq!(kept.unwrap().read().await.unwrap(), sent.bytes(n));
            }
        }
        for id in self.replays.keys() {
            let of_replay = || self.deliveries.values().filter(|delivery| delivery.replay == Some(*id));
            let detail = store.replay(*id).await.unwrap().unwrap();
            let count = |wanted: fn(DeliveryState) -> bool| {
                of_replay().filter(|delivery| wanted(delivery.state)).count() as u64
            };
            assert_eq!(detail.waiting, count(|state| !state.is_final()));
            assert_eq!(detail.delivered, count(|state| state == DeliveryState::Delivered));
            assert_eq!(detail.dead, count(|state| state == DeliveryState::Dead));
            let all = detail.waiting + detail.delivered + detail.dead + detail.other;
            assert_eq!(all, of_replay().count() as u64);
            let filter = DeliveryFilter { replay: Some(*id), ..DeliveryFilter::default() };
            let listed = store.deliveries(filter, page(None, usize::MAX)).await.unwrap().items;
            let made = self.deliveries.iter().rev().filter(|(_, delivery)| delivery.replay == Some(*id));
            assert!(listed.iter().map(|record| record.id).eq(made.map(|(id, _)| *id)));
        }
    }
}
