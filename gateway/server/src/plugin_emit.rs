//! The events that plugins make, on their way through the gateway's own intake.

mod rates;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use postroom_core::{id::DestinationName, limits, time::Timestamp};
use postroom_engine::{Clock, Emitted, Intake};
use postroom_host::{Emission, EmitReply, PluginEmit};
use sha2::{Digest as _, Sha256};

pub(crate) use self::rates::{EmitRate, EmitRates};

/// After a line about a refusal, more of them are counted for so long.
const GATHERED_FOR: Duration = Duration::from_secs(60);

/// Takes the events of one destination's plugin.
pub(crate) struct RoutedEmit {
    intake: Arc<Intake>,
    destination: DestinationName,
    clock: Clock,
    rate: EmitRate,
    refusals: Mutex<Refusals>,
}

/// Those that were not told yet.
#[derive(Debug, Default)]
struct Refusals {
    told_at: Option<Timestamp>,
    untold: u64,
}

impl RoutedEmit {
    /// Takes the rate of the destination, too.
    pub(crate) fn new(
        intake: Arc<Intake>,
        destination: DestinationName,
        clock: Clock,
        rate: EmitRate,
    ) -> Self {
        Self { intake, destination, clock, rate, refusals: Mutex::default() }
    }

    async fn keep(&self, emission: Emission) -> EmitReply {
        let hops = emission.origin.map_or(0, |origin| origin.hops).saturating_add(1);
        if hops > limits::HOPS_MAX {
            self.refused(&emission, "too many plugins stand behind it: routes lead events in a circle");
            return EmitReply::Denied;
        }
        if let Err(too_fast) = self.rate.take(&emission, self.clock.now()) {
            self.refused(&emission, &too_fast.to_string());
            return EmitReply::Unavailable;
        }
        let bytes = rates::cost(&emission);
        let key = key_of(&emission);
        let Emission { kind, subject, ordering_key, verdict, labels, content_type, body, .. } = emission;
        let destination = self.destination.clone();
        let emitted = Emitted {
            destination,
            kind,
            subject,
            ordering_key,
            verdict,
            labels,
            content_type,
            body,
            key,
            hops,
        };
        match self.intake.emit(emitted).await {
            Ok(receipt) => {
                if receipt.repeated {
                    self.rate.give_back(bytes);
                }
                EmitReply::Done { event: receipt.event, repeated: receipt.repeated }
            }
            // The store says it once, and a metric counts.
            Err(_) => EmitReply::Unavailable,
        }
    }

    /// Tells of a refusal; a plugin that goes on and on fills no disk.
    fn refused(&self, emission: &Emission, reason: &str) {
        let now = self.clock.now();
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        if refusals.told_at.is_some_and(|at| now < at.plus(GATHERED_FOR)) {
            refusals.untold += 1;
            return;
        }
        let untold = std::mem::take(&mut refusals.untold);
        refusals.told_at = Some(now);
        let (destination, kind) = (self.destination.as_str(), emission.kind);
        let event = emission.origin.map(|origin| tracing::field::display(origin.event));
        tracing::warn!(destination, %kind, event, untold, reason, "event of a plugin refused");
    }
}

/// What a repeat is known by. A key of the plugin's own is never one of those that are made here.
fn key_of(emission: &Emission) -> Option<String> {
    if let Some(key) = &emission.key {
        return Some(format!("key:{}:{key}", emission.kind));
    }
    let origin = emission.origin?;
    let Emission { kind, subject, ordering_key, verdict, labels, content_type, body, .. } = emission;
    let mut hasher = Sha256::new();
    // With lengths before them, so that no two different events look the same.
    let mut add = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    add(subject.as_deref().unwrap_or_default().as_bytes());
    add(ordering_key.as_deref().unwrap_or_default().as_bytes());
    add(verdict.map_or("", |verdict| verdict.as_str()).as_bytes());
    add(content_type.as_deref().unwrap_or_default().as_bytes());
    for (name, value) in labels {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    add(body);
    let content: String = hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Some(format!("event:{}:{kind}:{content}:{}", origin.event, origin.nth))
}

impl PluginEmit for RoutedEmit {
    fn emit(&self, emission: Emission) -> Pin<Box<dyn Future<Output = EmitReply> + Send + '_>> {
        Box::pin(self.keep(emission))
    }
}

impl fmt::Debug for RoutedEmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoutedEmit").field("destination", &self.destination).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
