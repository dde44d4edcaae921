//! Incidents, and what opens and ends them.

use crate::rules::{Event, Kind};

/// Most that are kept: a demo may stay up for long.
const INCIDENTS_MAX: usize = 10_000;

/// One incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Which source it came from, from 0.
    pub source: usize,
    /// What its events have in common.
    pub fingerprint: String,
    /// Of its last alert.
    pub title: String,
    /// Of its last alert: `CRITICAL`, `HIGH`, `MEDIUM` or `LOW`.
    pub priority: Option<&'static str>,
    /// Alerts that opened or updated it.
    pub alerts: u64,
    /// In milliseconds since 1970.
    pub opened_unix_ms: u64,
    /// When it was over, if it is.
    pub resolved_unix_ms: Option<u64>,
}

impl Incident {
    /// Whether it is not over.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.resolved_unix_ms.is_none()
    }
}

/// All there are, in the order in which they were opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Incidents(Vec<Incident>);

impl Incidents {
    pub(crate) fn all(&self) -> &[Incident] {
        &self.0
    }

    /// Applies an event of a source. A resolve without an open incident changes nothing.
    pub(crate) fn apply(&mut self, source: usize, event: &Event, now_unix_ms: u64) {
        let is_it = |incident: &&mut Incident| {
            incident.is_open() && incident.source == source && incident.fingerprint == event.fingerprint
        };
        let open = self.0.iter_mut().rev().find(is_it);
        match (event.kind, open) {
            (Some(Kind::Alert), Some(incident)) => {
                incident.title.clone_from(&event.title);
                incident.priority = event.priority;
                incident.alerts += 1;
            }
            (Some(Kind::Alert), None) => {
                if self.0.len() >= INCIDENTS_MAX {
                    self.0.remove(0);
                }
                self.0.push(Incident {
                    source,
                    fingerprint: event.fingerprint.clone(),
                    title: event.title.clone(),
                    priority: event.priority,
                    alerts: 1,
                    opened_unix_ms: now_unix_ms,
                    resolved_unix_ms: None,
                });
            }
            (Some(Kind::Resolve), Some(incident)) => incident.resolved_unix_ms = Some(now_unix_ms),
            (Some(Kind::Resolve), None) | (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests;
