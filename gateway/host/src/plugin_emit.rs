//! Events that a plugin makes, and who takes them.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use postroom_core::{
    event::{EmittedKind, Verdict},
    id::EventId,
    limits,
};

/// Longest idempotency key of a plugin, in bytes. The gateway's own are longer.
pub(crate) const KEY_BYTES_MAX: usize = 128;
/// Events of one plugin that wait for their answer.
pub(crate) const WAITING_MAX: usize = 256;
/// What those may take, in bytes.
pub(crate) const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Takes the events that one destination's plugin makes.
pub trait PluginEmit: Debug + Send + Sync {
    /// Keeps an event and routes it. Whoever is answered [`EmitReply::Done`] knows that it is on disk. The future may be
    /// dropped: the event then is kept or not as a whole.
    fn emit(&self, emission: Emission) -> Pin<Box<dyn Future<Output = EmitReply> + Send + '_>>;
}

/// An event as a plugin makes it. Its kind is one that the plugin has declared, and its texts are within their bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emission {
    /// What it is.
    pub kind: EmittedKind,
    /// What it is about.
    pub subject: Option<String>,
    /// Its lane at destinations; without one the gateway chooses.
    pub ordering_key: Option<String>,
    /// What it says about what it is about.
    pub verdict: Option<Verdict>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The type of its body.
    pub content_type: Option<String>,
    /// Its body.
    pub body: Bytes,
    /// What a repeat is known by, as the plugin has chosen it.
    pub key: Option<String>,
    /// The delivery in which it was made.
    pub origin: Option<Origin>,
}

/// The delivery in which an event was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The event that the plugin was delivering.
    pub event: EventId,
    /// How many plugins stand behind that event.
    pub hops: u8,
    /// How many events with the same content the plugin has made in the same attempt before.
    pub nth: u32,
}

/// The answer to an emit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmitReply {
    /// It is on disk.
    Done {
        /// The event; of a repeat, the first one.
        event: EventId,
        /// Whether it was there before.
        repeated: bool,
    },
    /// The plugin may not make it.
    Denied,
    /// Not possible now. It may still happen.
    Unavailable,
    /// The delivery or the instance is gone. It may still happen.
    Stale,
}

/// Takes every event and keeps none: for trying a plugin where nothing is routed.
#[derive(Debug, Default)]
pub struct ForgottenEvents(AtomicU64);

impl PluginEmit for ForgottenEvents {
    fn emit(&self, _: Emission) -> Pin<Box<dyn Future<Output = EmitReply> + Send + '_>> {
        let number = u128::from(self.0.fetch_add(1, Ordering::Relaxed)) + 1;
        let reply = EmitReply::Done { event: EventId::from_bytes(number.to_be_bytes()), repeated: false };
        Box::pin(async move { reply })
    }
}

/// An event on its way from the plugin's process, which vouches for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EmitRequest {
    /// The delivery in which it was made; 0 for none.
    pub(crate) token: u64,
    /// See [`Origin::nth`].
    pub(crate) nth: u32,
    /// Not yet known to be one that the plugin has declared.
    pub(crate) kind: EmittedKind,
    pub(crate) subject: String,
    pub(crate) ordering_key: String,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) content_type: String,
    pub(crate) key: String,
    pub(crate) body: Bytes,
}

impl EmitRequest {
    /// What it takes while it waits, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let Self { subject, ordering_key, content_type, key, labels, body, .. } = self;
        let labels: usize = labels.iter().map(|(name, value)| name.len() + value.len()).sum();
        subject.len() + ordering_key.len() + content_type.len() + key.len() + labels + body.len()
    }

    /// Whether everything is as long as the contract has it, and without characters that forge lines.
    pub(crate) fn is_within_limits(&self) -> bool {
        let fits = |text: &str, bytes_max| text.len() <= bytes_max && !text.contains(char::is_control);
        let label_fits = |(name, value): (&String, &String)| {
            !name.is_empty() && fits(name, limits::LABEL_BYTES_MAX) && fits(value, limits::LABEL_BYTES_MAX)
        };
        fits(&self.subject, limits::FACT_BYTES_MAX)
            && fits(&self.ordering_key, limits::FACT_BYTES_MAX)
            && fits(&self.content_type, limits::CONTENT_TYPE_BYTES_MAX)
            && fits(&self.key, KEY_BYTES_MAX)
            && self.labels.len() <= limits::LABELS_MAX
            && self.labels.iter().all(label_fits)
            && self.body.len() <= limits::EMIT_BYTES_MAX
    }

    /// What the gateway is asked to keep.
    pub(crate) fn emission(self, origin: Option<Origin>) -> Emission {
        let some = |text: String| (!text.is_empty()).then_some(text);
        Emission {
            kind: self.kind,
            subject: some(self.subject),
            ordering_key: some(self.ordering_key),
            verdict: self.verdict,
            labels: self.labels,
            content_type: some(self.content_type),
            body: self.body,
            key: some(self.key),
            origin,
        }
    }
}
