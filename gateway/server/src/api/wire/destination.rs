//! Destinations and how they do.

use postroom_core::lane::GateState;
use postroom_engine::DestinationLoad;
use postroom_host::{HealthState, Layer, SandboxMode, Status, Usage};
use postroom_openapi::destinations;

use super::moment;
use crate::api::DestinationInfo;

pub(in crate::api) fn destination(
    info: &DestinationInfo,
    load: DestinationLoad,
    waiting: u64,
) -> destinations::Destination {
    let (mut state, mut detail) = status(&info.status.borrow());
    if state == destinations::DestinationState::Ready {
        if load.gate != GateState::Open {
            state = destinations::DestinationState::Paused;
        }
        detail = load.trouble.map(|trouble| match load.gate {
            GateState::Paused => trouble.reason,
            _ => format!("failing since {}: {}", moment(trouble.since), trouble.reason),
        });
    }
    destinations::Destination {
        name: info.name.to_string(),
        plugin: info.plugin.clone(),
        plugin_version: Some(info.plugin_version.clone()),
        sandbox: sandbox(info.sandbox_mode, &info.status.borrow()),
        process: process(&info.status.borrow()),
        health: health(&info.status.borrow()),
        backoff: backoff(&info.status.borrow()),
        state,
        detail,
        gate: gate(load.gate),
        paused_until: load.paused_until.map(moment),
        paused_since: load.paused_by.as_ref().map(|pause| moment(pause.at)),
        paused_by: load.paused_by.map(|pause| pause.by),
        in_flight: load.in_flight.into(),
        waiting,
        behind: load.behind,
    }
}

fn status(status: &Status) -> (destinations::DestinationState, Option<String>) {
    use destinations::DestinationState;
    match status {
        Status::Starting => (DestinationState::Starting, None),
        Status::Ready { .. } => (DestinationState::Ready, None),
        Status::Backoff { last_error, .. } => (DestinationState::BackingOff, Some(last_error.clone())),
        Status::Refused { reason } => (DestinationState::Refused, Some(reason.clone())),
        Status::Stopped => (DestinationState::Stopped, None),
    }
}

fn sandbox(mode: SandboxMode, status: &Status) -> Option<destinations::Sandbox> {
    let Status::Ready { sandbox, .. } = status else { return None };
    let missing = sandbox.missing().map(|(layer, reason)| destinations::MissingLayer {
        layer: layer.as_str().to_owned(),
        reason: reason.to_owned(),
    });
    Some(destinations::Sandbox {
        mode: match mode {
            SandboxMode::Required => destinations::SandboxMode::Required,
            SandboxMode::BestEffort => destinations::SandboxMode::BestEffort,
            SandboxMode::Off => destinations::SandboxMode::Off,
        },
        active: sandbox.active().map(Layer::as_str).map(str::to_owned).collect(),
        missing: missing.collect(),
    })
}

fn process(status: &Status) -> Option<destinations::PluginProcess> {
    let Status::Ready { pid, since, restarts, faults, .. } = status else { return None };
    let usage = Usage::of(*pid);
    Some(destinations::PluginProcess {
        pid: (*pid).into(),
        since: moment(*since),
        restarts: (*restarts).into(),
        memory_bytes: usage.map(|usage| usage.memory_bytes),
        threads: usage.map(|usage| usage.threads.into()),
        faults: destinations::PluginFaults { stale: faults.stale, slow: faults.slow },
    })
}

fn health(status: &Status) -> Option<destinations::PluginHealth> {
    let Status::Ready { health: Some(health), .. } = status else { return None };
    Some(destinations::PluginHealth {
        state: match health.state {
            HealthState::Ok => destinations::HealthState::Ok,
            HealthState::Unavailable => destinations::HealthState::Unavailable,
            HealthState::Misconfigured => destinations::HealthState::Misconfigured,
        },
        since: moment(health.since),
        detail: health.detail.clone().map(|detail| detail.into_iter().collect()),
    })
}

fn backoff(status: &Status) -> Option<destinations::Backoff> {
    let Status::Backoff { failures, restarts, last_error, next_start } = status else { return None };
    Some(destinations::Backoff {
        failures: (*failures).into(),
        restarts: (*restarts).into(),
        last_error: last_error.clone(),
        next_start: moment(*next_start),
    })
}

fn gate(gate: GateState) -> destinations::Gate {
    match gate {
        GateState::Open => destinations::Gate::Open,
        GateState::Held => destinations::Gate::Held,
        GateState::Closed => destinations::Gate::Closed,
        GateState::Paused => destinations::Gate::Paused,
        GateState::Breaker => destinations::Gate::Breaker,
    }
}
