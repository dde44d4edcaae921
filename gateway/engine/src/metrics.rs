//! What the engine counts. Labels come from the configuration and from closed sets, never from what strangers send.

use postroom_core::{
    delivery::DeliveryState,
    event::Kind,
    id::{DestinationName, SourceName},
    outcome::OutcomeKind,
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    source: String,
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    destination: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FinishedLabels {
    destination: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DestinationLabels {
    destination: String,
}

/// The engine's counters; cheap to clone, all clones count together.
#[derive(Debug, Clone)]
pub struct Metrics {
    events: Family<EventLabels, Counter>,
    refused: Counter,
    attempts: Family<AttemptLabels, Counter>,
    attempt_seconds: Family<DestinationLabels, Histogram, fn() -> Histogram>,
    finished: Family<FinishedLabels, Counter>,
    record_failures: Counter,
}

/// From a local process to a slow API with its timeout.
const ATTEMPT_SECONDS: [f64; 10] = [0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

impl Default for Metrics {
    fn default() -> Self {
        Self {
            events: Family::default(),
            refused: Counter::default(),
            attempts: Family::default(),
            attempt_seconds: Family::new_with_constructor(|| Histogram::new(ATTEMPT_SECONDS)),
            finished: Family::default(),
            record_failures: Counter::default(),
        }
    }
}

impl Metrics {
    /// Adds the counters to `registry`, which has set the prefix `postroom`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("events", "Events accepted", self.events.clone());
        registry.register("events_refused_by_store", "Events the store could not take", self.refused.clone());
        registry.register("attempts", "Attempts of deliveries by outcome", self.attempts.clone());
        registry.register(
            "attempt_seconds",
            "How long an attempt took, in seconds",
            self.attempt_seconds.clone(),
        );
        registry.register(
            "deliveries_finished",
            "Deliveries that reached a final state",
            self.finished.clone(),
        );
        registry.register(
            "record_failures",
            "Times an outcome could not be stored and was tried again",
            self.record_failures.clone(),
        );
    }

    pub(crate) fn accepted(&self, source: &SourceName, kind: Kind) {
        self.events.get_or_create(&EventLabels { source: source.to_string(), kind: kind.as_str() }).inc();
    }

    pub(crate) fn refused_by_store(&self) {
        self.refused.inc();
    }

    pub(crate) fn attempted(&self, destination: &DestinationName, outcome: OutcomeKind, seconds: f64) {
        let destination = destination.to_string();
        self.attempt_seconds
            .get_or_create(&DestinationLabels { destination: destination.clone() })
            .observe(seconds);
        self.attempts.get_or_create(&AttemptLabels { destination, outcome: outcome.as_str() }).inc();
    }

    pub(crate) fn finished(&self, destination: &DestinationName, state: DeliveryState) {
        self.finished
            .get_or_create(&FinishedLabels { destination: destination.to_string(), state: state.as_str() })
            .inc();
    }

    pub(crate) fn record_failed(&self) {
        self.record_failures.inc();
    }
}
