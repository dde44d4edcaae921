//! The event that a body would become, for those who ask what the routes would do with it.

use std::collections::BTreeMap;

use postroom_core::{
    classify::{Classification, classify},
    event::Event,
    id::{EventId, SourceName},
    time::Timestamp,
};
use uuid::Uuid;

use crate::config::Source;

/// The event that the gateway would make of `body` if it came in by `source`. It has no id and no time of its own.
pub(crate) fn event(source: &Source, labels: BTreeMap<String, String>, body: &[u8]) -> Event {
    let Classification { kind, subject, ordering_key, verdict, facts, note } =
        classify(body, source.name.as_str());
    // A request cannot replace what the operator wrote.
    let mut all_labels = labels;
    all_labels.extend(source.labels.clone());
    Event {
        id: EventId::new(Uuid::nil()),
        received_at: Timestamp::EPOCH,
        source: SourceName::clone(&source.name),
        kind,
        subject,
        ordering_key: ordering_key.into(),
        verdict,
        facts,
        note,
        labels: all_labels,
        content_type: None,
        body_bytes: body.len() as u64,
        hops: 0,
    }
}
