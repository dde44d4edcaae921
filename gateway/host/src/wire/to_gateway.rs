//! Frames from the child to the gateway.

use bytes::{Bytes, BytesMut};

use super::{
    WireError,
    bytes_of::{Reader, Writer},
    state::{read_operation, write_operation},
};
use crate::{
    config_fault::ConfigFault, outcome::Report, plugin_log::LogRecord, plugin_state::StateOperation,
    sandbox::Layers,
};

/// What a child says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ToGateway {
    /// The process has locked itself up, and nothing of the plugin has run yet.
    Confined { layers: Layers },
    /// The instance is made and takes deliveries, at most `concurrency` at once.
    Ready { concurrency: u32 },
    /// The configuration is good; the answer to a check.
    Valid,
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

impl ToGateway {
    pub(crate) fn encode(&self) -> BytesMut {
        let writer = match self {
            Self::Ready { concurrency } => Writer::new(READY).u32(*concurrency),
            Self::Valid => Writer::new(VALID),
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
            Self::Pong => Writer::new(PONG),
            Self::Confined { layers } => Writer::new(CONFINED).pairs(layers.words()),
            Self::State { request, operation } => {
                write_operation(Writer::new(STATE).u64(*request), operation)
            }
        };
        writer.finish(0)
    }

    pub(crate) fn decode(frame: Bytes) -> Result<Self, WireError> {
        let (frame_type, mut reader) = Reader::new(frame)?;
        let message = match frame_type {
            READY => Self::Ready { concurrency: reader.u32()? },
            VALID => Self::Valid,
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
            PONG => Self::Pong,
            CONFINED => {
                let layers = Layers::of_words(reader.pairs()?).ok_or(WireError::Value("layer"))?;
                Self::Confined { layers }
            }
            STATE => Self::State { request: reader.u64()?, operation: read_operation(&mut reader)? },
            other => return Err(WireError::Type(other)),
        };
        reader.end()?;
        Ok(message)
    }
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
