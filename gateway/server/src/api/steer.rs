//! What a person can do to deliveries and destinations. Each act is logged once, with the key's name.

use std::fmt::Display;

use postroom_core::{
    delivery::DeliveryState,
    id::{DeliveryId, EventId, ReplayId},
    replay::ReplayState,
};
use postroom_engine::{CancelAnswer, SteerError};
use postroom_openapi::{
    auth::Caller,
    deliveries::{self, Delivery},
    destinations::Destination,
    port::ActionError,
    replays::Replay,
};
use postroom_store::DeliveryFilter;
use serde_json::{Value, json};

use super::{
    Api, audit,
    errors::{NO_SUCH_KIND, undone, unreadable, unseen},
    wire,
};

impl Api {
    pub(super) async fn retry(&self, id: &str, by: &Caller) -> Result<Option<Delivery>, ActionError> {
        let Ok(id) = id.parse::<DeliveryId>() else { return Ok(None) };
        let Some(goes) = self.0.engine.retry(id).await.map_err(undone)? else { return Ok(None) };
        by.note.after(json!({ "delivery": goes.to_string() }));
        acted(by, "retry", id);
        self.seen(goes).await
    }

    pub(super) async fn cancel(&self, id: &str, by: &Caller) -> Result<Option<Delivery>, ActionError> {
        let Ok(id) = id.parse::<DeliveryId>() else { return Ok(None) };
        let Some(answer) = self.0.engine.cancel(id, &by.name).await.map_err(undone)? else { return Ok(None) };
        if answer == CancelAnswer::AlreadyFinal {
            return self.cancelled_already(id).await;
        }
        acted(by, "cancel", id);
        let state = if answer == CancelAnswer::Cancelled { "cancelled" } else { "asked to end" };
        by.note.after(json!({ "state": state }));
        self.seen(id).await
    }

    /// Cancelling twice is no conflict: the delivery stands as the caller wants it.
    async fn cancelled_already(&self, id: DeliveryId) -> Result<Option<Delivery>, ActionError> {
        let found = self.0.store.delivery(id).await.map_err(unreadable).map_err(unseen)?;
        match found.map(|detail| detail.delivery.state) {
            Some(DeliveryState::Cancelled) => self.seen(id).await,
            Some(state) => Err(ActionError::Conflict { reason: format!("the delivery is {state} already") }),
            None => Ok(None),
        }
    }

    async fn seen(&self, id: DeliveryId) -> Result<Option<Delivery>, ActionError> {
        let found = self.0.store.delivery(id).await.map_err(unreadable).map_err(unseen)?;
        Ok(found.map(|detail| wire::delivery(detail.delivery, Some(detail.attempts))))
    }

    pub(super) async fn pause(&self, name: &str, by: &Caller) -> Result<Option<Destination>, ActionError> {
        by.note.before(self.gate(name).await);
        match self.0.engine.pause(name, &by.name).await {
            Err(SteerError::UnknownDestination { .. }) => return Ok(None),
            // The engine says by whom, and only if it was not paused before.
            paused => paused.map_err(undone)?,
        }
        by.note.after(self.gate(name).await);
        self.described_one(name).await.map_err(unseen)
    }

    pub(super) async fn resume(&self, name: &str, by: &Caller) -> Result<Option<Destination>, ActionError> {
        by.note.before(self.gate(name).await);
        match self.0.engine.resume(name).await {
            Err(SteerError::UnknownDestination { .. }) => return Ok(None),
            resumed => resumed.map_err(undone)?,
        }
        acted(by, "resume", name);
        by.note.after(self.gate(name).await);
        self.described_one(name).await.map_err(unseen)
    }

    async fn gate(&self, name: &str) -> Value {
        let loads = self.0.engine.loads().await;
        audit::gate(loads.iter().find(|(destination, _)| destination.as_str() == name).map(|(_, load)| load))
    }

    pub(super) async fn count(&self, filter: deliveries::DeliveryFilter) -> Result<u64, ActionError> {
        let filter = self.replayable(filter)?;
        self.0.engine.count(filter).await.map_err(undone)
    }

    pub(super) async fn begin(
        &self,
        filter: deliveries::DeliveryFilter,
        per_second: Option<u32>,
        by: &Caller,
    ) -> Result<Replay, ActionError> {
        let filter = self.replayable(filter)?;
        // The engine says by whom.
        let replay = self.0.engine.begin_replay(filter, per_second, &by.name).await.map_err(undone)?;
        by.note.object(format!("replays/{}", replay.id));
        by.note.after(json!({ "state": "running", "count": replay.count }));
        Ok(wire::replay(replay))
    }

    pub(super) async fn end(&self, id: &str, by: &Caller) -> Result<Option<Replay>, ActionError> {
        let Ok(id) = id.parse::<ReplayId>() else { return Ok(None) };
        let Some(before) = self.0.store.replay(id).await.map_err(unreadable).map_err(unseen)? else {
            return Ok(None);
        };
        if before.replay.state != ReplayState::Running {
            return Ok(Some(wire::replay_detail(before)));
        }
        if self.0.engine.cancel_replay(id).await.map_err(undone)?.is_none() {
            return Ok(None);
        }
        by.note.before(json!({ "state": "running" }));
        by.note.after(json!({ "state": "cancelled" }));
        acted(by, "cancel replay", id);
        let found = self.0.store.replay(id).await.map_err(unreadable).map_err(unseen)?;
        Ok(found.map(wire::replay_detail))
    }

    /// Refuses what can match nothing: a slip there must not look like a replay of nothing.
    fn replayable(&self, filter: deliveries::DeliveryFilter) -> Result<DeliveryFilter, ActionError> {
        let bad = |name, reason: &str| ActionError::BadField { name, reason: reason.to_owned() };
        if filter.state.is_some_and(|state| !wire::state_from(state).is_final()) {
            return Err(bad(
                "filter.state",
                "only finished deliveries go again, and this state is not a final one",
            ));
        }
        if let Some(name) = &filter.destination
            && !self.0.destinations.all().iter().any(|info| info.name.as_str() == name)
        {
            return Err(bad("filter.destination", "the configuration has no destination of this name"));
        }
        let event = filter.event_id.as_deref().map(str::parse::<EventId>).transpose();
        let event = event.map_err(|error| bad("filter.event_id", &error.to_string()))?;
        wire::delivery_filter(filter, event, None).map_err(|_| bad("filter.kind", NO_SUCH_KIND))
    }
}

/// Who did what to which delivery, destination or replay.
pub(super) fn acted(by: &Caller, act: &'static str, on: impl Display) {
    tracing::info!(by = by.name, act, %on, "a person acted by the API");
}
