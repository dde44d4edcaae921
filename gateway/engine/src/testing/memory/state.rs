//! What a store in memory holds.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use postroom_core::{
    delivery::DeliveryState,
    event::Event,
    id::{DeliveryId, DestinationName, EventId, ReplayId},
    lane::{LaneKey, Ticket},
    time::Timestamp,
};
use postroom_store::{
    AttemptRecord, DeliveryFilter, DeliveryRecord, FreshDelivery, NewBody, NewEvent, Pause, Prune, Pruned,
    Replay, Usage,
};

use super::{store::never_asked, tracked::Tracked};

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) events: BTreeMap<EventId, (Arc<Event>, Bytes)>,
    pub(super) deliveries: BTreeMap<DeliveryId, (DeliveryRecord, Vec<AttemptRecord>)>,
    pub(super) replays: BTreeMap<ReplayId, Replaying>,
    pub(super) pauses: BTreeMap<DestinationName, Pause>,
    damaged: BTreeSet<DeliveryId>,
    attempts_damaged: BTreeSet<DeliveryId>,
    pub(super) tracked: Tracked,
    /// What was asked to be pruned, and what is answered.
    pub(crate) prunes: Vec<Prune>,
    pub(crate) pruned: VecDeque<Pruned>,
    /// What is answered about the room it takes; the last one for good.
    pub(crate) usage: VecDeque<Usage>,
}

/// A replay and how far it came.
#[derive(Debug, Clone)]
pub(super) struct Replaying {
    pub(super) replay: Replay,
    pub(super) position: DeliveryId,
    pub(super) up_to: Option<DeliveryId>,
    pub(super) final_by: Timestamp,
}

impl State {
    /// Every event with its body, in order of acceptance.
    pub(crate) fn events_in_order(&self) -> impl Iterator<Item = &(Arc<Event>, Bytes)> {
        self.tracked.log.iter().map(|id| &self.events[id])
    }

    /// Where the deliveries go, in order.
    pub(crate) fn destinations(&self) -> Vec<String> {
        self.deliveries.values().map(|(delivery, _)| delivery.destination.to_string()).collect()
    }

    pub(crate) fn forget(&mut self, id: DeliveryId) {
        self.deliveries.remove(&id);
    }

    /// Makes a row one that no version of the gateway writes: no list has it any more.
    pub(crate) fn damage(&mut self, id: DeliveryId) {
        self.damaged.insert(id);
    }

    /// Makes an attempt one that cannot be read: lists have the delivery still, for they do not read attempts.
    pub(crate) fn damage_attempts(&mut self, id: DeliveryId) {
        self.attempts_damaged.insert(id);
    }

    pub(crate) fn mend_attempts(&mut self, id: DeliveryId) {
        self.attempts_damaged.remove(&id);
    }

    /// Whether the delivery cannot be read with its attempts.
    pub(super) fn is_damaged_in_part(&self, id: DeliveryId) -> bool {
        self.is_damaged(id) || self.attempts_damaged.contains(&id)
    }

    pub(super) fn is_damaged(&self, id: DeliveryId) -> bool {
        self.damaged.contains(&id)
    }

    /// Keeps an event and makes its deliveries.
    pub(super) fn insert(&mut self, new: NewEvent) -> (Arc<Event>, Vec<FreshDelivery>) {
        let NewBody::Inline(body) = new.body else { never_asked() };
        let event = new.event;
        self.events.insert(event.id, (Arc::clone(&event), body));
        self.tracked.log.push(event.id);
        let fresh = new.targets.into_iter().map(|target| {
            self.add(DeliveryRecord {
                id: DeliveryId::new(0),
                event: event.id,
                destination: target.destination,
                route: target.route,
                lane: Arc::clone(&event.ordering_key),
                state: DeliveryState::Pending,
                attempts: 0,
                created_at: event.received_at,
                due: None,
                finished_at: None,
                last_outcome: None,
                replay_of: None,
                replayed_by: None,
                replay: None,
            })
        });
        let fresh = fresh.collect();
        (event, fresh)
    }

    pub(super) fn add(&mut self, mut delivery: DeliveryRecord) -> FreshDelivery {
        let number = self.deliveries.keys().next_back().map_or(1, |last| last.get() + 1);
        delivery.id = DeliveryId::new(number);
        let (event, body) = &self.events[&delivery.event];
        let fresh =
            FreshDelivery { ticket: ticket(&delivery), event: Arc::clone(event), body: Some(body.clone()) };
        self.deliveries.insert(delivery.id, (delivery, Vec::new()));
        fresh
    }

    pub(super) fn again(
        &mut self,
        original: DeliveryId,
        replay: Option<ReplayId>,
        at: Timestamp,
    ) -> FreshDelivery {
        let (delivery, _) = &self.deliveries[&original];
        let anew = DeliveryRecord {
            state: DeliveryState::Pending,
            attempts: 0,
            created_at: at,
            due: None,
            finished_at: None,
            last_outcome: None,
            replay_of: Some(original),
            replayed_by: None,
            replay,
            ..delivery.clone()
        };
        let fresh = self.add(anew);
        let (delivery, _) = self.deliveries.get_mut(&original).expect("it was just read");
        delivery.replayed_by = Some(fresh.ticket.id);
        fresh
    }

    /// The newest in the chain of a delivery.
    pub(super) fn newest(&self, mut id: DeliveryId) -> Option<&DeliveryRecord> {
        while let Some(next) = self.deliveries.get(&id)?.0.replayed_by {
            id = next;
        }
        Some(&self.deliveries[&id].0)
    }

    /// What a replay may take of what matches, each with the moment when it became final.
    pub(super) fn matching(&self, filter: &DeliveryFilter) -> impl Iterator<Item = (DeliveryId, Timestamp)> {
        self.deliveries
            .values()
            .map(|(delivery, _)| delivery)
            .filter(|delivery| filter.state.is_none_or(|state| state == delivery.state))
            .filter(|delivery| delivery.replayed_by.is_none())
            .filter_map(|delivery| Some((delivery.id, delivery.finished_at?)))
    }
}

pub(super) fn ticket(delivery: &DeliveryRecord) -> Ticket {
    Ticket {
        id: delivery.id,
        event: delivery.event,
        lane: LaneKey { destination: delivery.destination.clone(), key: Arc::clone(&delivery.lane) },
        attempts: delivery.attempts,
        due: delivery.due.unwrap_or(Timestamp::EPOCH),
        repeats: delivery.replay_of.is_some(),
    }
}
