//! What the dispatcher knows of a destination, and how it hands a delivery over.

use std::{fmt::Debug, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use postroom_core::{
    event::Event,
    id::{DeliveryId, DestinationName},
    lane::LaneSettings,
    outcome::Outcome,
    retry::RetryPolicy,
    time::Timestamp,
};

/// A destination as the dispatcher runs it.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Its name in the configuration.
    pub name: DestinationName,
    /// How its lanes run.
    pub lanes: LaneSettings,
    /// When failed deliveries are tried again.
    pub retry: RetryPolicy,
    /// How long one attempt may take.
    pub attempt_max: Duration,
    /// Who delivers.
    pub deliver: Arc<dyn Deliver>,
}

/// One attempt, ready to hand over.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Which delivery.
    pub delivery: DeliveryId,
    /// The event.
    pub event: Arc<Event>,
    /// Its body, byte for byte.
    pub body: Bytes,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// When the attempt counts as failed.
    pub deadline: Timestamp,
    /// The same as a duration from the hand-over.
    pub time_limit: Duration,
}

/// How a hand-over ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// The attempt was made.
    Outcome(Outcome),
    /// No attempt was made, for example because the plugin is being restarted. Offer it again; it costs no attempt.
    NotAccepted,
}

/// Makes attempts. Implemented by plugin instances; tests bring their own.
pub trait Deliver: Debug + Send + Sync {
    /// Makes one attempt and says how it ended, within the parcel's time limit.
    fn deliver(&self, parcel: Parcel) -> BoxFuture<'static, Delivered>;
}
