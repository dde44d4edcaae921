//! Frames from the gateway to the child.

use std::{collections::BTreeMap, fs::File, sync::Arc};

use bytes::{Bytes, BytesMut};
use postroom_core::{event::Verdict, secret::Secret};

use super::{
    WireError,
    bytes_of::{Reader, Writer},
    state::{read_reply, write_reply},
};
use crate::{
    body::PluginBody, clock, delivery::PluginDelivery, offer::Offer, plugin_state::StateReply, sandbox::Plan,
};

/// What the gateway says, as the child reads it. [`Frame`] is the same as the gateway sends it.
#[derive(Debug, PartialEq)]
pub(crate) enum ToChild {
    /// The first frame: load the plugin and make an instance.
    Start(Start),
    /// Deliver an event.
    Deliver(Box<Offer>),
    /// Deliver an event whose body, of so many bytes, is the file that came with the frame.
    DeliverFile { offer: Box<Offer>, bytes: u64 },
    /// The delivery with this token is no longer wanted.
    Cancel { token: u64 },
    /// The answer to what the plugin asked about its state.
    StateReply { request: u64, reply: StateReply },
    /// Answer with a pong; whoever is stuck inside the plugin cannot.
    Ping,
    /// Drain until the deadline, destroy the instance, leave.
    Stop { deadline_unix_ms: u64 },
}

/// What a child needs to begin.
#[derive(Debug, PartialEq)]
pub(crate) struct Start {
    /// How the process locks itself up. The library itself comes as a file with the frame.
    pub(crate) plan: Plan,
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

/// A frame to the child, ready to be sent: its head, and what goes out right behind or together with it.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) head: BytesMut,
    pub(crate) tail: Tail,
}

#[derive(Debug)]
pub(crate) enum Tail {
    /// The rest of the frame's bytes. Apart, so that a body is never copied.
    Bytes(Bytes),
    /// A descriptor, which travels with the head. There is one in flight for each such frame, in the frames' order.
    Descriptor(Arc<File>),
}

const START: u8 = 1;
const DELIVER: u8 = 2;
const DELIVER_FILE: u8 = 3;
const CANCEL: u8 = 4;
const PING: u8 = 5;
const STOP: u8 = 6;
const STATE_REPLY: u8 = 7;

impl Frame {
    /// The first frame, with the library that the process loads.
    pub(crate) fn start(start: &Start, library: Arc<File>) -> Self {
        let head = Writer::new(START)
            .bytes(&start.plan.encode())
            .text(&start.config_json)
            .pairs(start.secrets.iter().map(|(name, secret)| (name.as_str(), secret.expose())))
            .u32(start.concurrency)
            .u32(start.log_level)
            .flag(start.check_only)
            .finish(0);
        Self { head, tail: Tail::Descriptor(library) }
    }

    /// A delivery, told apart by `token` from now on. Its body has passed [`PluginBody::check`].
    pub(crate) fn deliver(token: u64, delivery: &PluginDelivery) -> Self {
        match &delivery.body {
            PluginBody::Bytes(body) => Self {
                head: write_offer(DELIVER, token, delivery).finish(body.len()),
                tail: Tail::Bytes(body.clone()),
            },
            PluginBody::File { file, bytes } => Self {
                head: write_offer(DELIVER_FILE, token, delivery).u64(*bytes).finish(0),
                tail: Tail::Descriptor(Arc::clone(file)),
            },
        }
    }

    pub(crate) fn cancel(token: u64) -> Self {
        Writer::new(CANCEL).u64(token).into()
    }

    pub(crate) fn state_reply(request: u64, reply: &StateReply) -> Self {
        let (head, value) = write_reply(Writer::new(STATE_REPLY).u64(request), reply);
        Self { head: head.finish(value.len()), tail: Tail::Bytes(value) }
    }

    pub(crate) fn ping() -> Self {
        Writer::new(PING).into()
    }

    pub(crate) fn stop(deadline_unix_ms: u64) -> Self {
        Writer::new(STOP).u64(deadline_unix_ms).into()
    }
}

impl From<Writer> for Frame {
    fn from(writer: Writer) -> Self {
        Self { head: writer.finish(0), tail: Tail::Bytes(Bytes::new()) }
    }
}

fn write_offer(frame_type: u8, token: u64, delivery: &PluginDelivery) -> Writer {
    let event = &delivery.event;
    Writer::new(frame_type)
        .u64(token)
        .u32(delivery.attempt)
        .u64(clock::unix_ms(event.received_at))
        .u64(clock::unix_ms(delivery.deadline))
        .text(&event.id.to_string())
        .text(event.kind.as_str())
        .text(event.subject.as_deref().unwrap_or_default())
        .text(event.verdict.map_or("", Verdict::as_str))
        .text(event.source.as_str())
        .text(event.content_type.as_deref().unwrap_or_default())
        .text(event.ordering_key.as_ref())
        .pairs(event.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())))
}

impl ToChild {
    pub(crate) fn decode(frame: Bytes) -> Result<Self, WireError> {
        let (frame_type, mut reader) = Reader::new(frame)?;
        let message = match frame_type {
            START => Self::Start(Start {
                plan: Plan::decode(&reader.bytes()?).ok_or(WireError::Value("plan"))?,
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
            DELIVER => {
                let mut offer = Box::new(read_offer(&mut reader)?);
                offer.body = reader.rest();
                Self::Deliver(offer)
            }
            DELIVER_FILE => {
                Self::DeliverFile { offer: Box::new(read_offer(&mut reader)?), bytes: reader.u64()? }
            }
            CANCEL => Self::Cancel { token: reader.u64()? },
            PING => Self::Ping,
            STOP => Self::Stop { deadline_unix_ms: reader.u64()? },
            STATE_REPLY => Self::StateReply { request: reader.u64()?, reply: read_reply(&mut reader)? },
            other => return Err(WireError::Type(other)),
        };
        reader.end()?;
        Ok(message)
    }
}

/// Reads an offer, which has no body yet.
fn read_offer(reader: &mut Reader) -> Result<Offer, WireError> {
    Ok(Offer {
        token: reader.u64()?,
        attempt: reader.u32()?,
        received_unix_ms: reader.u64()?,
        deadline_unix_ms: reader.u64()?,
        id: reader.text_in_place()?,
        kind: reader.text_in_place()?,
        subject: reader.text_in_place()?,
        verdict: reader.text_in_place()?,
        source: reader.text_in_place()?,
        content_type: reader.text_in_place()?,
        ordering_key: reader.text_in_place()?,
        labels: reader.list(|reader| Ok((reader.text_in_place()?, reader.text_in_place()?)))?,
        body: Bytes::new(),
    })
}
