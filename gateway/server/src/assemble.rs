//! From a checked configuration to the parts of a gateway.

use std::{path::PathBuf, sync::Arc};

use postroom_core::{
    chain::Chain,
    lane::{Backlog, LaneSettings},
    limits,
};
use postroom_engine::{self as engine, Clock, Intake};
use postroom_host::{
    Backoff, ForgottenEvents, Instance, InstanceConfig, MemoryState, PluginEmit, Program, Sandbox,
};
use postroom_store::{StateBounds, Store};

use crate::{
    api::DestinationInfo,
    config::{self, Config, Destination, resolve::Resolved},
    enrich::PostmanApi,
    plugin_emit::{EmitRates, RoutedEmit},
    plugin_metrics::PluginSeries,
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
    let config::Retention { events, dead_letters, size_bytes, idempotency_keys, replays, audit } =
        config.retention;
    let history = config.tracker.history;
    engine::Retention { events, dead_letters, size_bytes, marks: idempotency_keys, replays, history, audit }
}

/// What the tracker goes by. `kept` is whom it asks already, by the same settings: it may have been told to wait.
pub(crate) fn tracking(config: &Config, kept: Option<engine::Enrich>, clock: &Clock) -> engine::Tracking {
    let config::Tracker { enabled, rules, backups, enrich, .. } = &config.tracker;
    let enrich = enrich.as_ref().and_then(|enrich| kept.or_else(|| enrichment(enrich, clock)));
    engine::Tracking { enabled: *enabled, rules: rules.clone(), backups: backups.clone(), enrich }
}

/// Who knows what failed in a run. It is an extra: nothing stops without it.
fn enrichment(enrich: &config::Enrich, clock: &Clock) -> Option<engine::Enrich> {
    let config::Enrich { api_key, base_url, wait } = enrich;
    match PostmanApi::new(base_url, api_key, clock.clone()) {
        Ok(api) => Some(engine::Enrich { failures: Arc::new(api), wait: *wait }),
        Err(error) => {
            tracing::warn!(error = %Chain(&error), "Postman's API cannot be asked, incidents are told without what failed");
            None
        }
    }
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
        // Tried out, a plugin may make what it likes: nobody gets it.
        emit: Some(Arc::new(ForgottenEvents::default())),
        metrics: None,
        program: Program::ThisProcess,
        sandbox: destination.sandbox.clone(),
        concurrency: concurrency(destination),
        drain: destination.extend_max,
        backoff: Backoff::default(),
    }
}

/// What a gateway offers the plugins of its destinations.
#[derive(Debug, Clone)]
pub(crate) struct Offers {
    /// Keeps what they want to keep.
    pub(crate) store: Arc<dyn Store>,
    /// Takes the events that they make.
    pub(crate) intake: Arc<Intake>,
    /// How many of them they may make.
    pub(crate) emit_rates: EmitRates,
    /// Counts what they measure.
    pub(crate) series: PluginSeries,
    pub(crate) clock: Clock,
    /// What none of them may see: see [`Config::own_files`].
    pub(crate) own_files: Arc<[PathBuf]>,
}

impl Offers {
    /// Starts the plugin of a destination in a child process.
    pub(crate) fn start(&self, resolved: &Resolved) -> Started {
        let instance = Instance::start(self.instance_config(resolved));
        let (engine, info) = (engine_destination(resolved, &instance), info(resolved, &instance));
        Started { instance, engine, info }
    }

    /// What the plugin of a destination is run with.
    pub(crate) fn instance_config(&self, resolved: &Resolved) -> InstanceConfig {
        let Destination { name, state, emit, .. } = &resolved.destination;
        let bounds = StateBounds { keys_max: state.keys_max.into(), bytes_max: state.bytes_max };
        let state = StoredState::new(Arc::clone(&self.store), name.clone(), bounds, self.clock.clone());
        let emit = emit.then(|| {
            let (intake, rate) = (Arc::clone(&self.intake), self.emit_rates.of(name));
            let emit = RoutedEmit::new(intake, name.clone(), self.clock.clone(), rate);
            Arc::new(emit) as Arc<dyn PluginEmit>
        });
        let metrics = self.series.of(name.clone(), &resolved.plugin.manifest.id);
        let sandbox = Sandbox { own: self.own_files.to_vec(), ..resolved.destination.sandbox.clone() };
        InstanceConfig {
            sandbox,
            state: Some(Arc::new(state)),
            emit,
            metrics: Some(Arc::new(metrics)),
            ..instance_config(resolved)
        }
    }
}

/// A destination as the dispatcher runs it.
pub(crate) fn engine_destination(resolved: &Resolved, instance: &Instance) -> engine::Destination {
    let Resolved { destination, plugin } = resolved;
    engine::Destination {
        name: destination.name.clone(),
        lanes: LaneSettings {
            concurrency: plugin.manifest.concurrency_within(concurrency(destination)),
            backlog: destination.backlog.unwrap_or(Backlog::Keep),
            starts_per_second: destination.deliveries_per_second,
        },
        schedule: destination.schedule.clone(),
        retry: destination.retry.clone(),
        attempt_max: destination.attempt_max,
        extend_max: destination.extend_max,
        deliver: Arc::new(instance.clone()),
    }
}

/// A destination as the API describes it.
pub(crate) fn info(resolved: &Resolved, instance: &Instance) -> DestinationInfo {
    let Resolved { destination, plugin } = resolved;
    DestinationInfo {
        name: destination.name.clone(),
        plugin: plugin.manifest.id.clone(),
        plugin_version: plugin.manifest.version.clone(),
        sandbox_mode: destination.sandbox.mode,
        status: instance.status(),
        file: plugin.path.clone(),
        actions: plugin.manifest.actions.clone().into(),
        acts: Arc::new(instance.clone()),
    }
}

fn concurrency(destination: &Destination) -> u32 {
    destination.concurrency.unwrap_or(limits::CONCURRENCY)
}
