//! Events that a plugin makes, and the answers, in frames.

use bytes::Bytes;
use postroom_core::{event::Verdict, id::EventId};

use super::{
    WireError,
    bytes_of::{Reader, Writer},
};
use crate::plugin_emit::{EmitReply, EmitRequest};

const DONE: u32 = 1;
const REPEATED: u32 = 2;
const DENIED: u32 = 3;
const UNAVAILABLE: u32 = 4;
const STALE: u32 = 5;

pub(super) fn write_request(writer: Writer, request: &EmitRequest) -> Writer {
    writer
        .u64(request.token)
        .u32(request.nth)
        .text(request.kind.as_str())
        .text(&request.subject)
        .text(&request.ordering_key)
        .text(request.verdict.map_or("", Verdict::as_str))
        .text(&request.content_type)
        .text(&request.key)
        .pairs(request.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        .bytes(&request.body)
}

/// Reads an event; one that no plugin can make by the contract is a fault.
pub(super) fn read_request(reader: &mut Reader) -> Result<EmitRequest, WireError> {
    let request = EmitRequest {
        token: reader.u64()?,
        nth: reader.u32()?,
        kind: reader.text()?.parse().map_err(|_| WireError::Value("kind"))?,
        subject: reader.text()?,
        ordering_key: reader.text()?,
        verdict: match reader.text()?.as_str() {
            "" => None,
            verdict => Some(verdict.parse().map_err(|_| WireError::Value("verdict"))?),
        },
        content_type: reader.text()?,
        key: reader.text()?,
        labels: reader.pairs()?,
        // A copy: a part of what was received would keep all of that in memory.
        body: Bytes::copy_from_slice(&reader.bytes()?),
    };
    if request.is_within_limits() { Ok(request) } else { Err(WireError::Value("event")) }
}

pub(super) fn write_reply(writer: Writer, reply: &EmitReply) -> Writer {
    let (kind, event) = match reply {
        EmitReply::Done { event, repeated: false } => (DONE, *event),
        EmitReply::Done { event, repeated: true } => (REPEATED, *event),
        EmitReply::Denied => (DENIED, NO_EVENT),
        EmitReply::Unavailable => (UNAVAILABLE, NO_EVENT),
        EmitReply::Stale => (STALE, NO_EVENT),
    };
    writer.u32(kind).bytes(event.as_bytes())
}

pub(super) fn read_reply(reader: &mut Reader) -> Result<EmitReply, WireError> {
    let (kind, event) = (reader.u32()?, reader.bytes()?);
    let event = <[u8; 16]>::try_from(&event[..]).map_err(|_| WireError::Value("event id"))?;
    let event = EventId::from_bytes(event);
    Ok(match kind {
        DONE => EmitReply::Done { event, repeated: false },
        REPEATED => EmitReply::Done { event, repeated: true },
        DENIED => EmitReply::Denied,
        UNAVAILABLE => EmitReply::Unavailable,
        STALE => EmitReply::Stale,
        _ => return Err(WireError::Value("answer")),
    })
}

const NO_EVENT: EventId = EventId::from_bytes([0; 16]);
