//! What a plugin measures, checked against what it has declared.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    manifest::DeclaredMetric,
    mask::Mask,
    plugin_metrics::{Measurement, PluginMetrics, VALUE_BYTES_MAX},
};

/// A process sends a measurement of something that its plugin has not declared.
#[derive(Debug, thiserror::Error)]
#[error("it measured something that it has not declared")]
pub(super) struct NotDeclared;

/// Takes the measurements of one process.
#[derive(Debug)]
pub(super) struct MetricDesk {
    metrics: Option<Arc<dyn PluginMetrics>>,
    declared: BTreeMap<String, DeclaredMetric>,
    mask: Arc<Mask>,
}

impl MetricDesk {
    pub(super) fn new(
        metrics: Option<Arc<dyn PluginMetrics>>,
        declared: &[DeclaredMetric],
        mask: Arc<Mask>,
    ) -> Self {
        let declared = declared.iter().map(|metric| (metric.name.clone(), metric.clone())).collect();
        Self { metrics, declared, mask }
    }

    /// Passes a measurement on.
    pub(super) fn take(&self, measurement: Measurement) -> Result<(), NotDeclared> {
        let metric = self.declared.get(&measurement.name).filter(|metric| metric.kind == measurement.kind);
        let metric = metric.ok_or(NotDeclared)?;
        let Some(metrics) = &self.metrics else { return Ok(()) };
        if measurement.lost > 0 {
            metrics.lost(measurement.lost);
        }
        let value = measurement.value();
        let label = |(name, value): (String, String)| (name, self.mask.one_line(&value, VALUE_BYTES_MAX));
        metrics.measured(metric, value, measurement.labels.into_iter().map(label).collect());
        Ok(())
    }
}
