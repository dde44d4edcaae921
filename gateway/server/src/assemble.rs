//! From a checked configuration to the parts of a gateway.

use std::sync::Arc;

use postroom_core::{
    lane::{Backlog, LaneSettings},
    limits,
};
use postroom_engine as engine;
use postroom_host::{Backoff, Instance, InstanceConfig, Program};

use crate::{
    api::DestinationInfo,
    config::{self, Config, resolve::Resolved},
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

/// Starts the plugin of a destination in a child process.
pub(crate) fn start(resolved: Resolved) -> Started {
    let Resolved { destination, plugin } = resolved;
    let allowed = destination.concurrency.unwrap_or(limits::CONCURRENCY);
    let concurrency = plugin.manifest.concurrency_within(allowed);
    let (id, version) = (plugin.manifest.id.clone(), plugin.manifest.version.clone());
    let instance = Instance::start(InstanceConfig {
        destination: destination.name.clone(),
        plugin,
        config: destination.config.json,
        secrets: destination.config.secrets,
        program: Program::ThisProcess,
        concurrency: allowed,
        backoff: Backoff::default(),
    });
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
        plugin: id,
        plugin_version: version,
        status: instance.status(),
    };
    Started { instance, engine, info }
}
