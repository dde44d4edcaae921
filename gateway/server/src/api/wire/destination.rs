//! Destinations and how they do.

use postroom_core::lane::GateState;
use postroom_engine::DestinationLoad;
use postroom_host::Status;
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

fn gate(gate: GateState) -> destinations::Gate {
    match gate {
        GateState::Open => destinations::Gate::Open,
        GateState::Held => destinations::Gate::Held,
        GateState::Closed => destinations::Gate::Closed,
        GateState::Paused => destinations::Gate::Paused,
        GateState::Breaker => destinations::Gate::Breaker,
    }
}
