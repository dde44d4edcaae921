//! A delivery on its way to a plugin, and how it comes back.

use std::{sync::Arc, time::Duration};

use postroom_core::{event::Event, outcome::Outcome, time::Timestamp};
use tokio_util::sync::CancellationToken;

use crate::body::PluginBody;

/// One attempt of a delivery.
#[derive(Debug, Clone)]
pub struct PluginDelivery {
    /// The event.
    pub event: Arc<Event>,
    /// Its body, as it was sent.
    pub body: PluginBody,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// When the attempt must be over, as the plugin is told.
    pub deadline: Timestamp,
    /// How long the attempt may take, measured here.
    pub time_limit: Duration,
    /// How long it may take in all when the plugin asks for more time; never less than `time_limit`.
    pub time_limit_max: Duration,
    /// Cancelled when nobody wants the delivery any more.
    pub cancel: CancellationToken,
}

impl PluginDelivery {
    /// The latest deadline that the plugin can ask for.
    pub(crate) fn deadline_max(&self) -> Timestamp {
        self.deadline.plus(self.time_limit_max.saturating_sub(self.time_limit))
    }
}

/// How an attempt came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// The attempt was made and ended so, before the plugin heard of a cancel. One that delivered although it was told to
    /// stop counts as delivered.
    Outcome(Outcome),
    /// The plugin's process ended while it had the delivery: a retry, or permanent for an event that has ended it again and
    /// again while it was alone. Either says nothing about the remote side.
    Interrupted(Outcome),
    /// The plugin was busy or not running: offer the delivery again. This costs no attempt, for nobody tried. Also when it
    /// was cancelled before the plugin had it.
    NotAccepted,
    /// It was cancelled while the plugin had it, and the plugin has let go of it without having said that it is delivered,
    /// or has ended. Whether the remote side has it is not known.
    Cancelled,
}
