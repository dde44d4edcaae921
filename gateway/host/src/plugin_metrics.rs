//! What a plugin measures, and who counts it.

use std::{collections::BTreeMap, fmt::Debug};

use postroom_abi::{POSTROOM_METRIC_COUNTER, POSTROOM_METRIC_GAUGE, POSTROOM_METRIC_HISTOGRAM};

use crate::manifest::DeclaredMetric;

/// Most labels of one metric.
pub(crate) const LABELS_MAX: usize = 8;
/// Longest name of a metric or of a label, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 64;
/// Longest value of a label, in bytes.
pub(crate) const VALUE_BYTES_MAX: usize = 128;
/// Labels that are the gateway's own, or have a meaning of their own.
const RESERVED_LABELS: [&str; 4] = ["destination", "plugin", "le", "quantile"];

/// Counts what one destination's plugin measures. Called for each measurement; never blocks.
pub trait PluginMetrics: Debug + Send + Sync {
    /// Takes a measurement of a metric that the plugin has declared. The value of a counter is not negative.
    fn measured(&self, metric: &DeclaredMetric, value: f64, labels: BTreeMap<String, String>);

    /// Notes that the plugin measured faster than it could be told.
    fn lost(&self, measurements: u64);
}

/// What kind of number a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricKind {
    /// Only grows: values are added.
    Counter,
    /// Goes up and down: the last value counts.
    Gauge,
    /// How often values of which size were observed.
    Histogram,
}

impl MetricKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Counter, Self::Gauge, Self::Histogram];

    /// The name in manifests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }

    /// Reads the number of the ABI.
    pub(crate) fn from_abi(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.to_abi() == number)
    }

    /// The number of the ABI.
    pub(crate) const fn to_abi(self) -> u32 {
        match self {
            Self::Counter => POSTROOM_METRIC_COUNTER,
            Self::Gauge => POSTROOM_METRIC_GAUGE,
            Self::Histogram => POSTROOM_METRIC_HISTOGRAM,
        }
    }
}

/// A measurement on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Measurement {
    pub(crate) kind: MetricKind,
    pub(crate) name: String,
    pub(crate) value_milli: i64,
    pub(crate) labels: BTreeMap<String, String>,
    /// How many before it were lost.
    pub(crate) lost: u64,
}

impl Measurement {
    /// Whether the contract allows it.
    pub(crate) fn is_within_limits(&self) -> bool {
        let label_fits = |(name, value): (&String, &String)| {
            is_label(name) && value.len() <= VALUE_BYTES_MAX && !value.contains(char::is_control)
        };
        is_name(&self.name)
            && (self.kind != MetricKind::Counter || self.value_milli >= 0)
            && self.labels.len() <= LABELS_MAX
            && self.labels.iter().all(label_fits)
    }

    /// The value in whole units.
    #[expect(clippy::cast_precision_loss, reason = "a metric is a floating point number in the end")]
    pub(crate) fn value(&self) -> f64 {
        self.value_milli as f64 / 1000.0
    }
}

/// Whether a metric can have this name.
pub(crate) fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_plain)
}

fn is_label(name: &str) -> bool {
    is_name(name) && name.starts_with(|c: char| c.is_ascii_lowercase()) && !RESERVED_LABELS.contains(&name)
}
