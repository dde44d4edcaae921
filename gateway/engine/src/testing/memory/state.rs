//! What a store in memory holds.

use std::{
    collections::{BTreeMap, VecDeque},
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
    AttemptRecord, DeliveryFilter, DeliveryRecord, FreshDelivery, Pause, Prune, Pruned, Replay, Usage,
};

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) events: BTreeMap<EventId, (Arc<Event>, Bytes)>,
    pub(super) deliveries: BTreeMap<DeliveryId, (DeliveryRecord, Vec<AttemptRecord>)>,
    pub(super) replays: BTreeMap<ReplayId, (Replay, DeliveryId, Option<DeliveryId>)>,
    pub(super) pauses: BTreeMap<DestinationName, Pause>,
    /// What was asked to be pruned, and what is answered.
    pub(crate) prunes: Vec<Prune>,
    pub(crate) pruned: VecDeque<Pruned>,
    /// What is answered about the room it takes; the last one for good.
    pub(crate) usage: VecDeque<Usage>,
}

impl State {
    pub(crate) fn forget(&mut self, id: DeliveryId) {
        self.deliveries.remove(&id);
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
            replay,
            ..delivery.clone()
        };
        self.add(anew)
    }
}

pub(super) fn ticket(delivery: &DeliveryRecord) -> Ticket {
    Ticket {
        id: delivery.id,
        event: delivery.event,
        lane: LaneKey { destination: delivery.destination.clone(), key: Arc::clone(&delivery.lane) },
        attempts: delivery.attempts,
        due: delivery.due.unwrap_or(Timestamp::EPOCH),
    }
}

pub(super) fn matches(filter: &DeliveryFilter, delivery: &DeliveryRecord) -> bool {
    delivery.state.is_final() && filter.state.is_none_or(|state| state == delivery.state)
}
