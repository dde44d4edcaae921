//! What is kept about monitors: how far the log of events was followed, runs, incidents, and when backups came.

use std::{fmt, str::FromStr};

use bytes::Bytes;
use postroom_core::{
    event::{Event, UnknownName, Verdict},
    id::{EventId, IncidentId, SourceName},
    monitor::{CollectionWatch, Monitor, OpenIncident, Run, RunRef, Severity, Watch},
    time::Timestamp,
};

use crate::records::NewEvent;

/// Entries of an incident's timeline that are kept: the first one, and the newest.
pub const TIMELINE_ENTRIES_MAX: usize = 64;

/// How far the log of events was followed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrackerMark {
    /// The number of the last event that was followed; 0 before the first.
    pub position: i64,
    /// When the last change was kept, and what that said of the tracker; absent before the first.
    pub alive: Option<Alive>,
}

/// A sign of life of the tracker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alive {
    /// When.
    pub at: Timestamp,
    /// When the gateway had been listening until then.
    pub watch: Watch,
    /// Since when runs had been followed as they came in. What is known of a monitor only from older ones is history, and
    /// says nothing about now.
    pub following_since: Timestamp,
}

/// A part of the log of events.
#[derive(Debug, Clone, Default)]
pub struct LogPart {
    /// The events that were asked for, in order of acceptance.
    pub events: Vec<LoggedEvent>,
    /// The number of the last event that was looked at, whatever its kind: where to go on.
    pub last: i64,
    /// Numbers up to `last` under which there is no event: it was removed before it was followed, or its sender was told
    /// that it was not kept.
    pub missing: u64,
}

/// An event in the log.
#[derive(Debug, Clone)]
pub struct LoggedEvent {
    /// Its place in the order of acceptance.
    pub seq: i64,
    /// The event.
    pub event: Event,
    /// The body of a monitor run, where it was asked for, unless it is kept apart because it is large: [`crate::Store::body`]
    /// reads it then.
    pub body: Option<Bytes>,
}

/// What following the log has come to; kept as a whole or not at all.
#[derive(Debug, Clone)]
pub struct TrackChange {
    /// How far the log is followed with it; `None` leaves that as it is.
    pub position: Option<i64>,
    /// When this is.
    pub alive: Alive,
    /// Monitors as they are now, each at most once.
    pub monitors: Vec<MonitorChange>,
    /// Incidents as they are now.
    pub incidents: Vec<IncidentRecord>,
    /// Collections as they are now.
    pub collections: Vec<CollectionChange>,
    /// Monitors that go with all their runs, by their ids. Incidents of theirs stay.
    pub forgotten: Vec<String>,
    /// What is told about it, with its deliveries.
    pub events: Vec<NewEvent>,
}

/// A monitor as it is now.
#[derive(Debug, Clone)]
pub struct MonitorChange {
    /// The monitor.
    pub monitor: Monitor,
    /// When it has to be looked at although nothing happens.
    pub due_at: Option<Timestamp>,
    /// Runs to add to its history, in order of acceptance.
    pub runs: Vec<Run>,
}

/// A collection as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionChange {
    /// The collection.
    pub watch: CollectionWatch,
    /// When it has to be looked at although nothing happens.
    pub due_at: Option<Timestamp>,
}

/// A monitor as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorRow {
    /// The monitor.
    pub monitor: Monitor,
    /// When it has to be looked at although nothing happens.
    pub due_at: Option<Timestamp>,
}

/// How many monitors there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MonitorCounts {
    /// All of them.
    pub monitors: u64,
    /// Those that are silent.
    pub silent: u64,
    /// Those with an open incident.
    pub with_incident: u64,
}

/// Which monitors to list; what is not set does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MonitorFilter {
    /// A part of the id or of the name of the monitor, its collection or its environment; in upper or lower case.
    pub text: Option<String>,
    /// What the last run said.
    pub verdict: Option<Verdict>,
    /// Whether it is silent.
    pub silent: Option<bool>,
    /// Whether an incident is open.
    pub incident_open: Option<bool>,
    /// Muted by a person at this moment.
    pub muted_at: Option<Timestamp>,
    /// Muted by nobody at this moment.
    pub unmuted_at: Option<Timestamp>,
    /// The source that the last run came in by.
    pub source: Option<SourceName>,
    /// The last run has a label of this name; with a value, with this one.
    pub label: Option<(String, Option<String>)>,
}

/// Which runs of a monitor to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunRange {
    /// Accepted at this moment or later.
    pub since: Option<Timestamp>,
    /// Accepted before this moment.
    pub until: Option<Timestamp>,
    /// At most this many.
    pub limit: usize,
    /// Where to begin.
    pub order: RunOrder,
}

/// From which end runs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunOrder {
    /// The newest run is the first.
    NewestFirst,
    /// The oldest run is the first.
    OldestFirst,
}

/// Whether an incident is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IncidentState {
    /// It is not.
    Open,
    /// It is.
    Resolved,
}

/// An incident from its first to its last run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentRecord {
    /// Its id.
    pub id: IncidentId,
    /// The monitor's id.
    pub monitor: String,
    /// The monitor's name, as it was last seen.
    pub monitor_name: Option<String>,
    /// Whether it is over.
    pub state: IncidentState,
    /// The worst of its failed runs.
    pub severity: Severity,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When it was over; set exactly when it is resolved.
    pub resolved_at: Option<Timestamp>,
    /// The first failed run.
    pub first_failing: RunRef,
    /// The last failed run.
    pub last_failing: RunRef,
    /// The run that resolved it, if one did.
    pub resolved_by: Option<RunRef>,
    /// Runs that count from the first failed one on. While it is open, see [`IncidentRecord::count`].
    pub runs: u32,
    /// Those that failed.
    pub failed_runs: u32,
    /// How often it was reminded of.
    pub reminders: u32,
    /// Whether it was told.
    pub announced: bool,
    /// What happened, the oldest first. Of more than [`TIMELINE_ENTRIES_MAX`] entries the first and the newest are kept.
    pub timeline: Vec<TimelineEntry>,
}

/// One thing that happened to an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// What: "opened", "reminder" …
    pub what: String,
    /// The event that tells of it, or that brought it about.
    pub event: Option<EventId>,
    /// More about it, for people.
    pub note: Option<String>,
}

/// Which incidents to list; what is not set does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncidentFilter {
    /// Whether they are over.
    pub state: Option<IncidentState>,
    /// The monitor's id.
    pub monitor: Option<String>,
    /// Opened at this moment or later.
    pub since: Option<Timestamp>,
    /// Opened before this moment.
    pub until: Option<Timestamp>,
}

impl IncidentRecord {
    /// Takes over what the runs of its monitor have counted up, as long as it is the one that is open there. A run writes only
    /// its monitor; the record changes when the incident is told, gets worse or ends.
    pub fn count(&mut self, open: Option<&OpenIncident>) {
        if let Some(open) = open.filter(|open| open.id == self.id && self.state == IncidentState::Open) {
            self.last_failing = open.last_failing;
            (self.runs, self.failed_runs) = (open.runs, open.failed_runs);
        }
    }
}

impl RunRange {
    /// All runs, the newest first.
    pub const ALL: Self = Self { since: None, until: None, limit: usize::MAX, order: RunOrder::NewestFirst };
}

impl IncidentState {
    /// Every state.
    pub const ALL: [Self; 2] = [Self::Open, Self::Resolved];

    /// The name used in API and store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
        }
    }
}

impl fmt::Display for IncidentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for IncidentState {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or(UnknownName { what: "state of an incident" })
    }
}
