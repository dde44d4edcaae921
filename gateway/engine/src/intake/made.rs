//! Events that the gateway makes itself: routed as others are, and kept with what they tell of.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};

use bytes::Bytes;
use postroom_core::{
    event::{Event, Facts, Kind, MadeKind, Verdict},
    id::{EventId, SourceName},
    time::Timestamp,
};
use postroom_store::{NewBody, NewEvent};

use super::{Intake, event_id};

/// The source of what the tracker makes. No configured source has a name like that.
const TRACKER: &str = "postroom:tracker";

/// An event that the tracker makes.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) kind: MadeKind,
    /// The monitor's or collection's id.
    pub(crate) subject: String,
    pub(crate) facts: Facts,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) verdict: Option<Verdict>,
    /// JSON.
    pub(crate) body: Bytes,
}

/// The source of the events that the tracker makes.
#[must_use]
pub fn tracker_source() -> SourceName {
    SourceName::new(TRACKER)
}

/// The lane of what is told of a monitor or collection: in order, and without waiting for its runs.
///
/// What begins and what ends shares a lane with nothing else. A destination with the backlog `latest` keeps only the newest
/// of a lane; beside the end of a silence, that must not be at the cost of the end of an incident.
fn lane(kind: MadeKind, subject: &str) -> String {
    let family = match kind {
        MadeKind::IncidentOpened | MadeKind::IncidentReminder | MadeKind::IncidentResolved => "incident",
        MadeKind::MonitorSilent | MadeKind::MonitorResumed => "silence",
        MadeKind::BackupOverdue => "backup",
    };
    // An id is any text: it stands last, so that none is mistaken for another with a family.
    format!("{TRACKER}:{family}:{subject}")
}

impl Intake {
    /// Makes an event, with its deliveries by the routes in force. Whoever keeps it calls [`Intake::kept`] then.
    pub(crate) fn make(&self, made: Made, at: Timestamp) -> NewEvent {
        let Made { kind, subject, facts, labels, verdict, body } = made;
        let event = Event {
            id: self.next_id(at),
            received_at: at,
            source: tracker_source(),
            kind: Kind::Made(kind),
            ordering_key: lane(kind, &subject).into(),
            subject: Some(subject),
            verdict,
            facts,
            note: None,
            labels,
            content_type: Some("application/json".to_owned()),
            body_bytes: body.len() as u64,
            hops: 1,
        };
        let decision = self.decide(&event);
        NewEvent {
            event: Arc::new(event),
            body: NewBody::Inline(body),
            targets: decision.targets,
            explanations: decision.explanations,
            mark: None,
        }
    }

    /// An id behind those of what was made before in the same millisecond. The end of an incident may be made in that of its
    /// beginning, and whoever has both must be able to tell which came last.
    fn next_id(&self, at: Timestamp) -> EventId {
        let mut last = self.made_last.lock().unwrap_or_else(PoisonError::into_inner);
        let next = event_id(at.as_unix_ms());
        let millisecond = |id: EventId| u128::from_be_bytes(*id.as_bytes()) >> 80;
        if millisecond(next) == millisecond(*last) && next <= *last {
            // The bits that it counts up are random ones: there is room enough.
            let behind = u128::from_be_bytes(*last.as_bytes()).saturating_add(1);
            *last = EventId::from_bytes(behind.to_be_bytes());
        } else {
            *last = next;
        }
        *last
    }

    /// Counts an event that was made and kept.
    pub(crate) fn kept(&self, event: &Event, deliveries: usize) {
        let Event { id, source, kind, .. } = event;
        self.metrics.accepted(source, *kind);
        tracing::debug!(event = %id, %kind, %source, deliveries, repeated = false, "event accepted");
    }
}
