//! The yardstick: the gateway's own accept loop, threads and HTTP contract, around a gateway that keeps nothing.

mod access;
mod monitors;
mod setup;
mod stream;

use std::{
    net::{IpAddr, TcpListener},
    time::Duration,
};

use bytes::Bytes;
use postroom::serve::Limits;
use postroom_openapi::{
    actions::Action,
    auth::{Caller, Credential},
    deliveries::{Delivery, DeliveryFilter},
    destinations::Destination,
    events::{Event, EventBody, EventFilter, Kind},
    hooks::Accepted,
    page::{Page, PageRequest},
    plugins::PluginList,
    port::{
        ActionError, Admission, Gateway, Hook, HookRefusal, NewRun, ReadError, Readiness, RequestSeen,
        RunError, Upload,
    },
    reload::{Configuration, Reload},
    replays::Replay,
};
use serde_json::{Map, Value};

/// As much as the gateway lets bodies take.
const BODIES_IN_MEMORY_BYTES_MAX: usize = 512 << 20;

/// Serves on `listener` for ever.
pub(crate) fn serve(listener: &TcpListener) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    listener.set_nonblocking(true)?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener.try_clone()?)?;
        let endpoint = postroom_openapi::endpoint(Noop, BODIES_IN_MEMORY_BYTES_MAX);
        postroom::serve::serve(listener, endpoint, Limits::default(), std::future::pending()).await;
        Ok(())
    })
}

/// Lets everybody in and answers every hook like a gateway with one destination. It has nothing to show.
#[derive(Debug, Clone)]
struct Noop;

/// Drops what is written.
struct Nowhere;

impl Upload for Nowhere {
    async fn write(&mut self, _: Bytes) -> Result<(), HookRefusal> {
        Ok(())
    }
}

impl Gateway for Noop {
    type Source = ();
    type Upload = Nowhere;

    async fn admit(
        &self,
        _: &str,
        _: Option<&Credential>,
        _: Option<IpAddr>,
    ) -> Result<Admission<()>, HookRefusal> {
        Ok(Admission {
            source: (),
            body_bytes_max: 64 << 20,
            body_in_memory_bytes_max: 256 << 10,
            body_read_max: Duration::from_secs(60),
            labels_max: 16,
            label_bytes_max: 256,
            idempotency_key_bytes_max: 256,
        })
    }

    fn refused(&self, (): &(), _: &str) {}

    async fn begin_upload(&self) -> Result<Nowhere, HookRefusal> {
        Ok(Nowhere)
    }

    async fn accept(&self, (): (), _: Hook<Nowhere>) -> Result<Accepted, HookRefusal> {
        Ok(Accepted {
            event_id: "01890000-0000-7000-8000-000000000000".to_owned(),
            kind: Kind::MonitorRun,
            deliveries: 1,
            repeated: false,
        })
    }

    async fn events(&self, _: EventFilter, _: PageRequest) -> Result<Page<Event>, ReadError> {
        Ok(empty())
    }

    async fn event(&self, _: &str) -> Result<Option<Event>, ReadError> {
        Ok(None)
    }

    async fn event_body(&self, _: &str) -> Result<Option<EventBody>, ReadError> {
        Ok(None)
    }

    async fn deliveries(
        &self,
        _: DeliveryFilter,
        _: Option<String>,
        _: PageRequest,
    ) -> Result<Page<Delivery>, ReadError> {
        Ok(empty())
    }

    async fn delivery(&self, _: &str) -> Result<Option<Delivery>, ReadError> {
        Ok(None)
    }

    async fn retry_delivery(&self, _: &str, _: &Caller) -> Result<Option<Delivery>, ActionError> {
        Ok(None)
    }

    async fn cancel_delivery(&self, _: &str, _: &Caller) -> Result<Option<Delivery>, ActionError> {
        Ok(None)
    }

    async fn count_replay(&self, _: DeliveryFilter) -> Result<u64, ActionError> {
        Ok(0)
    }

    async fn begin_replay(
        &self,
        _: DeliveryFilter,
        _: Option<u32>,
        _: &Caller,
    ) -> Result<Replay, ActionError> {
        Err(ActionError::Conflict { reason: "nothing is kept here".to_owned() })
    }

    async fn replays(&self, _: PageRequest) -> Result<Page<Replay>, ReadError> {
        Ok(empty())
    }

    async fn replay(&self, _: &str) -> Result<Option<Replay>, ReadError> {
        Ok(None)
    }

    async fn cancel_replay(&self, _: &str, _: &Caller) -> Result<Option<Replay>, ActionError> {
        Ok(None)
    }

    async fn actions(&self, _: &str) -> Result<Option<Vec<Action>>, ReadError> {
        Ok(None)
    }

    async fn run_action(
        &self,
        _: &str,
        _: NewRun,
        _: &Caller,
    ) -> Result<Option<Map<String, Value>>, RunError> {
        Ok(None)
    }

    async fn plugins(&self) -> Result<PluginList, ReadError> {
        Ok(PluginList { items: Vec::new(), rejected: Vec::new(), folders: Vec::new() })
    }

    async fn destinations(&self) -> Result<Vec<Destination>, ReadError> {
        Ok(Vec::new())
    }

    async fn destination(&self, _: &str) -> Result<Option<Destination>, ReadError> {
        Ok(None)
    }

    async fn pause_destination(&self, _: &str, _: &Caller) -> Result<Option<Destination>, ActionError> {
        Ok(None)
    }

    async fn resume_destination(&self, _: &str, _: &Caller) -> Result<Option<Destination>, ActionError> {
        Ok(None)
    }

    async fn reload_destination(&self, _: &str, _: &Caller) -> Result<Option<Destination>, ActionError> {
        Ok(None)
    }

    async fn reload_configuration(&self, _: &Caller) -> Result<Reload, ActionError> {
        Err(ActionError::Unavailable { reason: "it has none".to_owned() })
    }

    fn configuration(&self) -> Configuration {
        Configuration { generation: 1, fingerprint: String::new() }
    }

    async fn readiness(&self) -> Readiness {
        Readiness::Ready
    }

    async fn metrics(&self) -> String {
        String::new()
    }

    fn observe(&self, _: RequestSeen) {}
}

fn empty<T>() -> Page<T> {
    Page { items: Vec::new(), next: None }
}
