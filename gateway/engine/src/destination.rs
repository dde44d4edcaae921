//! What the dispatcher knows of a destination, and how it hands a delivery over.

use std::{fmt::Debug, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use postroom_core::{id::DestinationName, lane::LaneSettings, retry::RetryPolicy, schedule::Schedule};
use postroom_host::{Delivered, Instance, PluginDelivery};

/// A destination as the dispatcher runs it.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Its name in the configuration.
    pub name: DestinationName,
    /// How its lanes run.
    pub lanes: LaneSettings,
    /// When deliveries may start; always, without one.
    pub schedule: Option<Schedule>,
    /// When failed deliveries are tried again.
    pub retry: RetryPolicy,
    /// How long one attempt may take.
    pub attempt_max: Duration,
    /// How long it may take in all when the plugin asks for more time; not less than `attempt_max`.
    pub extend_max: Duration,
    /// Who delivers.
    pub deliver: Arc<dyn Deliver>,
}

/// Makes attempts. Implemented by plugin instances; tests bring their own.
pub trait Deliver: Debug + Send + Sync {
    /// Makes one attempt and says how it ended, within the delivery's time limit.
    fn deliver(&self, delivery: PluginDelivery) -> BoxFuture<'static, Delivered>;
}

impl Deliver for Instance {
    fn deliver(&self, delivery: PluginDelivery) -> BoxFuture<'static, Delivered> {
        let instance = self.clone();
        Box::pin(async move { Self::deliver(&instance, delivery).await })
    }
}
