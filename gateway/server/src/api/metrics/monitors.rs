//! What is measured of monitors, at the moment somebody looks.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use postroom_core::{
    chain::Chain,
    event::{Verdict, display_name},
    monitor::Monitor,
};
use postroom_store::{MonitorCounts, MonitorFilter, MonitorRow, Page, PageRequest, Store, StoreError};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Whoever scrapes waits no longer for what the store says.
const READ_MAX: Duration = Duration::from_secs(2);
/// Monitors that are read at once.
const PAGE_ROWS: usize = 5_000;
const LABEL_CHARS_MAX: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MonitorLabels {
    uid: String,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RunLabels {
    uid: String,
    name: String,
    verdict: &'static str,
}

/// The metrics of monitors. A clone is the same metrics.
#[derive(Debug, Clone, Default)]
pub(crate) struct MonitorMetrics {
    /// How many monitors have series of their own.
    max: Arc<AtomicU32>,
    /// Whether it was said that there are more.
    has_warned: Arc<AtomicBool>,
    /// Whoever measures empties all series first, which nobody else may see.
    turn: Arc<Mutex<()>>,
    monitors: Gauge,
    left_out: Gauge,
    silent: Gauge,
    incidents: Gauge,
    last_verdict: Family<MonitorLabels, Gauge>,
    last_run: Family<MonitorLabels, Gauge<f64, AtomicU64>>,
    latency: Family<MonitorLabels, Gauge<f64, AtomicU64>>,
    incident_open: Family<MonitorLabels, Gauge<i64, AtomicI64>>,
    is_silent: Family<MonitorLabels, Gauge>,
    runs: Family<RunLabels, Counter>,
}

impl MonitorMetrics {
    pub(crate) fn new(max: u32) -> Self {
        let metrics = Self::default();
        metrics.put(max);
        metrics
    }

    /// Gives so many monitors series of their own from now on.
    pub(crate) fn put(&self, max: u32) {
        self.max.store(max, Ordering::Relaxed);
        self.has_warned.store(false, Ordering::Relaxed);
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("monitors", "Monitors that runs have come from", self.monitors.clone());
        registry.register(
            "monitors_left_out",
            "Monitors that have no series of their own, because there are more than [tracker] metrics_monitors_max",
            self.left_out.clone(),
        );
        registry.register("monitors_silent", "Monitors whose runs stay away", self.silent.clone());
        registry.register("incidents_open", "Incidents of monitors that are open", self.incidents.clone());
        registry.register(
            "monitor_last_verdict",
            "What the last run of a monitor says: 1 passed, 0 failed, -1 unknown",
            self.last_verdict.clone(),
        );
        registry.register_with_unit(
            "monitor_last_run_timestamp",
            "When the last run of a monitor was accepted, since 1970",
            Unit::Seconds,
            self.last_run.clone(),
        );
        registry.register_with_unit(
            "monitor_last_run_request",
            "What a request of the last run of a monitor took on the average",
            Unit::Seconds,
            self.latency.clone(),
        );
        registry.register(
            "monitor_incident_open",
            "1 while a monitor has an open incident",
            self.incident_open.clone(),
        );
        registry.register(
            "monitor_silent",
            "1 while the runs of a monitor stay away",
            self.is_silent.clone(),
        );
        registry.register("monitor_runs", "Runs of a monitor by verdict", self.runs.clone());
    }

    /// Takes the figures of all monitors. What cannot be read in time keeps its last figures. Whoever looks at the figures
    /// holds on to the turn until they are written down: nobody else measures meanwhile.
    pub(crate) async fn measure(&self, store: &dyn Store) -> OwnedMutexGuard<()> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let max = usize::try_from(self.max.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        let reading = async {
            let counts = store.monitor_counts().await?;
            Ok((counts, first(store, max, PAGE_ROWS).await?))
        };
        match tokio::time::timeout(READ_MAX, reading).await {
            Ok(Ok((counts, found))) => self.set(counts, &found),
            Ok(Err(error)) => {
                let error: StoreError = error;
                tracing::warn!(error = %Chain(&error), "monitors could not be read for the metrics");
            }
            Err(_) => tracing::warn!("monitors could not be read for the metrics in time"),
        }
        turn
    }

    fn set(&self, counts: MonitorCounts, found: &[MonitorRow]) {
        let MonitorCounts { monitors, silent, with_incident } = counts;
        let gauge = |gauge: &Gauge, count: u64| gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        let left_out = monitors.saturating_sub(found.len() as u64);
        gauge(&self.monitors, monitors);
        gauge(&self.left_out, left_out);
        gauge(&self.silent, silent);
        gauge(&self.incidents, with_incident);
        if left_out > 0 && !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                monitors,
                left_out,
                "more monitors than [tracker] metrics_monitors_max: the rest has no metrics of its own"
            );
        }
        // A monitor that has another name, or is gone, would stay otherwise.
        self.last_verdict.clear();
        self.last_run.clear();
        self.latency.clear();
        self.incident_open.clear();
        self.is_silent.clear();
        self.runs.clear();
        found.iter().for_each(|row| self.set_one(&row.monitor));
    }

    fn set_one(&self, monitor: &Monitor) {
        let identity = &monitor.identity;
        let name = identity.name.as_deref().map(display_name).unwrap_or_default();
        let labels = MonitorLabels { uid: label(&identity.uid), name: label(name) };
        if let Some(run) = &monitor.last_run {
            let verdict = match run.verdict {
                Verdict::Passed => 1,
                Verdict::Failed => 0,
                Verdict::Unknown => -1,
            };
            self.last_verdict.get_or_create(&labels).set(verdict);
            let at_s = run.at.as_unix_ms() as f64 / 1000.0;
            self.last_run.get_or_create(&labels).set(at_s);
            if let Some(mean_ms) = run.numbers.latency_mean_ms() {
                self.latency.get_or_create(&labels).set(mean_ms / 1000.0);
            }
        }
        self.incident_open.get_or_create(&labels).set(monitor.track.incident.is_some().into());
        self.is_silent.get_or_create(&labels).set(monitor.cadence.silent_since.is_some().into());
        let counts = &monitor.counts;
        for (verdict, count) in [
            (Verdict::Passed, counts.passed),
            (Verdict::Failed, counts.failed),
            (Verdict::Unknown, counts.unknown),
        ] {
            let labels =
                RunLabels { uid: labels.uid.clone(), name: labels.name.clone(), verdict: verdict.as_str() };
            self.runs.get_or_create(&labels).inc_by(count);
        }
    }
}

/// The first `max` monitors. A page may hold fewer than asked for.
async fn first(store: &dyn Store, max: usize, page_rows: usize) -> Result<Vec<MonitorRow>, StoreError> {
    let (mut found, mut before) = (Vec::new(), None);
    while found.len() < max {
        let page = PageRequest { before, limit: page_rows.min(max - found.len()) };
        let Page { items, next } = store.monitors(MonitorFilter::default(), page).await?;
        found.extend(items);
        before = next;
        if before.is_none() {
            break;
        }
    }
    Ok(found)
}

/// A stranger's text, no longer than somebody reads.
fn label(text: &str) -> String {
    text.chars().take(LABEL_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
