//! Everything that is measured, in the Prometheus text format.

mod monitors;
mod processes;

use std::collections::BTreeMap;

use postroom_core::{id::DestinationName, lane::GateState};
use postroom_engine::DestinationLoad;
use postroom_openapi::port::RequestSeen;
use postroom_store::WaitingCount;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

pub(crate) use self::monitors::MonitorMetrics;
use self::processes::ProcessMetrics;
use super::DestinationInfo;
use crate::plugin_metrics::PluginSeries;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    operation: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DestinationLabels {
    destination: String,
}

/// From a cached read to a slow upload.
const REQUEST_SECONDS: [f64; 9] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 10.0];

/// The gateway's metrics.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<OperationLabels, Histogram, fn() -> Histogram>,
    waiting: Family<DestinationLabels, Gauge>,
    in_flight: Family<DestinationLabels, Gauge>,
    ready: Family<DestinationLabels, Gauge>,
    processes: ProcessMetrics,
}

impl Metrics {
    pub(crate) fn new(
        engine: &postroom_engine::Metrics,
        plugins: &PluginSeries,
        monitors: &MonitorMetrics,
    ) -> Self {
        let mut registry = Registry::with_prefix("postroom");
        engine.register(&mut registry);
        let requests = Family::<RequestLabels, Counter>::default();
        let request_seconds =
            Family::<OperationLabels, Histogram, fn() -> Histogram>::new_with_constructor(|| {
                Histogram::new(REQUEST_SECONDS)
            });
        let waiting = Family::<DestinationLabels, Gauge>::default();
        let in_flight = Family::<DestinationLabels, Gauge>::default();
        let ready = Family::<DestinationLabels, Gauge>::default();
        registry.register("http_requests", "HTTP requests by operation and status", requests.clone());
        registry.register(
            "http_request_seconds",
            "How long an answer took, in seconds",
            request_seconds.clone(),
        );
        registry.register(
            "deliveries_waiting",
            "Deliveries that wait to be handed to the plugin; those in flight are not among them",
            waiting.clone(),
        );
        registry.register("deliveries_in_flight", "Deliveries that a plugin has now", in_flight.clone());
        registry.register(
            "destination_ready",
            "1 while a destination takes deliveries, 0 while it starts, backs off, is refused or paused, \
             fails again and again or is out of its schedule",
            ready.clone(),
        );
        let processes = ProcessMetrics::register(&mut registry);
        monitors.register(&mut registry);
        registry.register_collector(Box::new(plugins.clone()));
        Self { registry, requests, request_seconds, waiting, in_flight, ready, processes }
    }

    pub(crate) fn observe(&self, seen: RequestSeen) {
        let RequestSeen { operation, status, duration } = seen;
        self.requests.get_or_create(&RequestLabels { operation, status }).inc();
        self.request_seconds.get_or_create(&OperationLabels { operation }).observe(duration.as_secs_f64());
    }

    pub(crate) fn render(
        &self,
        destinations: &[DestinationInfo],
        loads: &BTreeMap<DestinationName, DestinationLoad>,
        waiting: Option<&[WaitingCount]>,
    ) -> String {
        self.processes.measure(destinations);
        for info in destinations {
            let labels = DestinationLabels { destination: info.name.to_string() };
            let started = matches!(*info.status.borrow(), postroom_host::Status::Ready { .. });
            let open = loads.get(&info.name).is_none_or(|load| load.gate == GateState::Open);
            self.ready.get_or_create(&labels).set(i64::from(started && open));
        }
        for (name, load) in loads {
            let labels = DestinationLabels { destination: name.to_string() };
            // What could not be counted keeps its last number: a zero would read as all clear.
            if let Some(waiting) = waiting {
                let waits = super::waiting_for(waiting, name, load.in_flight);
                self.waiting.get_or_create(&labels).set(i64::try_from(waits).unwrap_or(i64::MAX));
            }
            self.in_flight.get_or_create(&labels).set(load.in_flight.into());
        }
        let mut rendered = String::new();
        text::encode(&mut rendered, &self.registry).expect("writing into a String does not fail");
        rendered
    }
}

#[cfg(test)]
mod tests;
