//! The events that a plugin is given.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use postroom_core::{event::Event, id::EventId, time::Timestamp};
use tokio_util::sync::CancellationToken;

use super::{Broken, Subject};
use crate::{body::PluginBody, clock, delivery::PluginDelivery};

/// How long one delivery may take.
const DELIVERY_MAX: Duration = Duration::from_secs(20);

/// Makes events of this process different from each other.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// An event as the gateway makes it of a webhook. Its id, its time and its ordering key are replaced in every delivery.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The event.
    pub event: Arc<Event>,
    /// Its body.
    pub body: Bytes,
}

impl Subject {
    /// The sample for checks that are not about a kind: the first of a kind that the plugin's manifest names.
    pub(super) fn usual_sample(&self) -> Result<&Sample, Broken> {
        let kinds = &self.instance.plugin.manifest.kinds;
        let named = |sample: &&Sample| kinds.iter().any(|kind| kind == sample.event.kind.as_str());
        let sample = self.samples.iter().find(named).or_else(|| self.samples.first());
        sample.ok_or_else(|| Broken::new("there is no sample event to deliver"))
    }
}

impl Sample {
    /// A first attempt of a new event like this one.
    #[must_use]
    pub fn delivery(&self) -> PluginDelivery {
        let bytes = self.body.len() as u64;
        self.delivery_of(PluginBody::Bytes(self.body.clone()), bytes)
    }

    /// The same with another body.
    pub(super) fn delivery_with(&self, body: Bytes) -> PluginDelivery {
        let bytes = body.len() as u64;
        self.delivery_of(PluginBody::Bytes(body), bytes)
    }

    pub(super) fn delivery_of(&self, body: PluginBody, body_bytes: u64) -> PluginDelivery {
        let now = clock::now();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut event = Event::clone(&self.event);
        event.id = event_id(now, number);
        event.received_at = now;
        event.body_bytes = body_bytes;
        // Events with the same key would come one at a time.
        event.ordering_key = format!("{}:{number}", event.ordering_key).into();
        PluginDelivery {
            event: Arc::new(event),
            body,
            attempt: 1,
            deadline: now.plus(DELIVERY_MAX),
            time_limit: DELIVERY_MAX,
            time_limit_max: DELIVERY_MAX,
            cancel: CancellationToken::new(),
        }
    }
}

/// A UUIDv7 with `number` in place of what is random.
fn event_id(now: Timestamp, number: u64) -> EventId {
    let mut id = [0; 16];
    id[..6].copy_from_slice(&clock::unix_ms(now).to_be_bytes()[2..]);
    id[8..].copy_from_slice(&number.to_be_bytes());
    id[6] = 0x70;
    id[8] = 0x80;
    EventId::from_bytes(id)
}
