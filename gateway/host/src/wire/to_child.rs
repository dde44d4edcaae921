//! Frames from the gateway to the child.

use std::{collections::BTreeMap, fs::File, sync::Arc};

use bytes::{Bytes, BytesMut};
use postroom_core::{event::Verdict, secret::Secret};

use super::{
    WireError,
    bytes_of::{Reader, Writer},
    emit,
    state::{read_reply, write_reply},
};
use crate::{
    body::PluginBody, clock, delivery::PluginDelivery, offer::Offer, plugin_emit::EmitReply,
    plugin_state::StateReply, sandbox::Plan,
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
    /// The secrets that take the place of those before; of several, the highest number counts.
    Secrets { number: u64, secrets: BTreeMap<String, Secret> },
    /// The answer to an event that the plugin made.
    EmitReply { request: u64, reply: EmitReply },
    /// Carry out an action of the plugin, whose input is a JSON object.
    Action { token: u64, deadline_unix_ms: u64, name: String, input_json: Bytes },
    /// Nobody waits for the action with this token any more.
    CancelAction { token: u64 },
    /// Ask the plugin how it is.
    Health,
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
    /// The metrics that the plugin has declared, with the kind of each.
    pub(crate) metrics: BTreeMap<String, String>,
    /// Whether the plugin may make events.
    pub(crate) emit: bool,
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
const HEALTH: u8 = 8;
const SECRETS: u8 = 9;
const ACTION: u8 = 11;
const EMIT_REPLY: u8 = 12;
const CANCEL_ACTION: u8 = 13;

impl Frame {
    /// The first frame, with the library that the process loads.
    pub(crate) fn start(start: &Start, library: Arc<File>) -> Self {
        let head = Writer::new(START)
            .bytes(&start.plan.encode())
            .text(&start.config_json)
            .pairs(exposed(&start.secrets))
            .u32(start.concurrency)
            .u32(start.log_level)
            .pairs(start.metrics.iter().map(|(name, kind)| (name.as_str(), kind.as_str())))
            .flag(start.emit)
            .flag(start.check_only)
            .finish(0);
        Self { head, tail: Tail::Descriptor(library) }
    }

    /// A delivery, told apart by `token` from now on. Its body has passed [`PluginBody::check`].
    pub(crate) fn deliver(token: u64, delivery: &PluginDelivery) -> Self {
        Self::deliver_kind(delivery.event.kind.as_str(), token, delivery)
    }

    /// A delivery of an event that is said to be of this kind, which this version may not know.
    pub(crate) fn deliver_kind(kind: &str, token: u64, delivery: &PluginDelivery) -> Self {
        match &delivery.body {
            PluginBody::Bytes(body) => Self {
                head: write_offer(DELIVER, kind, token, delivery).finish(body.len()),
                tail: Tail::Bytes(body.clone()),
            },
            PluginBody::File { file, bytes } => Self {
                head: write_offer(DELIVER_FILE, kind, token, delivery).u64(*bytes).finish(0),
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

    pub(crate) fn secrets(number: u64, secrets: &BTreeMap<String, Secret>) -> Self {
        Writer::new(SECRETS).u64(number).pairs(exposed(secrets)).into()
    }

    pub(crate) fn emit_reply(request: u64, reply: &EmitReply) -> Self {
        emit::write_reply(Writer::new(EMIT_REPLY).u64(request), reply).into()
    }

    pub(crate) fn action(token: u64, deadline_unix_ms: u64, name: &str, input_json: String) -> Self {
        let head = Writer::new(ACTION).u64(token).u64(deadline_unix_ms).text(name).finish(input_json.len());
        Self { head, tail: Tail::Bytes(input_json.into()) }
    }

    pub(crate) fn cancel_action(token: u64) -> Self {
        Writer::new(CANCEL_ACTION).u64(token).into()
    }

    pub(crate) fn health() -> Self {
        Writer::new(HEALTH).into()
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

fn write_offer(frame_type: u8, kind: &str, token: u64, delivery: &PluginDelivery) -> Writer {
    let event = &delivery.event;
    Writer::new(frame_type)
        .u64(token)
        .u32(delivery.attempt)
        .u64(clock::unix_ms(event.received_at))
        .u64(clock::unix_ms(delivery.deadline))
        .u64(clock::unix_ms(delivery.deadline_max()))
        .text(&event.id.to_string())
        .text(kind)
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
                secrets: read_secrets(&mut reader)?,
                concurrency: reader.u32()?,
                log_level: reader.u32()?,
                metrics: reader.pairs()?,
                emit: reader.flag()?,
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
            HEALTH => Self::Health,
            PING => Self::Ping,
            STOP => Self::Stop { deadline_unix_ms: reader.u64()? },
            SECRETS => Self::Secrets { number: reader.u64()?, secrets: read_secrets(&mut reader)? },
            EMIT_REPLY => Self::EmitReply { request: reader.u64()?, reply: emit::read_reply(&mut reader)? },
            STATE_REPLY => Self::StateReply { request: reader.u64()?, reply: read_reply(&mut reader)? },
            ACTION => Self::Action {
                token: reader.u64()?,
                deadline_unix_ms: reader.u64()?,
                name: reader.text()?,
                input_json: reader.rest(),
            },
            CANCEL_ACTION => Self::CancelAction { token: reader.u64()? },
            other => return Err(WireError::Type(other)),
        };
        reader.end()?;
        Ok(message)
    }
}

fn exposed(secrets: &BTreeMap<String, Secret>) -> impl ExactSizeIterator<Item = (&str, &str)> {
    secrets.iter().map(|(name, secret)| (name.as_str(), secret.expose()))
}

fn read_secrets(reader: &mut Reader) -> Result<BTreeMap<String, Secret>, WireError> {
    let secrets: BTreeMap<String, String> = reader.pairs()?;
    Ok(secrets.into_iter().map(|(name, value)| (name, Secret::new(value))).collect())
}

/// Reads an offer, which has no body yet.
fn read_offer(reader: &mut Reader) -> Result<Offer, WireError> {
    Ok(Offer {
        token: reader.u64()?,
        attempt: reader.u32()?,
        received_unix_ms: reader.u64()?,
        deadline_unix_ms: reader.u64()?,
        deadline_max_unix_ms: reader.u64()?,
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
