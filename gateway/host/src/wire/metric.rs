//! What a plugin measures, in frames.

use super::{
    WireError,
    bytes_of::{Reader, Writer},
};
use crate::plugin_metrics::{Measurement, MetricKind};

pub(super) fn write_measurement(writer: Writer, measurement: &Measurement) -> Writer {
    let Measurement { kind, name, value_milli, labels, lost } = measurement;
    writer
        .u32(kind.to_abi())
        .text(name)
        .u64(value_milli.cast_unsigned())
        .pairs(labels.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        .u64(*lost)
}

/// Reads a measurement; one that no plugin can make by the contract is a fault.
pub(super) fn read_measurement(reader: &mut Reader) -> Result<Measurement, WireError> {
    let measurement = Measurement {
        kind: MetricKind::from_abi(reader.u32()?).ok_or(WireError::Value("metric"))?,
        name: reader.text()?,
        value_milli: reader.u64()?.cast_signed(),
        labels: reader.pairs()?,
        lost: reader.u64()?,
    };
    if measurement.is_within_limits() { Ok(measurement) } else { Err(WireError::Value("metric")) }
}
