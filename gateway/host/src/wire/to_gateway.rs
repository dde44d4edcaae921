//! Frames from the child to the gateway.

use bytes::{Bytes, BytesMut};

use super::{
    WireError,
    bytes_of::{Reader, Writer},
    emit::{read_request, write_request},
    metric::{read_measurement, write_measurement},
    places::{read_place, write_places},
    state::{read_operation, write_operation},
};
use crate::{
    action::ActionReport,
    config_fault::ConfigFault,
    faults::Faults,
    outcome::Report,
    plugin_emit::EmitRequest,
    plugin_health::HealthReport,
    plugin_log::LogRecord,
    plugin_metrics::Measurement,
    plugin_state::StateOperation,
    sandbox::{Layers, Place},
};

/// What a child says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ToGateway {
    /// The process has locked itself up, and nothing of the plugin has run yet.
    Confined { layers: Layers, places: Vec<Place> },
    /// The instance is made and takes deliveries, at most `concurrency` at once.
    Ready { concurrency: u32 },
    /// The configuration is good; the answer to a check. Also says whether the library has actions.
    Valid { actions: bool },
    /// The plugin refuses its configuration.
    Refused { faults: Vec<ConfigFault> },
    /// The plugin could not be loaded or made, for a reason other than its configuration.
    Failed { message: String },
    /// The plugin ended a delivery in time.
    Completed { token: u64, report: Report },
    /// The plugin ended a delivery that was cancelled before, with this to say: its place is free again.
    Released { token: u64, report: Report },
    /// The plugin did not take a delivery.
    NotAccepted { token: u64, status: i32 },
    /// The plugin logs.
    Log(LogRecord),
    /// The plugin logged more than the child keeps.
    LogsLost { count: u64 },
    /// The plugin asks for something about its state, and knows the answer by `request`.
    State { request: u64, operation: StateOperation },
    /// The plugin measures something.
    Metric(Measurement),
    /// The plugin has taken more time for a delivery, from now.
    Extended { token: u64, want_ms: u32 },
    /// The plugin makes an event, and knows the answer by `request`.
    Emit { request: u64, event: Box<EmitRequest> },
    /// An action has ended, or was not begun.
    ActionReply { token: u64, report: ActionReport },
    /// How the plugin says that it is; nothing when it has no such function.
    Health { report: Option<HealthReport> },
    /// How often the plugin has broken which rule by now.
    Faults(Faults),
    /// The answer to a ping.
    Pong,
}

const READY: u8 = 1;
const VALID: u8 = 2;
const REFUSED: u8 = 3;
const FAILED: u8 = 4;
const COMPLETED: u8 = 5;
const RELEASED: u8 = 6;
const NOT_ACCEPTED: u8 = 7;
const LOG: u8 = 8;
const LOGS_LOST: u8 = 9;
const PONG: u8 = 10;
const STATE: u8 = 11;
const CONFINED: u8 = 12;
const HEALTH: u8 = 13;
const METRIC: u8 = 14;
const EXTENDED: u8 = 15;
const EMIT: u8 = 16;
const ACTION_REPLY: u8 = 17;
const FAULTS: u8 = 18;

impl ToGateway {
    pub(crate) fn encode(&self) -> BytesMut {
        let writer = match self {
            Self::Ready { concurrency } => Writer::new(READY).u32(*concurrency),
            Self::Valid { actions } => Writer::new(VALID).flag(*actions),
            Self::Refused { faults } => Writer::new(REFUSED)
                .pairs(faults.iter().map(|fault| (fault.path.as_str(), fault.message.as_str()))),
            Self::Failed { message } => Writer::new(FAILED).text(message),
            Self::Completed { token, report } => write_report(Writer::new(COMPLETED).u64(*token), report),
            Self::Released { token, report } => write_report(Writer::new(RELEASED).u64(*token), report),
            Self::NotAccepted { token, status } => Writer::new(NOT_ACCEPTED).u64(*token).i32(*status),
            Self::Log(record) => Writer::new(LOG)
                .u32(record.level)
                .u64(record.token)
                .text(&record.target)
                .text(&record.message)
                .text(&record.fields_json),
            Self::LogsLost { count } => Writer::new(LOGS_LOST).u64(*count),
            Self::Health { report: None } => Writer::new(HEALTH).flag(false),
            Self::Health { report: Some(report) } => {
                Writer::new(HEALTH).flag(true).i32(report.status).text(&report.detail_json)
            }
            Self::Pong => Writer::new(PONG),
            Self::Faults(faults) => {
                let Faults { stale, late, slow, threads } = *faults;
                Writer::new(FAULTS).u64(stale).u64(late).u64(slow).u64(threads)
            }
            Self::Confined { layers, places } => {
                write_places(Writer::new(CONFINED).pairs(layers.words()), places)
            }
            Self::State { request, operation } => {
                write_operation(Writer::new(STATE).u64(*request), operation)
            }
            Self::Metric(measurement) => write_measurement(Writer::new(METRIC), measurement),
            Self::Extended { token, want_ms } => Writer::new(EXTENDED).u64(*token).u32(*want_ms),
            Self::Emit { request, event } => write_request(Writer::new(EMIT).u64(*request), event),
            Self::ActionReply { token, report } => Writer::new(ACTION_REPLY)
                .u64(*token)
                .i32(report.status)
                .text(&report.output_json)
                .text(&report.message),
        };
        writer.finish(0)
    }

    pub(crate) fn decode(frame: Bytes) -> Result<Self, WireError> {
        let (frame_type, mut reader) = Reader::new(frame)?;
        let message = match frame_type {
            READY => Self::Ready { concurrency: reader.u32()? },
            VALID => Self::Valid { actions: reader.flag()? },
            REFUSED => {
                let faults: Vec<(String, String)> = reader.pairs()?;
                let faults = faults.into_iter().map(|(path, message)| ConfigFault { path, message });
                Self::Refused { faults: faults.collect() }
            }
            FAILED => Self::Failed { message: reader.text()? },
            COMPLETED => Self::Completed { token: reader.u64()?, report: read_report(&mut reader)? },
            RELEASED => Self::Released { token: reader.u64()?, report: read_report(&mut reader)? },
            NOT_ACCEPTED => Self::NotAccepted { token: reader.u64()?, status: reader.i32()? },
            LOG => Self::Log(LogRecord {
                level: reader.u32()?,
                token: reader.u64()?,
                target: reader.text()?,
                message: reader.text()?,
                fields_json: reader.text()?,
            }),
            LOGS_LOST => Self::LogsLost { count: reader.u64()? },
            HEALTH => Self::Health { report: read_health(&mut reader)? },
            PONG => Self::Pong,
            FAULTS => Self::Faults(Faults {
                stale: reader.u64()?,
                late: reader.u64()?,
                slow: reader.u64()?,
                threads: reader.u64()?,
            }),
            CONFINED => {
                let layers = Layers::of_words(reader.pairs()?).ok_or(WireError::Value("layer"))?;
                Self::Confined { layers, places: reader.list(read_place)? }
            }
            STATE => Self::State { request: reader.u64()?, operation: read_operation(&mut reader)? },
            METRIC => Self::Metric(read_measurement(&mut reader)?),
            EXTENDED => Self::Extended { token: reader.u64()?, want_ms: reader.u32()? },
            EMIT => Self::Emit { request: reader.u64()?, event: Box::new(read_request(&mut reader)?) },
            ACTION_REPLY => Self::ActionReply {
                token: reader.u64()?,
                report: ActionReport {
                    status: reader.i32()?,
                    output_json: reader.text()?,
                    message: reader.text()?,
                },
            },
            other => return Err(WireError::Type(other)),
        };
        reader.end()?;
        Ok(message)
    }
}

fn read_health(reader: &mut Reader) -> Result<Option<HealthReport>, WireError> {
    if !reader.flag()? {
        return Ok(None);
    }
    Ok(Some(HealthReport { status: reader.i32()?, detail_json: reader.text()? }))
}

fn write_report(writer: Writer, report: &Report) -> Writer {
    writer
        .u32(report.kind)
        .u64(report.retry_after_ms)
        .text(&report.code)
        .text(&report.message)
        .text(&report.record_json)
}

fn read_report(reader: &mut Reader) -> Result<Report, WireError> {
    Ok(Report {
        kind: reader.u32()?,
        retry_after_ms: reader.u64()?,
        code: reader.text()?,
        message: reader.text()?,
        record_json: reader.text()?,
    })
}
