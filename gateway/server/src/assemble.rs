//! From a checked configuration to the parts of a gateway.

use std::sync::Arc;

use postroom_core::{
    lane::{Backlog, LaneSettings},
    limits,
};
use postroom_engine::{self as engine, Clock};
use postroom_host::{Backoff, Instance, InstanceConfig, MemoryState, Program};
use postroom_store::{StateBounds, Store};

use crate::{
    api::DestinationInfo,
    config::{self, Config, resolve::Resolved},
    plugin_state::StoredState,
};

/// A started plugin with what the engine and the API need to know of it.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) instance: Instance,
    pub(crate) engine: engine::Destination,
    pub(crate) info: DestinationInfo,
}

pub(crate) fn sources(config: &Config) -> engine::Sources {
    engine::Sources::new(config.sources.iter().map(|source| {
        let made = engine::Source::new(source.name.clone(), &source.tokens, source.body_bytes_max)
            .with_labels(source.labels.clone());
        match source.requests_per_second {
            Some(requests) => made.with_requests_per_second(requests),
            None => made,
        }
    }))
}

pub(crate) fn retention(config: &Config) -> engine::Retention {
    let config::Retention { events, dead_letters, size_bytes, idempotency_keys, replays } = config.retention;
    engine::Retention { events, dead_letters, size_bytes, marks: idempotency_keys, replays }
}

/// What the plugin of a destination is run with. What it keeps lasts as long as the instance.
pub(crate) fn instance_config(resolved: &Resolved) -> InstanceConfig {
    let Resolved { destination, plugin } = resolved;
    InstanceConfig {
        destination: destination.name.clone(),
        plugin: plugin.clone(),
        config: destination.config.json.clone(),
        secrets: destination.config.secrets.clone(),
        state: Some(Arc::new(MemoryState::default())),
        program: Program::ThisProcess,
        sandbox: destination.sandbox.clone(),
        concurrency: destination.concurrency.unwrap_or(limits::CONCURRENCY),
        backoff: Backoff::default(),
    }
}

/// Starts the plugin of a destination in a child process. What it keeps goes to `store`.
pub(crate) fn start(resolved: Resolved, store: &Arc<dyn Store>, clock: &Clock) -> Started {
    let bounds = StateBounds {
        keys_max: resolved.destination.state.keys_max.into(),
        bytes_max: resolved.destination.state.bytes_max,
    };
    let name = resolved.destination.name.clone();
    let state = StoredState::new(Arc::clone(store), name, bounds, clock.clone());
    let config = InstanceConfig { state: Some(Arc::new(state)), ..instance_config(&resolved) };
    let concurrency = config.plugin.manifest.concurrency_within(config.concurrency);
    let instance = Instance::start(config);
    let Resolved { destination, plugin } = resolved;
    let engine = engine::Destination {
        name: destination.name.clone(),
        lanes: LaneSettings {
            concurrency,
            backlog: destination.backlog.unwrap_or(Backlog::Keep),
            starts_per_second: destination.deliveries_per_second,
        },
        schedule: destination.schedule,
        retry: destination.retry,
        attempt_max: destination.attempt_max,
        deliver: Arc::new(instance.clone()),
    };
    let info = DestinationInfo {
        name: destination.name,
        plugin: plugin.manifest.id,
        plugin_version: plugin.manifest.version,
        sandbox_mode: destination.sandbox.mode,
        status: instance.status(),
    };
    Started { instance, engine, info }
}
