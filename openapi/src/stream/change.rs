//! A change as it is told: made once, however many read it.

use bytes::Bytes;
use poem_openapi::types::ToJSON;

use super::Topic;
use crate::{
    deliveries::{Delivery, DeliveryState},
    destinations::Destination,
    events::{Event, Kind},
    incidents::Incident,
};

/// What a change is about, for those who do not want all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The topic.
    pub topic: Topic,
    /// The kind of the event.
    pub kind: Option<Kind>,
    /// The source of the event.
    pub source: Option<String>,
    /// The destination.
    pub destination: Option<String>,
    /// The monitor's or collection's id.
    pub subject: Option<String>,
    /// Where a delivery stands.
    pub state: Option<DeliveryState>,
}

/// A change that is told.
#[derive(Debug, Clone)]
pub struct Change {
    /// What it is about.
    pub about: About,
    /// The thing as it stands: one line of JSON.
    pub data: Bytes,
}

impl Change {
    /// An event, as a list gives it.
    #[must_use]
    pub fn event(event: &Event) -> Self {
        let about = About {
            kind: Some(event.kind.clone()),
            source: Some(event.source.clone()),
            subject: event.subject.clone(),
            ..About::of(Topic::Events)
        };
        Self::new(about, event)
    }

    /// A delivery, as a list gives it, of an event of this kind and source about this subject.
    #[must_use]
    pub fn delivery(delivery: &Delivery, kind: Kind, source: String, subject: Option<String>) -> Self {
        let about = About {
            kind: Some(kind),
            source: Some(source),
            destination: Some(delivery.destination.clone()),
            subject,
            state: Some(delivery.state),
            ..About::of(Topic::Deliveries)
        };
        Self::new(about, delivery)
    }

    /// An incident, as a list gives it.
    #[must_use]
    pub fn incident(incident: &Incident) -> Self {
        let subject = Some(incident.monitor_uid.clone());
        Self::new(About { subject, ..About::of(Topic::Incidents) }, incident)
    }

    /// A destination.
    #[must_use]
    pub fn destination(destination: &Destination) -> Self {
        let name = Some(destination.name.clone());
        Self::new(About { destination: name, ..About::of(Topic::Destinations) }, destination)
    }

    fn new(about: About, thing: &impl ToJSON) -> Self {
        Self { about, data: Bytes::from(thing.to_json_string()) }
    }

    /// What it takes in memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let About { source, destination, subject, .. } = &self.about;
        let texts = [source, destination, subject].into_iter().flatten();
        size_of::<Self>() + self.data.len() + texts.map(String::len).sum::<usize>()
    }
}

impl About {
    /// Nothing more than a topic.
    #[must_use]
    pub const fn of(topic: Topic) -> Self {
        Self { topic, kind: None, source: None, destination: None, subject: None, state: None }
    }
}
