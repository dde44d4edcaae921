//! What the engine counts. Labels come from the configuration, from plugins' manifests and from closed
//! sets, never from what strangers send.

use postroom_core::{
    delivery::DeliveryState,
    event::Kind,
    id::{DestinationName, SourceName},
    lane::GateState,
    outcome::OutcomeKind,
};
use postroom_store::Pruned;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    source: String,
    kind: String,
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GateLabels {
    destination: String,
    gate: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabels {
    source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RemovedLabels {
    what: &'static str,
}

/// The engine's counters; cheap to clone, all clones count together.
#[derive(Debug, Clone)]
pub struct Metrics {
    events: Family<EventLabels, Counter>,
    repeated: Family<SourceLabels, Counter>,
    refused: Counter,
    attempts: Family<AttemptLabels, Counter>,
    attempt_seconds: Family<DestinationLabels, Histogram, fn() -> Histogram>,
    finished: Family<FinishedLabels, Counter>,
    record_failures: Counter,
    breaker_openings: Family<DestinationLabels, Counter>,
    gates: Family<GateLabels, Gauge>,
    replayed: Counter,
    replays_running: Gauge,
    removed: Family<RemovedLabels, Counter>,
    removed_blob_bytes: Counter,
    tracker_lag: Gauge,
    tracked_parts: Counter,
    tracking_failures: Counter,
}

/// From a local process to a slow API with its timeout.
const ATTEMPT_SECONDS: [f64; 10] = [0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

impl Default for Metrics {
    fn default() -> Self {
        Self {
            events: Family::default(),
            repeated: Family::default(),
            refused: Counter::default(),
            attempts: Family::default(),
            attempt_seconds: Family::new_with_constructor(|| Histogram::new(ATTEMPT_SECONDS)),
            finished: Family::default(),
            record_failures: Counter::default(),
            breaker_openings: Family::default(),
            gates: Family::default(),
            replayed: Counter::default(),
            replays_running: Gauge::default(),
            removed: Family::default(),
            removed_blob_bytes: Counter::default(),
            tracker_lag: Gauge::default(),
            tracked_parts: Counter::default(),
            tracking_failures: Counter::default(),
        }
    }
}

impl Metrics {
    /// Adds the counters to `registry`, which has set the prefix `postroom`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("events", "Events accepted", self.events.clone());
        registry.register(
            "events_repeated",
            "Requests that sent an accepted event again under its idempotency key",
            self.repeated.clone(),
        );
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
        registry.register(
            "breaker_openings",
            "Times that a destination failed so often that its breaker opened",
            self.breaker_openings.clone(),
        );
        registry.register(
            "destination_gate",
            "1 for the state that a destination's gate is in, 0 for the others",
            self.gates.clone(),
        );
        registry.register("deliveries_replayed", "Deliveries that replays have made", self.replayed.clone());
        registry.register("replays_running", "Replays that have more to make", self.replays_running.clone());
        registry.register("removed", "What retention has removed, by what it was", self.removed.clone());
        registry.register(
            "removed_blob_bytes",
            "Bytes of large bodies that retention has removed",
            self.removed_blob_bytes.clone(),
        );
        registry.register(
            "tracker_lag_events",
            "Events that came in and were not looked at yet for what they say about monitors",
            self.tracker_lag.clone(),
        );
        registry.register(
            "tracker_parts",
            "Parts of the log of events that were looked at for what they say about monitors",
            self.tracked_parts.clone(),
        );
        registry.register(
            "tracker_failures",
            "Times that the store kept monitors from being followed",
            self.tracking_failures.clone(),
        );
    }

    /// Events of a kind that a source has brought since the start.
    #[must_use]
    pub fn events_of(&self, source: &str, kind: Kind) -> u64 {
        let labels = EventLabels { source: source.to_owned(), kind: kind.to_string() };
        self.events.get(&labels).map_or(0, |counter| counter.get())
    }

    /// Requests of a source that sent an accepted event again since the start.
    #[must_use]
    pub fn repeated_of(&self, source: &str) -> u64 {
        self.repeated.get(&SourceLabels { source: source.to_owned() }).map_or(0, |counter| counter.get())
    }

    /// Deliveries to a destination that came to this state since the start.
    #[must_use]
    pub fn finished_of(&self, destination: &str, state: DeliveryState) -> u64 {
        let labels = FinishedLabels { destination: destination.to_owned(), state: state.as_str() };
        self.finished.get(&labels).map_or(0, |counter| counter.get())
    }

    pub(crate) fn accepted(&self, source: &SourceName, kind: Kind) {
        self.events.get_or_create(&EventLabels { source: source.to_string(), kind: kind.to_string() }).inc();
    }

    pub(crate) fn repeated(&self, source: &SourceName) {
        self.repeated.get_or_create(&SourceLabels { source: source.to_string() }).inc();
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

    pub(crate) fn breaker_opened(&self, destination: &DestinationName) {
        self.breaker_openings
            .get_or_create(&DestinationLabels { destination: destination.to_string() })
            .inc();
    }

    /// A gauge is read together with the loads, so it is brought up to date with them.
    pub(crate) fn gate(&self, destination: &DestinationName, state: GateState) {
        for (gate, name) in GATES {
            let labels = GateLabels { destination: destination.to_string(), gate: name };
            self.gates.get_or_create(&labels).set(i64::from(gate == state));
        }
    }

    pub(crate) fn replays(&self, running: usize) {
        self.replays_running.set(i64::try_from(running).unwrap_or(i64::MAX));
    }

    pub(crate) fn replayed(&self, deliveries: u64) {
        self.replayed.inc_by(deliveries);
    }

    pub(crate) fn tracker_lag(&self, events: i64) {
        self.tracker_lag.set(events);
    }

    pub(crate) fn tracked_part(&self) {
        self.tracked_parts.inc();
    }

    pub(crate) fn tracking_failed(&self) {
        self.tracking_failures.inc();
    }

    pub(crate) fn pruned(&self, pruned: &Pruned) {
        let Pruned {
            events,
            deliveries,
            marks,
            replays,
            state_keys,
            run_chunks,
            incidents,
            monitors,
            collections,
            audit,
            blobs,
            ..
        } = *pruned;
        for (what, count) in [
            ("events", events),
            ("deliveries", deliveries),
            ("marks", marks),
            ("replays", replays),
            ("state_keys", state_keys),
            ("run_chunks", run_chunks),
            ("incidents", incidents),
            ("monitors", monitors),
            ("collections", collections),
            ("audit", audit),
            ("blobs", blobs),
        ] {
            self.removed.get_or_create(&RemovedLabels { what }).inc_by(count);
        }
        self.removed_blob_bytes.inc_by(pruned.blob_bytes);
    }
}

const GATES: [(GateState, &str); 5] = [
    (GateState::Open, "open"),
    (GateState::Paused, "paused"),
    (GateState::Held, "held"),
    (GateState::Closed, "closed"),
    (GateState::Breaker, "breaker"),
];
