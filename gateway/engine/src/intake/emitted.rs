//! Events that plugins make: routed and kept like those that come in, without a caller.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use postroom_core::{
    event::{EmittedKind, Event, Facts, Kind, Verdict},
    id::{DestinationName, SourceName},
};
use postroom_store::{Mark, NewBody, NewEvent};
use sha2::{Digest as _, Sha256};

use super::{Intake, IntakeError, Receipt, event_id, joined};

/// An event that the plugin of a destination makes.
#[derive(Debug)]
pub struct Emitted {
    /// Whose plugin makes it. It never goes back there.
    pub destination: DestinationName,
    /// What the plugin calls it.
    pub kind: EmittedKind,
    /// What it is about.
    pub subject: Option<String>,
    /// Its lane; that of the subject, or of the destination, when absent.
    pub ordering_key: Option<String>,
    /// What it says about what it is about.
    pub verdict: Option<Verdict>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The type of its body.
    pub content_type: Option<String>,
    /// Its body.
    pub body: Bytes,
    /// Names it among those of its destination. The same key with the same body is the same event.
    pub key: Option<String>,
    /// How many plugins stand behind it, its own among them.
    pub hops: u8,
}

const EMIT_SOURCE: &str = "destination:";

/// The source of the events that the plugin of `destination` makes. No configured source has a name like that.
#[must_use]
pub fn emit_source(destination: &DestinationName) -> SourceName {
    SourceName::new(format!("{EMIT_SOURCE}{destination}"))
}

/// The destination whose plugin makes the events of `source`; `None` for a configured source.
#[must_use]
pub fn emitting_destination(source: &SourceName) -> Option<&str> {
    source.as_str().strip_prefix(EMIT_SOURCE)
}

impl Intake {
    /// Keeps an event that a plugin makes, and answers when it is on disk.
    ///
    /// # Errors
    /// [`IntakeError::Unavailable`]: nothing was kept.
    pub async fn emit(&self, emitted: Emitted) -> Result<Receipt, IntakeError> {
        let Emitted { destination, body, key, .. } = &emitted;
        let body_sha256 = Sha256::digest(body).into();
        let mark = key.as_ref().map(|key| Mark { key: key.clone(), body_sha256 });
        let (body, destination) = (NewBody::Inline(body.clone()), destination.clone());
        let mut event = self.event_of(emitted);
        let mut decision = self.decide(&event);
        let wanted = decision.targets.len();
        decision.targets.retain(|target| target.destination != destination);
        if decision.targets.len() < wanted {
            let back = format!("not sent to \"{destination}\", whose plugin made it");
            event.note = joined(event.note, Some(back));
        }
        let new = NewEvent {
            event: Arc::new(event),
            body,
            targets: decision.targets,
            explanations: decision.explanations,
            mark,
        };
        self.keep(new).await
    }

    fn event_of(&self, emitted: Emitted) -> Event {
        let Emitted {
            destination,
            kind,
            subject,
            ordering_key,
            verdict,
            labels,
            content_type,
            body,
            hops,
            ..
        } = emitted;
        let received_at = self.clock.now();
        let source = emit_source(&destination);
        let ordering_key = ordering_key.unwrap_or_else(|| match &subject {
            Some(subject) => format!("{source}:{subject}"),
            None => source.to_string(),
        });
        Event {
            id: event_id(received_at.as_unix_ms()),
            received_at,
            source,
            kind: Kind::Emitted(kind),
            subject,
            ordering_key: ordering_key.into(),
            verdict,
            facts: Facts::default(),
            note: None,
            labels,
            content_type,
            body_bytes: body.len() as u64,
            hops,
        }
    }
}

#[cfg(test)]
mod tests;
