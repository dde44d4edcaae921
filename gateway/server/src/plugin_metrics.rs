//! What plugins measure, beside the gateway's own metrics.
//!
//! A metric `pages` of kind counter is shown as `postroom_plugin_counter_pages_total`. The kind stands in the name, so
//! that two plugins with a metric of the same name never disagree about what it is, and so that no plugin can take the
//! name of a metric of the gateway's own. Which plugin and which destination it is, the labels say.
//!
//! The series of a destination go with the last process that could measure for it: after the destination was removed. What
//! a plugin measures no longer goes a day after, but only where something else has taken its place: a number that changes
//! once a month is one too.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::AtomicU64},
    time::Duration,
};

use postroom_core::id::DestinationName;
use postroom_host::{DeclaredMetric, MetricKind, PluginMetrics};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::Counter, gauge::Gauge, histogram::Histogram},
};
use tokio::time::Instant;

/// Most series of one destination: metrics times what their labels say.
const SERIES_MAX: usize = 100;
/// A series that was not measured for so long goes, if the settings that measured it are no longer in force, or if there is
/// no room for another.
const SILENT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The metrics of all plugins; cheap to clone, all clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct PluginSeries(Arc<Mutex<Families>>);

#[derive(Debug, Default)]
struct Families {
    /// How many [`DestinationSeries`] there were.
    given: u64,
    by_name: BTreeMap<(MetricKind, String), Family>,
    destinations: BTreeMap<DestinationName, Count>,
}

#[derive(Debug)]
struct Family {
    help: String,
    series: BTreeMap<Vec<(String, String)>, Measured>,
}

/// A series, and what was measured last.
#[derive(Debug)]
struct Measured {
    series: Series,
    destination: DestinationName,
    /// By which [`DestinationSeries`].
    by: u64,
    at: Instant,
}

#[derive(Debug)]
enum Series {
    Counter(Counter<f64, AtomicU64>),
    Gauge(Gauge<f64, AtomicU64>),
    Histogram(Histogram),
}

/// What one destination has.
#[derive(Debug)]
struct Count {
    owner: Weak<Owner>,
    /// The latest [`DestinationSeries`] that has measured something.
    latest: u64,
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
    /// Later ones have larger numbers.
    number: u64,
    _owner: Arc<Owner>,
}

/// All who measure for one destination have this. With the last of them its series go.
#[derive(Debug)]
struct Owner {
    all: PluginSeries,
    destination: DestinationName,
}

impl PluginSeries {
    /// The part of one destination.
    pub(crate) fn of(&self, destination: DestinationName, plugin: &str) -> DestinationSeries {
        let mut families = self.lock();
        families.given += 1;
        let number = families.given;
        let known = families.destinations.get(&destination).and_then(|count| count.owner.upgrade());
        let owner = known.unwrap_or_else(|| {
            let owner = Arc::new(Owner { all: self.clone(), destination: destination.clone() });
            let entry = families.destinations.entry(destination.clone());
            // It may be there still, of an owner that is just going.
            let count = entry.or_insert(Count { owner: Weak::new(), latest: 0, series: 0, dropped: 0 });
            count.owner = Arc::downgrade(&owner);
            owner
        });
        drop(families);
        DestinationSeries { all: self.clone(), destination, plugin: plugin.to_owned(), number, _owner: owner }
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
        let at = Instant::now();
        let mut families = self.all.lock();
        let family = (metric.kind, metric.name.clone());
        if !families.has(&family, &names) && families.is_full(&self.destination) {
            families.forget(|series| {
                series.destination == self.destination && at.duration_since(series.at) >= SILENT_MAX
            });
        }
        let Families { by_name, destinations, .. } = &mut *families;
        // It is there as long as the owner.
        let Some(count) = destinations.get_mut(&self.destination) else { return };
        count.latest = count.latest.max(self.number);
        let family = by_name
            .entry(family)
            .or_insert_with(|| Family { help: metric.help.clone(), series: BTreeMap::new() });
        let measured = match family.series.entry(names) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if count.series >= SERIES_MAX => {
                count.dropped += 1;
                return;
            }
            Entry::Vacant(new) => {
                count.series += 1;
                let destination = self.destination.clone();
                new.insert(Measured { series: Series::of(metric), destination, by: self.number, at })
            }
        };
        (measured.by, measured.at) = (self.number, at);
        measured.series.take(value);
    }

    fn lost(&self, measurements: u64) {
        if let Some(count) = self.all.lock().destinations.get_mut(&self.destination) {
            count.dropped = count.dropped.saturating_add(measurements);
        }
    }
}

impl Families {
    fn has(&self, family: &(MetricKind, String), names: &Vec<(String, String)>) -> bool {
        self.by_name.get(family).is_some_and(|family| family.series.contains_key(names))
    }

    fn is_full(&self, destination: &DestinationName) -> bool {
        self.destinations.get(destination).is_some_and(|count| count.series >= SERIES_MAX)
    }

    /// Drops what was measured last by settings that are no longer in force, and long ago.
    fn forget_old(&mut self, now: Instant) {
        let latest: BTreeMap<DestinationName, u64> =
            self.destinations.iter().map(|(name, count)| (name.clone(), count.latest)).collect();
        self.forget(|series| {
            now.duration_since(series.at) >= SILENT_MAX
                && latest.get(&series.destination).is_none_or(|latest| series.by < *latest)
        });
    }

    fn forget(&mut self, which: impl Fn(&Measured) -> bool) {
        let Self { by_name, destinations, .. } = self;
        by_name.retain(|_, family| {
            family.series.retain(|_, series| {
                let goes = which(series);
                if let Some(count) = destinations.get_mut(&series.destination).filter(|_| goes) {
                    count.series -= 1;
                }
                !goes
            });
            !family.series.is_empty()
        });
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let mut families = self.all.lock();
        // Somebody may have begun anew meanwhile.
        let is_over = |count: &Count| count.owner.strong_count() == 0;
        if families.destinations.get(&self.destination).is_some_and(is_over) {
            families.forget(|series| series.destination == self.destination);
            families.destinations.remove(&self.destination);
        }
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
        let mut families = self.lock();
        families.forget_old(Instant::now());
        for ((kind, name), family) in &families.by_name {
            let name = format!("plugin_{}_{name}", kind.as_str());
            let kind = match kind {
                MetricKind::Counter => MetricType::Counter,
                MetricKind::Gauge => MetricType::Gauge,
                MetricKind::Histogram => MetricType::Histogram,
            };
            let mut encoder = encoder.encode_descriptor(&name, &family.help, None, kind)?;
            for (labels, measured) in &family.series {
                let encoder = encoder.encode_family(labels)?;
                match &measured.series {
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
