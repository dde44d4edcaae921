//! Operations on a plugin's state, and their answers, in frames.

use std::time::Duration;

use bytes::Bytes;

use super::{
    WireError,
    bytes_of::{Reader, Writer},
};
use crate::plugin_state::{Expected, StateOperation, StateReply};

const GET: u32 = 1;
const PUT: u32 = 2;
const DELETE: u32 = 3;
const LIST: u32 = 4;

const DONE: u32 = 1;
const NOT_FOUND: u32 = 2;
const CONFLICT: u32 = 3;
const TOO_LARGE: u32 = 4;
const UNAVAILABLE: u32 = 5;
const STALE: u32 = 6;

pub(super) fn write_operation(writer: Writer, operation: &StateOperation) -> Writer {
    match operation {
        StateOperation::Get { key } => writer.u32(GET).text(key),
        StateOperation::Put { key, value, expected, ttl } => {
            let ttl_ms = ttl.map_or(0, |ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
            writer.u32(PUT).text(key).bytes(value).u64(expected.to_abi()).u64(ttl_ms)
        }
        StateOperation::Delete { key, expected } => writer.u32(DELETE).text(key).u64(expected.to_abi()),
        StateOperation::List { prefix } => writer.u32(LIST).text(prefix),
    }
}

/// Reads an operation; one that no plugin can ask for by the contract is a fault.
pub(super) fn read_operation(reader: &mut Reader) -> Result<StateOperation, WireError> {
    let operation = match reader.u32()? {
        GET => StateOperation::Get { key: reader.text()? },
        PUT => StateOperation::Put {
            key: reader.text()?,
            // A copy, because the frame holds on to all that was read together with it.
            value: Bytes::copy_from_slice(&reader.bytes()?),
            expected: Expected::from_abi(reader.u64()?),
            ttl: Some(reader.u64()?).filter(|ms| *ms > 0).map(Duration::from_millis),
        },
        DELETE => StateOperation::Delete { key: reader.text()?, expected: Expected::from_abi(reader.u64()?) },
        LIST => StateOperation::List { prefix: reader.text()? },
        _ => return Err(WireError::Value("operation")),
    };
    if operation.is_within_limits() { Ok(operation) } else { Err(WireError::Value("key or value")) }
}

/// The head of an answer; the value follows as the rest of the frame.
pub(super) fn write_reply(writer: Writer, reply: &StateReply) -> (Writer, Bytes) {
    let (kind, version, value) = match reply {
        StateReply::Done { version, value } => (DONE, *version, value.clone()),
        StateReply::NotFound => (NOT_FOUND, 0, Bytes::new()),
        StateReply::Conflict { version } => (CONFLICT, *version, Bytes::new()),
        StateReply::TooLarge => (TOO_LARGE, 0, Bytes::new()),
        StateReply::Unavailable => (UNAVAILABLE, 0, Bytes::new()),
        StateReply::Stale => (STALE, 0, Bytes::new()),
    };
    (writer.u32(kind).u64(version), value)
}

pub(super) fn read_reply(reader: &mut Reader) -> Result<StateReply, WireError> {
    let (kind, version, value) = (reader.u32()?, reader.u64()?, reader.rest());
    Ok(match kind {
        DONE => StateReply::Done { version, value },
        NOT_FOUND => StateReply::NotFound,
        CONFLICT => StateReply::Conflict { version },
        TOO_LARGE => StateReply::TooLarge,
        UNAVAILABLE => StateReply::Unavailable,
        STALE => StateReply::Stale,
        _ => return Err(WireError::Value("answer")),
    })
}
