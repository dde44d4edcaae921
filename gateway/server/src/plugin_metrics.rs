//! What plugins measure, beside the gateway's own metrics.
//!
//! A metric `pages` of kind counter is shown as `postroom_plugin_counter_pages_total`. The kind stands in the name, so
//! that two plugins with a metric of the same name never disagree about what it is, and so that no plugin can take the
//! name of a metric of the gateway's own. Which plugin and which destination it is, the labels say.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
};

use postroom_core::id::DestinationName;
use postroom_host::{DeclaredMetric, MetricKind, PluginMetrics};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::Counter, gauge::Gauge, histogram::Histogram},
};

/// Most series of one destination: metrics times what their labels say.
const SERIES_MAX: usize = 100;

/// The metrics of all plugins; cheap to clone, all clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct PluginSeries(Arc<Mutex<Families>>);

#[derive(Debug, Default)]
struct Families {
    by_name: BTreeMap<(MetricKind, String), Family>,
    destinations: BTreeMap<DestinationName, Count>,
}

#[derive(Debug)]
struct Family {
    help: String,
    series: BTreeMap<Vec<(String, String)>, Series>,
}

#[derive(Debug)]
enum Series {
    Counter(Counter<f64, AtomicU64>),
    Gauge(Gauge<f64, AtomicU64>),
    Histogram(Histogram),
}

/// What one destination has.
#[derive(Debug, Default)]
struct Count {
    series: usize,
    /// Measurements that were dropped.
    dropped: u64,
}

/// The metrics of one destination's plugin.
#[derive(Debug)]
pub(crate) struct DestinationSeries {
    all: PluginSeries,
    destination: DestinationName,
    /// The plugin's id.
    plugin: String,
}

impl PluginSeries {
    /// The part of one destination.
    pub(crate) fn of(&self, destination: DestinationName, plugin: &str) -> DestinationSeries {
        DestinationSeries { all: self.clone(), destination, plugin: plugin.to_owned() }
    }

    fn lock(&self) -> MutexGuard<'_, Families> {
        // A panic elsewhere cannot leave a number half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PluginMetrics for DestinationSeries {
    fn measured(&self, metric: &DeclaredMetric, value: f64, labels: BTreeMap<String, String>) {
        let mut names = vec![
            ("destination".to_owned(), self.destination.to_string()),
            ("plugin".to_owned(), self.plugin.clone()),
        ];
        names.extend(labels);
        let mut families = self.all.lock();
        let Families { by_name, destinations } = &mut *families;
        let count = destinations.entry(self.destination.clone()).or_default();
        let family = by_name
            .entry((metric.kind, metric.name.clone()))
            .or_insert_with(|| Family { help: metric.help.clone(), series: BTreeMap::new() });
        let series = match family.series.entry(names) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if count.series >= SERIES_MAX => {
                count.dropped += 1;
                return;
            }
            Entry::Vacant(new) => {
                count.series += 1;
                new.insert(Series::of(metric))
            }
        };
        series.take(value);
    }

    fn lost(&self, measurements: u64) {
        let mut families = self.all.lock();
        let count = families.destinations.entry(self.destination.clone()).or_default();
        count.dropped = count.dropped.saturating_add(measurements);
    }
}

impl Series {
    fn of(metric: &DeclaredMetric) -> Self {
        match metric.kind {
            MetricKind::Counter => Self::Counter(Counter::default()),
            MetricKind::Gauge => Self::Gauge(Gauge::default()),
            MetricKind::Histogram => Self::Histogram(Histogram::new(metric.buckets.iter().copied())),
        }
    }

    fn take(&self, value: f64) {
        match self {
            Self::Counter(counter) => drop(counter.inc_by(value)),
            Self::Gauge(gauge) => drop(gauge.set(value)),
            Self::Histogram(histogram) => histogram.observe(value),
        }
    }
}

impl Collector for PluginSeries {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let families = self.lock();
        for ((kind, name), family) in &families.by_name {
            let name = format!("plugin_{}_{name}", kind.as_str());
            let kind = match kind {
                MetricKind::Counter => MetricType::Counter,
                MetricKind::Gauge => MetricType::Gauge,
                MetricKind::Histogram => MetricType::Histogram,
            };
            let mut encoder = encoder.encode_descriptor(&name, &family.help, None, kind)?;
            for (labels, series) in &family.series {
                let encoder = encoder.encode_family(labels)?;
                match series {
                    Series::Counter(counter) => counter.encode(encoder)?,
                    Series::Gauge(gauge) => gauge.encode(encoder)?,
                    Series::Histogram(histogram) => histogram.encode(encoder)?,
                }
            }
        }
        let dropped = families.destinations.iter().filter(|(_, count)| count.dropped > 0);
        let help =
            "Measurements of a destination's plugin that came too fast, or had labels above 100 series";
        let mut encoder =
            encoder.encode_descriptor("plugin_measurements_dropped", help, None, MetricType::Counter)?;
        for (destination, count) in dropped {
            let counter = Counter::<u64, AtomicU64>::default();
            counter.inc_by(count.dropped);
            counter.encode(encoder.encode_family(&[("destination", destination.as_str())])?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
