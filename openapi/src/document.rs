//! The OpenAPI document: what the operations say about themselves, put right.

mod access;

use std::{collections::HashMap, net::IpAddr};

use bytes::Bytes;
use poem::{endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    ContactObject, LicenseObject, OpenApi, OpenApiService,
    registry::{MetaApi, Registry},
};
use serde_json::{Map, Value};

use crate::{
    actions::Action,
    auth::{Caller, Credential},
    deliveries::{Delivery, DeliveryFilter},
    destinations::Destination,
    endpoint::Apis,
    events::{Event, EventBody, EventFilter},
    examples,
    finalize::finalize,
    hooks::Accepted,
    incidents::{Incident, IncidentFilter},
    monitors::{
        BucketRequest, ForgottenMonitor, Monitor, MonitorFilter, MonitorRun, MuteUntil, RunRange, RunStream,
        RunSums,
    },
    page::{Page, PageRequest},
    plugins::PluginList,
    port::{
        ActionError, Admission, Gateway, Hook, HookRefusal, Monitors, NewRun, ReadError, Readiness,
        RequestSeen, RunError, Upload,
    },
    reload::{Configuration, Reload},
    replays::Replay,
    webhooks,
};

mod stream;

const DESCRIPTION: &str = "\
Postroom receives every webhook that Postman can send, keeps it, and delivers it to plugins.

Errors are problem details (RFC 9457): `code` is stable and meant for programs, `detail` for people. \
Lists are paged: pass `next_cursor` as `cursor` until it is absent. \
A string with `x-extensible-enum` has these values today; a client must accept others. \
Optional fields are absent, never null. \
Answers in JSON to what only reads have an `ETag`; with `If-None-Match` they are sent only when they have changed, \
and otherwise answered 304.";

/// Gives the finished OpenAPI 3.0.3 document. It needs no gateway and is the same in every installation.
///
/// # Panics
/// Never on a released build: the document depends on nothing but the code, and a test makes it.
#[must_use]
pub fn document() -> Value {
    let raw = OpenApiService::new(Contract, "Postroom", env!("CARGO_PKG_VERSION"))
        .description(DESCRIPTION)
        .contact(ContactObject::new().name("Postroom"))
        .license(LicenseObject::new(env!("CARGO_PKG_LICENSE")))
        .server("/")
        .spec();
    let mut document = finalize(serde_json::from_str(&raw).expect("poem-openapi writes JSON"));
    webhooks::add(&mut document);
    examples::add(&mut document);
    document
}

/// The document as text, the way it is committed and served.
pub(crate) fn text() -> String {
    format!("{:#}\n", document())
}

/// The operations without anything behind them.
struct Contract;

impl OpenApi for Contract {
    fn meta() -> Vec<MetaApi> {
        Apis::<NoGateway>::meta()
    }

    fn register(registry: &mut Registry) {
        Apis::<NoGateway>::register(registry);
    }

    fn add_routes(self, _: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}

/// A gateway that cannot exist. The operations are generic over their gateway, and their description needs some type
/// for it; this one proves that nothing is ever called.
#[derive(Clone)]
pub(crate) enum NoGateway {}

impl Gateway for NoGateway {
    type Source = Self;
    type Upload = Self;

    async fn admit(
        &self,
        _: &str,
        _: Option<&Credential>,
        _: Option<IpAddr>,
    ) -> Result<Admission<Self>, HookRefusal> {
        match *self {}
    }

    fn refused(&self, _: &Self, _: &str) {
        match *self {}
    }

    async fn begin_upload(&self) -> Result<Self, HookRefusal> {
        match *self {}
    }

    async fn accept(&self, _: Self, _: Hook<Self>) -> Result<Accepted, HookRefusal> {
        match *self {}
    }

    async fn events(&self, _: EventFilter, _: PageRequest) -> Result<Page<Event>, ReadError> {
        match *self {}
    }

    async fn event(&self, _: &str) -> Result<Option<Event>, ReadError> {
        match *self {}
    }

    async fn event_body(&self, _: &str) -> Result<Option<EventBody>, ReadError> {
        match *self {}
    }

    async fn deliveries(
        &self,
        _: DeliveryFilter,
        _: Option<String>,
        _: PageRequest,
    ) -> Result<Page<Delivery>, ReadError> {
        match *self {}
    }

    async fn delivery(&self, _: &str) -> Result<Option<Delivery>, ReadError> {
        match *self {}
    }

    async fn retry_delivery(&self, _: &str, _: &Caller) -> Result<Option<Delivery>, ActionError> {
        match *self {}
    }

    async fn cancel_delivery(&self, _: &str, _: &Caller) -> Result<Option<Delivery>, ActionError> {
        match *self {}
    }

    async fn count_replay(&self, _: DeliveryFilter) -> Result<u64, ActionError> {
        match *self {}
    }

    async fn begin_replay(
        &self,
        _: DeliveryFilter,
        _: Option<u32>,
        _: &Caller,
    ) -> Result<Replay, ActionError> {
        match *self {}
    }

    async fn replays(&self, _: PageRequest) -> Result<Page<Replay>, ReadError> {
        match *self {}
    }

    async fn replay(&self, _: &str) -> Result<Option<Replay>, ReadError> {
        match *self {}
    }

    async fn cancel_replay(&self, _: &str, _: &Caller) -> Result<Option<Replay>, ActionError> {
        match *self {}
    }

    async fn destinations(&self) -> Result<Vec<Destination>, ReadError> {
        match *self {}
    }

    async fn destination(&self, _: &str) -> Result<Option<Destination>, ReadError> {
        match *self {}
    }

    async fn pause_destination(&self, _: &str, _: &Caller) -> Result<Option<Destination>, ActionError> {
        match *self {}
    }

    async fn resume_destination(&self, _: &str, _: &Caller) -> Result<Option<Destination>, ActionError> {
        match *self {}
    }

    async fn actions(&self, _: &str) -> Result<Option<Vec<Action>>, ReadError> {
        match *self {}
    }

    async fn run_action(
        &self,
        _: &str,
        _: NewRun,
        _: &Caller,
    ) -> Result<Option<Map<String, Value>>, RunError> {
        match *self {}
    }

    async fn plugins(&self) -> Result<PluginList, ReadError> {
        match *self {}
    }

    async fn reload_destination(&self, _: &str, _: &Caller) -> Result<Option<Destination>, ActionError> {
        match *self {}
    }

    async fn reload_configuration(&self, _: &Caller) -> Result<Reload, ActionError> {
        match *self {}
    }

    fn configuration(&self) -> Configuration {
        match *self {}
    }

    async fn readiness(&self) -> Readiness {
        match *self {}
    }

    async fn metrics(&self) -> String {
        match *self {}
    }

    fn observe(&self, _: RequestSeen) {
        match *self {}
    }
}

impl Monitors for NoGateway {
    async fn monitors(&self, _: MonitorFilter, _: PageRequest) -> Result<Page<Monitor>, ReadError> {
        match *self {}
    }

    async fn monitor(&self, _: &str) -> Result<Option<Monitor>, ReadError> {
        match *self {}
    }

    async fn monitor_runs(
        &self,
        _: &str,
        _: RunRange,
        _: PageRequest,
    ) -> Result<Option<Page<MonitorRun>>, ReadError> {
        match *self {}
    }

    async fn run_buckets(&self, _: &str, _: BucketRequest) -> Result<Option<RunSums>, ReadError> {
        match *self {}
    }

    async fn run_stream(&self, _: &str, _: RunRange) -> Result<Option<RunStream>, ReadError> {
        match *self {}
    }

    async fn mute_monitor(
        &self,
        _: &str,
        _: MuteUntil,
        _: Option<String>,
        _: &Caller,
    ) -> Result<Option<Monitor>, ActionError> {
        match *self {}
    }

    async fn unmute_monitor(&self, _: &str, _: &Caller) -> Result<Option<Monitor>, ActionError> {
        match *self {}
    }

    async fn forget_monitor(&self, _: &str, _: &Caller) -> Result<Option<ForgottenMonitor>, ActionError> {
        match *self {}
    }

    async fn incidents(&self, _: IncidentFilter, _: PageRequest) -> Result<Page<Incident>, ReadError> {
        match *self {}
    }

    async fn incident(&self, _: &str) -> Result<Option<Incident>, ReadError> {
        match *self {}
    }
}

impl Upload for NoGateway {
    async fn write(&mut self, _: Bytes) -> Result<(), HookRefusal> {
        match *self {}
    }
}

mod follow;
mod setup;
#[cfg(test)]
mod tests;
