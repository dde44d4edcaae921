//! Frames from the gateway to the child.

use std::{collections::BTreeMap, ffi::OsStr, os::unix::ffi::OsStrExt, path::PathBuf};

use bytes::{Bytes, BytesMut};
use postroom_core::secret::Secret;

use super::{
    WireError,
    bytes_of::{Reader, Writer},
};
use crate::delivery::Offer;

/// What the gateway says.
#[derive(Debug, PartialEq)]
pub(crate) enum ToChild {
    /// The first frame: load the plugin and make an instance.
    Start(Start),
    /// Deliver an event.
    Deliver(Box<Offer>),
    /// The delivery with this token is no longer wanted.
    Cancel { token: u64 },
    /// Answer with a pong; whoever is stuck inside the plugin cannot.
    Ping,
    /// Drain until the deadline, destroy the instance, leave.
    Stop { deadline_unix_ms: u64 },
}

/// What a child needs to begin.
#[derive(Debug, PartialEq)]
pub(crate) struct Start {
    pub(crate) library: PathBuf,
    pub(crate) config_json: String,
    /// The secrets that the config names, and no others.
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// Most deliveries in flight at once.
    pub(crate) concurrency: u32,
    /// Highest level of log records worth sending, as `POSTROOM_LOG_*`.
    pub(crate) log_level: u32,
    /// Only check the configuration, then leave.
    pub(crate) check_only: bool,
}

const START: u8 = 1;
const DELIVER: u8 = 2;
const CANCEL: u8 = 3;
const PING: u8 = 4;
const STOP: u8 = 5;

impl ToChild {
    /// The frame in two parts to be sent one after the other, so that a body is never copied.
    pub(crate) fn encode(&self) -> (BytesMut, Bytes) {
        let head = match self {
            Self::Start(start) => Writer::new(START)
                .bytes(start.library.as_os_str().as_bytes())
                .text(&start.config_json)
                .pairs(start.secrets.iter().map(|(name, secret)| (name.as_str(), secret.expose())))
                .u32(start.concurrency)
                .u32(start.log_level)
                .flag(start.check_only),
            Self::Deliver(offer) => return (encode_offer(offer), offer.body.clone()),
            Self::Cancel { token } => Writer::new(CANCEL).u64(*token),
            Self::Ping => Writer::new(PING),
            Self::Stop { deadline_unix_ms } => Writer::new(STOP).u64(*deadline_unix_ms),
        };
        (head.finish(0), Bytes::new())
    }

    pub(crate) fn decode(frame: Bytes) -> Result<Self, WireError> {
        let (frame_type, mut reader) = Reader::new(frame)?;
        let message = match frame_type {
            START => Self::Start(Start {
                library: OsStr::from_bytes(&reader.bytes()?).into(),
                config_json: reader.text()?,
                secrets: reader
                    .pairs::<BTreeMap<_, _>>()?
                    .into_iter()
                    .map(|(name, value)| (name, Secret::new(value)))
                    .collect(),
                concurrency: reader.u32()?,
                log_level: reader.u32()?,
                check_only: reader.flag()?,
            }),
            DELIVER => Self::Deliver(Box::new(decode_offer(&mut reader)?)),
            CANCEL => Self::Cancel { token: reader.u64()? },
            PING => Self::Ping,
            STOP => Self::Stop { deadline_unix_ms: reader.u64()? },
            other => return Err(WireError::Type(other)),
        };
        reader.end()?;
        Ok(message)
    }
}

fn encode_offer(offer: &Offer) -> BytesMut {
    Writer::new(DELIVER)
        .u64(offer.token)
        .u32(offer.attempt)
        .u64(offer.received_unix_ms)
        .u64(offer.deadline_unix_ms)
        .text(&offer.id)
        .text(&offer.kind)
        .text(&offer.subject)
        .text(&offer.verdict)
        .text(&offer.source)
        .text(&offer.content_type)
        .text(&offer.ordering_key)
        .pairs(offer.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())))
        .finish(offer.body.len())
}

fn decode_offer(reader: &mut Reader) -> Result<Offer, WireError> {
    Ok(Offer {
        token: reader.u64()?,
        attempt: reader.u32()?,
        received_unix_ms: reader.u64()?,
        deadline_unix_ms: reader.u64()?,
        id: reader.text()?,
        kind: reader.text()?,
        subject: reader.text()?,
        verdict: reader.text()?,
        source: reader.text()?,
        content_type: reader.text()?,
        ordering_key: reader.text()?,
        labels: reader.pairs()?,
        body: reader.rest(),
    })
}
