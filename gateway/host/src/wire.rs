//! What the gateway and a plugin's process say to each other, over a socket pair.
//!
//! A frame is a length (u32, little-endian), a type (one byte) and a payload. Both ends are the same binary, so the
//! format is private and carries no version. Trust is one-sided: the child believes the gateway, but the gateway
//! treats the child's bytes as those of a stranger, because the plugin can write to the socket too.

mod bytes_of;
mod emit;
mod metric;
mod places;
mod state;
mod to_child;
mod to_gateway;

use bytes::{Buf, Bytes, BytesMut};

use crate::action::OUTPUT_BYTES_MAX;

pub(crate) use self::{
    to_child::{Frame, Start, Tail, ToChild},
    to_gateway::ToGateway,
};

/// Largest frame that a child may send: the output of an action with its message. All else is far smaller.
pub(crate) const TO_GATEWAY_BYTES_MAX: usize = OUTPUT_BYTES_MAX + 64 * 1024;
/// Largest frame that the gateway sends: an event with its body.
pub(crate) const TO_CHILD_BYTES_MAX: usize = 1024 * 1024 * 1024;

const LENGTH_BYTES: usize = 4;

/// A frame that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    #[error("a frame of {bytes} bytes, {bytes_max} are allowed")]
    Length { bytes: usize, bytes_max: usize },
    #[error("unknown frame type {0}")]
    Type(u8),
    #[error("a frame ends early")]
    Short,
    #[error("{0} bytes too many in a frame")]
    Trailing(usize),
    #[error("a frame has a wrong {0}")]
    Value(&'static str),
}

/// Takes the next whole frame (type and payload, without the length) off `buffer`; `None` when there is none yet.
///
/// Never allocates: what a length claims costs nothing until the bytes have come.
pub(crate) fn take_frame(buffer: &mut BytesMut, bytes_max: usize) -> Result<Option<Bytes>, WireError> {
    let Some(prefix) = buffer.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
    let bytes = frame_length(*prefix, bytes_max)?;
    if buffer.len() < LENGTH_BYTES + bytes {
        return Ok(None);
    }
    buffer.advance(LENGTH_BYTES);
    Ok(Some(buffer.split_to(bytes).freeze()))
}

/// Reads the length before a frame. A frame has at least its type.
pub(crate) fn frame_length(prefix: [u8; LENGTH_BYTES], bytes_max: usize) -> Result<usize, WireError> {
    let bytes = usize::try_from(u32::from_le_bytes(prefix)).unwrap_or(usize::MAX);
    if (1..=bytes_max).contains(&bytes) { Ok(bytes) } else { Err(WireError::Length { bytes, bytes_max }) }
}

#[cfg(test)]
mod tests;
