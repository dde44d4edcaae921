//! A plugin instance as a destination's deliverer.

use futures_util::future::BoxFuture;
use postroom_host::{Instance, PluginDelivery};

use crate::destination::{Deliver, Delivered, Parcel};

impl Deliver for Instance {
    fn deliver(&self, parcel: Parcel) -> BoxFuture<'static, Delivered> {
        let instance = self.clone();
        Box::pin(async move {
            let Parcel { event, body, attempt, deadline, time_limit, .. } = parcel;
            match instance.deliver(PluginDelivery { event, body, attempt, deadline, time_limit }).await {
                postroom_host::Delivered::Outcome(outcome) => Delivered::Outcome(outcome),
                postroom_host::Delivered::NotAccepted => Delivered::NotAccepted,
            }
        })
    }
}
