//! From the domain's types to the contract's, and back for what a request can say.

mod delivery;
mod destination;
mod event;
mod monitor;
mod replay;
mod setup;

use postroom_core::{
    delivery::DeliveryState,
    event::{Kind, MadeKind, UnknownName},
    time::Timestamp,
};
use postroom_openapi::{deliveries, events, time};

pub(super) use self::{
    delivery::delivery,
    destination::destination,
    event::{Depth, event, event_filter, route_result, verdict},
    monitor::{bucket, forgotten, incident, incident_filter, monitor, monitor_filter, resolution, run, slo},
    replay::{delivery_filter, replay, replay_detail},
    setup::{dead_letters, route},
};

pub(super) fn moment(at: Timestamp) -> time::Timestamp {
    time::Timestamp::from_unix_ms(at.as_unix_ms())
}

pub(super) fn instant(at: time::Timestamp) -> Timestamp {
    Timestamp::from_unix_ms(at.as_unix_ms())
}

pub(super) fn kind(kind: Kind) -> events::Kind {
    match kind {
        Kind::MonitorRun => events::Kind::MonitorRun,
        Kind::CollectionBackup => events::Kind::CollectionBackup,
        Kind::Activity => events::Kind::Activity,
        Kind::Unrecognized => events::Kind::Unrecognized,
        Kind::Made(MadeKind::IncidentOpened) => events::Kind::IncidentOpened,
        Kind::Made(MadeKind::IncidentReminder) => events::Kind::IncidentReminder,
        Kind::Made(MadeKind::IncidentResolved) => events::Kind::IncidentResolved,
        Kind::Made(MadeKind::MonitorSilent) => events::Kind::MonitorSilent,
        Kind::Made(MadeKind::MonitorResumed) => events::Kind::MonitorResumed,
        Kind::Made(MadeKind::BackupOverdue) => events::Kind::BackupOverdue,
        Kind::Emitted(name) => events::Kind::Emitted(name.to_string()),
    }
}

/// Fails for a name that no event can have.
pub(super) fn kind_from(kind: &events::Kind) -> Result<Kind, UnknownName> {
    kind.as_str().parse()
}

pub(super) fn state(state: DeliveryState) -> deliveries::DeliveryState {
    use deliveries::DeliveryState as Wire;
    match state {
        DeliveryState::Pending => Wire::Pending,
        DeliveryState::Retrying => Wire::Retrying,
        DeliveryState::Delivered => Wire::Delivered,
        DeliveryState::Skipped => Wire::Skipped,
        DeliveryState::Superseded => Wire::Superseded,
        DeliveryState::Dead => Wire::Dead,
        DeliveryState::Cancelled => Wire::Cancelled,
    }
}

pub(super) fn state_from(state: deliveries::DeliveryState) -> DeliveryState {
    use deliveries::DeliveryState as Wire;
    match state {
        Wire::Pending => DeliveryState::Pending,
        Wire::Retrying => DeliveryState::Retrying,
        Wire::Delivered => DeliveryState::Delivered,
        Wire::Skipped => DeliveryState::Skipped,
        Wire::Superseded => DeliveryState::Superseded,
        Wire::Dead => DeliveryState::Dead,
        Wire::Cancelled => DeliveryState::Cancelled,
    }
}

#[cfg(test)]
mod tests;
