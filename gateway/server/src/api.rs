//! What the HTTP contract asks for, answered by the engine and the store.

mod access;
mod actions;
mod audit;
mod download;
mod errors;
mod failures;
mod follow;
mod health;
mod kept;
mod keys;
mod metrics;
mod monitors;
mod plugins;
mod registry;
mod reload;
mod sessions;
mod setup;
mod steer;
mod stream;
mod told;
mod upload;
mod wire;

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use postroom_core::{
    chain::Chain,
    id::{DestinationName, EventId, ReplayId},
    lane::GateState,
    limits,
    time::Timestamp,
};
use postroom_engine::{Admission, Clock, DestinationLoad, Handle, Incoming, Intake};
use postroom_host::{Action, SandboxMode};
use postroom_openapi::{
    auth::{Caller, Credential},
    deliveries, destinations, events,
    hooks::Accepted,
    page,
    plugins::PluginList,
    port::{
        self, ActionError, Gateway, Hook, HookRefusal, NewRun, ReadError, Readiness, RequestSeen, RunError,
    },
    reload::{Configuration, Reload},
    replays,
};
use postroom_store::{self as store, Store, WaitingCount};
use serde_json::{Map, Value};
use tokio::{sync::watch, time::Instant};

#[cfg(test)]
pub(crate) use self::actions::NoActions;
pub(crate) use self::{
    actions::Acts,
    audit::{Audit, FILE_WATCH, of_signal, of_watch},
    health::StoreHealth,
    kept::Kept,
    keys::ApiKeys,
    metrics::{Metrics, MonitorMetrics},
    registry::Destinations,
    sessions::Sessions,
    stream::Stream,
};
use self::{
    errors::{body_unreadable, no_such_kind, refusal, unreadable},
    upload::Upload,
};
use crate::reload::Reloader;

/// A destination as the API describes it.
#[derive(Debug, Clone)]
pub(crate) struct DestinationInfo {
    pub(crate) name: DestinationName,
    pub(crate) plugin: String,
    pub(crate) plugin_version: String,
    pub(crate) sandbox_mode: SandboxMode,
    pub(crate) status: watch::Receiver<postroom_host::Status>,
    /// The plugin's file.
    pub(crate) file: PathBuf,
    /// What people can have the plugin do.
    pub(crate) actions: Arc<[Action]>,
    pub(crate) acts: Arc<dyn Acts>,
}

/// The running gateway, as the API sees it.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) intake: Arc<Intake>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) engine: Arc<Handle>,
    pub(crate) destinations: Arc<Destinations>,
    pub(crate) keys: Arc<ApiKeys>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) audit: Audit,
    pub(crate) reloader: Arc<Reloader>,
    pub(crate) counters: postroom_engine::Metrics,
    pub(crate) stream: Stream,
    pub(crate) metrics: Metrics,
    pub(crate) monitor_metrics: MonitorMetrics,
    /// Age at which runs go; never when absent.
    pub(crate) history: Option<Duration>,
    pub(crate) store_health: StoreHealth,
    pub(crate) overview: Kept<(store::Overview, store::Usage)>,
    pub(crate) dead_letters: Kept<store::DeadLetters>,
    pub(crate) clock: Clock,
    /// When it started, as a moment for people and for counting on from.
    pub(crate) started: (Timestamp, Instant),
    /// Held by whoever checks a configuration.
    pub(crate) checking: tokio::sync::Mutex<()>,
    /// Held by whoever looks for plugins.
    pub(crate) looking: tokio::sync::Mutex<()>,
}

/// A handle to the running gateway.
#[derive(Debug, Clone)]
pub(crate) struct Api(Arc<Parts>);

impl Api {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    async fn described(&self) -> Result<Vec<destinations::Destination>, ReadError> {
        let loads = self.0.engine.loads().await;
        let waiting = self.0.store.waiting_counts().await.map_err(unreadable)?;
        let describe = |info: &DestinationInfo| {
            let load = loads.get(&info.name).cloned();
            let load = load.unwrap_or(IDLE);
            let waits = waiting_for(&waiting, &info.name, load.in_flight);
            wire::destination(info, load, waits)
        };
        Ok(self.0.destinations.all().iter().map(describe).collect())
    }

    async fn described_one(&self, name: &str) -> Result<Option<destinations::Destination>, ReadError> {
        Ok(self.described().await?.into_iter().find(|destination| destination.name == name))
    }
}

/// What is said of a destination when the engine has stopped and says nothing.
const IDLE: DestinationLoad = DestinationLoad {
    in_flight: 0,
    paused_until: None,
    gate: GateState::Open,
    behind: false,
    paused_by: None,
    trouble: None,
};

impl Gateway for Api {
    type Source = Admission;
    type Upload = Upload;

    async fn admit(
        &self,
        source: &str,
        token: Option<&Credential>,
        _peer: Option<IpAddr>,
    ) -> Result<port::Admission<Admission>, HookRefusal> {
        let admission = self.0.intake.admit(source, token.map(Credential::expose)).map_err(refusal)?;
        let body_bytes_max = usize::try_from(admission.body_bytes_max()).unwrap_or(usize::MAX);
        Ok(port::Admission {
            source: admission,
            body_bytes_max,
            body_in_memory_bytes_max: limits::BODY_PIECE_BYTES,
            body_read_max: limits::BODY_READ_MAX,
            labels_max: limits::LABELS_MAX,
            label_bytes_max: limits::LABEL_BYTES_MAX,
            idempotency_key_bytes_max: limits::IDEMPOTENCY_KEY_BYTES_MAX,
        })
    }

    fn refused(&self, source: &Admission, reason: &str) {
        self.0.intake.refused(source, reason);
    }

    async fn begin_upload(&self) -> Result<Upload, HookRefusal> {
        Upload::begin(self).await
    }

    async fn accept(&self, source: Admission, hook: Hook<Upload>) -> Result<Accepted, HookRefusal> {
        let Hook { body, content_type, labels, idempotency_key, note } = hook;
        let body = self.kept(body).await?;
        let incoming = Incoming { body, content_type, labels, note, idempotency_key };
        let receipt = self.0.intake.accept(source, incoming).await.map_err(refusal)?;
        Ok(Accepted {
            event_id: receipt.event.to_string(),
            kind: wire::kind(receipt.kind),
            deliveries: u32::try_from(receipt.deliveries).unwrap_or(u32::MAX),
            repeated: receipt.repeated,
        })
    }

    async fn events(
        &self,
        filter: events::EventFilter,
        page: page::PageRequest,
    ) -> Result<page::Page<events::Event>, ReadError> {
        let filter = wire::event_filter(filter).map_err(no_such_kind)?;
        let found = self.0.store.events(filter, page_request(page)?).await.map_err(unreadable)?;
        Ok(page_of(found, |record| wire::event(record, wire::Depth::Listed)))
    }

    async fn event(&self, id: &str) -> Result<Option<events::Event>, ReadError> {
        let Ok(id) = id.parse::<EventId>() else { return Ok(None) };
        let found = self.0.store.event(id).await.map_err(unreadable)?;
        Ok(found.map(|record| wire::event(record, wire::Depth::Whole)))
    }

    async fn event_body(&self, id: &str) -> Result<Option<events::EventBody>, ReadError> {
        let Ok(id) = id.parse::<EventId>() else { return Ok(None) };
        let Some(record) = self.0.store.event(id).await.map_err(unreadable)? else { return Ok(None) };
        let body = self.0.store.body(id).await.map_err(body_unreadable)?;
        Ok(body.map(|body| events::EventBody {
            content_type: record.event.content_type,
            bytes: body.bytes(),
            body: download::body(body),
        }))
    }

    async fn deliveries(
        &self,
        filter: deliveries::DeliveryFilter,
        replay_id: Option<String>,
        page: page::PageRequest,
    ) -> Result<page::Page<deliveries::Delivery>, ReadError> {
        let Some(filter) = delivery_filter(filter, replay_id.as_deref())? else {
            return Ok(page::Page { items: Vec::new(), next: None });
        };
        let found = self.0.store.deliveries(filter, page_request(page)?).await.map_err(unreadable)?;
        Ok(page_of(found, |record| wire::delivery(record, None)))
    }

    async fn delivery(&self, id: &str) -> Result<Option<deliveries::Delivery>, ReadError> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let found = self.0.store.delivery(id).await.map_err(unreadable)?;
        Ok(found.map(|detail| wire::delivery(detail.delivery, Some(detail.attempts))))
    }

    async fn retry_delivery(
        &self,
        id: &str,
        by: &Caller,
    ) -> Result<Option<deliveries::Delivery>, ActionError> {
        self.retry(id, by).await
    }

    async fn cancel_delivery(
        &self,
        id: &str,
        by: &Caller,
    ) -> Result<Option<deliveries::Delivery>, ActionError> {
        self.cancel(id, by).await
    }

    async fn count_replay(&self, filter: deliveries::DeliveryFilter) -> Result<u64, ActionError> {
        self.count(filter).await
    }

    async fn begin_replay(
        &self,
        filter: deliveries::DeliveryFilter,
        per_second: Option<u32>,
        by: &Caller,
    ) -> Result<replays::Replay, ActionError> {
        self.begin(filter, per_second, by).await
    }

    async fn replays(&self, page: page::PageRequest) -> Result<page::Page<replays::Replay>, ReadError> {
        let found = self.0.store.replays(page_request(page)?).await.map_err(unreadable)?;
        Ok(page_of(found, wire::replay))
    }

    async fn replay(&self, id: &str) -> Result<Option<replays::Replay>, ReadError> {
        let Ok(id) = id.parse::<ReplayId>() else { return Ok(None) };
        let found = self.0.store.replay(id).await.map_err(unreadable)?;
        Ok(found.map(wire::replay_detail))
    }

    async fn cancel_replay(&self, id: &str, by: &Caller) -> Result<Option<replays::Replay>, ActionError> {
        self.end(id, by).await
    }

    async fn destinations(&self) -> Result<Vec<destinations::Destination>, ReadError> {
        self.described().await
    }

    async fn destination(&self, name: &str) -> Result<Option<destinations::Destination>, ReadError> {
        self.described_one(name).await
    }

    async fn pause_destination(
        &self,
        name: &str,
        by: &Caller,
    ) -> Result<Option<destinations::Destination>, ActionError> {
        self.pause(name, by).await
    }

    async fn resume_destination(
        &self,
        name: &str,
        by: &Caller,
    ) -> Result<Option<destinations::Destination>, ActionError> {
        self.resume(name, by).await
    }

    async fn reload_destination(
        &self,
        name: &str,
        by: &Caller,
    ) -> Result<Option<destinations::Destination>, ActionError> {
        self.renew_destination(name, by).await
    }

    async fn reload_configuration(&self, by: &Caller) -> Result<Reload, ActionError> {
        self.renew(by).await
    }

    fn configuration(&self) -> Configuration {
        self.in_force()
    }

    async fn actions(
        &self,
        destination: &str,
    ) -> Result<Option<Vec<postroom_openapi::actions::Action>>, ReadError> {
        Ok(self.actions_of(destination))
    }

    async fn run_action(
        &self,
        destination: &str,
        run: NewRun,
        by: &Caller,
    ) -> Result<Option<Map<String, Value>>, RunError> {
        self.run(destination, run, by).await
    }

    async fn plugins(&self) -> Result<PluginList, ReadError> {
        self.installed().await
    }

    async fn readiness(&self) -> Readiness {
        let mut reasons = Vec::new();
        if !self.0.store_health.is_well(&*self.0.store).await {
            reasons.push("the store cannot be written".to_owned());
        }
        if !self.0.engine.is_running() {
            reasons.push("the dispatcher has stopped".to_owned());
        }
        if reasons.is_empty() { Readiness::Ready } else { Readiness::NotReady { reasons } }
    }

    async fn metrics(&self) -> String {
        let loads = self.0.engine.loads().await;
        let waiting = match self.0.store.waiting_counts().await {
            Ok(waiting) => Some(waiting),
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "waiting deliveries could not be counted for the metrics");
                None
            }
        };
        let _turn = self.0.monitor_metrics.measure(&*self.0.store).await;
        self.0.metrics.render(&self.0.destinations.all(), &loads, waiting.as_deref())
    }

    fn observe(&self, seen: RequestSeen) {
        self.0.metrics.observe(seen);
    }
}

/// Deliveries that wait to be handed to the plugin of a destination, of those that the store says are not final. What is
/// being recorded counts as waiting until it is.
fn waiting_for(counts: &[WaitingCount], destination: &DestinationName, in_flight: u32) -> u64 {
    let count = counts.iter().find(|count| count.destination == *destination);
    count.map_or(0, |count| count.waiting.saturating_sub(in_flight.into()))
}

/// The filter of a list; `None` when nothing can match it: no event and no replay has an id that cannot be one.
fn delivery_filter(
    filter: deliveries::DeliveryFilter,
    replay_id: Option<&str>,
) -> Result<Option<store::DeliveryFilter>, ReadError> {
    let event = filter.event_id.as_deref().map(str::parse::<EventId>).transpose();
    let replay = replay_id.map(str::parse::<ReplayId>).transpose();
    let (Ok(event), Ok(replay)) = (event, replay) else { return Ok(None) };
    wire::delivery_filter(filter, event, replay).map(Some).map_err(no_such_kind)
}

fn page_request(page: page::PageRequest) -> Result<store::PageRequest, ReadError> {
    let before = page.after.map(|key| key.parse::<i64>()).transpose().map_err(|_| {
        ReadError::BadParameter { name: "cursor", reason: "not a cursor of this list".to_owned() }
    })?;
    Ok(store::PageRequest { before, limit: usize::try_from(page.limit).unwrap_or(usize::MAX) })
}

fn page_of<T, U>(found: store::Page<T>, convert: impl Fn(T) -> U) -> page::Page<U> {
    page::Page {
        items: found.items.into_iter().map(convert).collect(),
        next: found.next.map(|number| number.to_string()),
    }
}
