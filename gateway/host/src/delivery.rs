//! A delivery on its way to a plugin, and how it comes back.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use postroom_core::{event::Event, outcome::Outcome, time::Timestamp};

use crate::{clock, wire::TO_CHILD_BYTES_MAX};

/// Largest body that a plugin can be given, in bytes. Larger ones end as dead letters, so do not take them in.
pub const PLUGIN_BODY_BYTES_MAX: usize = TO_CHILD_BYTES_MAX - HEAD_BYTES_MAX;
/// Room in a frame for all that is not the body.
const HEAD_BYTES_MAX: usize = 1024 * 1024;

/// One attempt of a delivery.
#[derive(Debug, Clone)]
pub struct PluginDelivery {
    /// The event.
    pub event: Arc<Event>,
    /// Its body, as it was sent.
    pub body: Bytes,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// When the attempt must be over, as the plugin is told.
    pub deadline: Timestamp,
    /// How long the attempt may take, measured here.
    pub time_limit: Duration,
}

/// How an attempt came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// The attempt was made and ended so.
    Outcome(Outcome),
    /// The plugin was busy or not running: offer the delivery again. This costs no attempt, for nobody tried.
    NotAccepted,
}

/// An attempt as it crosses to the plugin: only texts, numbers and the body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Offer {
    /// Names the attempt between gateway, child and plugin; never 0, never used again.
    pub(crate) token: u64,
    pub(crate) attempt: u32,
    pub(crate) received_unix_ms: u64,
    pub(crate) deadline_unix_ms: u64,
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) subject: String,
    pub(crate) verdict: String,
    pub(crate) source: String,
    pub(crate) content_type: String,
    pub(crate) ordering_key: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Offer {
    pub(crate) fn new(token: u64, delivery: &PluginDelivery) -> Self {
        let event = &delivery.event;
        let verdict = event.verdict.map_or_else(String::new, |verdict| verdict.as_str().to_owned());
        Self {
            token,
            attempt: delivery.attempt,
            received_unix_ms: clock::unix_ms(event.received_at),
            deadline_unix_ms: clock::unix_ms(delivery.deadline),
            id: event.id.to_string(),
            kind: event.kind.as_str().to_owned(),
            subject: event.subject.clone().unwrap_or_default(),
            verdict,
            source: event.source.as_str().to_owned(),
            content_type: event.content_type.clone().unwrap_or_default(),
            ordering_key: event.ordering_key.as_ref().to_owned(),
            labels: event.labels.clone().into_iter().collect(),
            body: delivery.body.clone(),
        }
    }
}
