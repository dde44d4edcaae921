//! What is measured of each plugin's process, at the moment somebody looks.

use std::sync::atomic::AtomicU64;

use postroom_host::{Footprint, Status};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use super::DestinationLabels;
use crate::api::DestinationInfo;

/// The metrics of plugin processes, by destination.
#[derive(Debug, Default)]
pub(super) struct ProcessMetrics {
    up: Family<DestinationLabels, Gauge>,
    restarts: Family<DestinationLabels, Counter>,
    resident: Family<DestinationLabels, Gauge>,
    cpu: Family<DestinationLabels, Counter<f64, AtomicU64>>,
    faults: Family<FaultLabels, Counter>,
}

/// A rule that a plugin can break without harm to others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FaultLabels {
    destination: String,
    rule: &'static str,
}

impl ProcessMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "plugin_up",
            "1 while the plugin of a destination runs, 0 while it starts, backs off or is refused",
            metrics.up.clone(),
        );
        registry.register(
            "plugin_restarts",
            "Starts of a destination's plugin after a failure",
            metrics.restarts.clone(),
        );
        registry.register_with_unit(
            "plugin_resident",
            "Memory that the process of a destination's plugin has now, also of files",
            Unit::Bytes,
            metrics.resident.clone(),
        );
        registry.register_with_unit(
            "plugin_cpu",
            "Processor time of the process of a destination's plugin; begins anew with each process",
            Unit::Seconds,
            metrics.cpu.clone(),
        );
        registry.register(
            "plugin_faults",
            "Calls of a destination's plugin against its contract; begins anew with each process",
            metrics.faults.clone(),
        );
        metrics
    }

    /// Takes the figures of all destinations. A process that is gone has none.
    pub(super) fn measure(&self, destinations: &[DestinationInfo]) {
        self.resident.clear();
        self.cpu.clear();
        self.faults.clear();
        for info in destinations {
            let labels = DestinationLabels { destination: info.name.to_string() };
            let status = info.status.borrow().clone();
            if let Status::Ready { restarts, .. } | Status::Backoff { restarts, .. } = &status {
                let counter = self.restarts.get_or_create(&labels);
                counter.inc_by(u64::from(*restarts).saturating_sub(counter.get()));
            }
            if let Status::Ready { faults, .. } = &status {
                for (rule, count) in faults.counts() {
                    let labels = FaultLabels { destination: info.name.to_string(), rule };
                    self.faults.get_or_create(&labels).inc_by(count);
                }
            }
            let pid = if let Status::Ready { pid, .. } = &status { Some(*pid) } else { None };
            self.up.get_or_create(&labels).set(pid.is_some().into());
            if let Some(Footprint { resident_bytes, cpu }) = pid.and_then(Footprint::of) {
                let resident = i64::try_from(resident_bytes).unwrap_or(i64::MAX);
                self.resident.get_or_create(&labels).set(resident);
                self.cpu.get_or_create(&labels).inc_by(cpu.as_secs_f64());
            }
        }
    }
}

#[cfg(test)]
mod tests;
