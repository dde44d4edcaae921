//! What the incident machine and the cadence keep, as JSON.
//!
//! Every field may be absent: then it is what it is for a new monitor, so a later version can add some.

use std::{borrow::Cow, fmt, str::FromStr};

use postroom_core::{
    id::{EventId, IncidentId},
    monitor::{Cadence, OpenIncident, Pause, Phase, PolicyHint, RunRef, Severity, Track},
    time::Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{monitors::TimelineEntry, sqlite::row::json};

pub(in crate::sqlite) fn track_json(track: &Track) -> String {
    json(&StoredTrack::from(track))
}

/// The open incident of a track; none where it cannot be read.
pub(in crate::sqlite) fn open_incident(track: &str) -> Option<OpenIncident> {
    let stored: StoredTrack<'_> = serde_json::from_str(track).ok()?;
    stored.incident.map(Into::into)
}

/// Without [`Cadence::silent_since`], which has a column of its own.
pub(in crate::sqlite) fn cadence_json(cadence: &Cadence) -> String {
    json(&StoredCadence::from(cadence))
}

pub(in crate::sqlite) fn timeline_json<'a>(entries: impl Iterator<Item = &'a TimelineEntry>) -> String {
    json(&entries.map(StoredEntry::from).collect::<Vec<_>>())
}

/// A value that is written as its name.
struct Named<T>(T);

impl<T: fmt::Display> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| D::Error::custom("unknown name"))
    }
}

#[derive(Serialize, Deserialize)]
struct StoredRef {
    event: Named<EventId>,
    at: i64,
}

impl From<RunRef> for StoredRef {
    fn from(run: RunRef) -> Self {
        let RunRef { event, at } = run;
        Self { event: Named(event), at: at.as_unix_ms() }
    }
}

impl From<StoredRef> for RunRef {
    fn from(stored: StoredRef) -> Self {
        Self { event: stored.event.0, at: Timestamp::from_unix_ms(stored.at) }
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct StoredTrack<'a> {
    phase: Cow<'a, str>,
    failures: u32,
    passes: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_failing: Option<StoredRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failing: Option<StoredRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<StoredIncident>,
    flips: u32,
    decided: u8,
    policy_hint: Cow<'a, str>,
}

impl From<&Track> for StoredTrack<'_> {
    fn from(track: &Track) -> Self {
        let Track {
            phase,
            failures,
            passes,
            since,
            first_failing,
            last_failing,
            incident,
            flips,
            decided,
            policy_hint,
        } = track;
        Self {
            phase: Cow::Borrowed(phase.as_str()),
            failures: *failures,
            passes: *passes,
            since: since.map(Timestamp::as_unix_ms),
            first_failing: first_failing.map(Into::into),
            last_failing: last_failing.map(Into::into),
            incident: incident.as_ref().map(Into::into),
            flips: *flips,
            decided: *decided,
            policy_hint: Cow::Borrowed(policy_hint.as_str()),
        }
    }
}

impl StoredTrack<'_> {
    /// What was stored, or which name in it is unknown.
    pub(super) fn read(self) -> Result<Track, &'static str> {
        let phase = Phase::ALL.into_iter().find(|phase| phase.as_str() == self.phase);
        let hint = PolicyHint::ALL.into_iter().find(|hint| hint.as_str() == self.policy_hint);
        Ok(Track {
            phase: known(phase, &self.phase).ok_or("unknown phase")?,
            failures: self.failures,
            passes: self.passes,
            since: self.since.map(Timestamp::from_unix_ms),
            first_failing: self.first_failing.map(Into::into),
            last_failing: self.last_failing.map(Into::into),
            incident: self.incident.map(Into::into),
            flips: self.flips,
            decided: self.decided,
            policy_hint: known(hint, &self.policy_hint).ok_or("unknown policy hint")?,
        })
    }
}

/// What was found by a name, or where there was none what is usual.
fn known<T: Default>(found: Option<T>, name: &str) -> Option<T> {
    found.or_else(|| name.is_empty().then(T::default))
}

#[derive(Serialize, Deserialize)]
struct StoredIncident {
    id: Named<IncidentId>,
    opened_at: i64,
    severity: Named<Severity>,
    runs: u32,
    failed_runs: u32,
    first_failing: StoredRef,
    last_failing: StoredRef,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reminded_at: Option<i64>,
    #[serde(default)]
    reminders: u32,
    announced: bool,
}

impl From<&OpenIncident> for StoredIncident {
    fn from(incident: &OpenIncident) -> Self {
        let OpenIncident {
            id,
            opened_at,
            severity,
            runs,
            failed_runs,
            first_failing,
            last_failing,
            reminded_at,
            reminders,
            announced,
        } = *incident;
        Self {
            id: Named(id),
            opened_at: opened_at.as_unix_ms(),
            severity: Named(severity),
            runs,
            failed_runs,
            first_failing: first_failing.into(),
            last_failing: last_failing.into(),
            reminded_at: reminded_at.map(Timestamp::as_unix_ms),
            reminders,
            announced,
        }
    }
}

impl From<StoredIncident> for OpenIncident {
    fn from(stored: StoredIncident) -> Self {
        Self {
            id: stored.id.0,
            opened_at: Timestamp::from_unix_ms(stored.opened_at),
            severity: stored.severity.0,
            runs: stored.runs,
            failed_runs: stored.failed_runs,
            first_failing: stored.first_failing.into(),
            last_failing: stored.last_failing.into(),
            reminded_at: stored.reminded_at.map(Timestamp::from_unix_ms),
            reminders: stored.reminders,
            announced: stored.announced,
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct StoredCadence<'a> {
    gaps_s: Cow<'a, [u32]>,
    /// Each its beginning in milliseconds, its length in seconds, and whether the gateway heard it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pauses: Vec<(i64, u32, bool)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    learning_since: Option<i64>,
    silence_announced: bool,
}

impl<'a> From<&'a Cadence> for StoredCadence<'a> {
    fn from(cadence: &'a Cadence) -> Self {
        let Cadence { gaps_s, pauses, learning_since, silent_since: _, silence_announced } = cadence;
        Self {
            gaps_s: Cow::Borrowed(gaps_s),
            pauses: pauses
                .iter()
                .map(|pause| (pause.began.as_unix_ms(), pause.gap_s, pause.is_heard))
                .collect(),
            learning_since: learning_since.map(Timestamp::as_unix_ms),
            silence_announced: *silence_announced,
        }
    }
}

impl StoredCadence<'_> {
    pub(super) fn read(self, silent_since: Option<Timestamp>) -> Cadence {
        let pause =
            |(began, gap_s, is_heard)| Pause { began: Timestamp::from_unix_ms(began), gap_s, is_heard };
        Cadence {
            gaps_s: self.gaps_s.into_owned(),
            pauses: self.pauses.into_iter().map(pause).collect(),
            learning_since: self.learning_since.map(Timestamp::from_unix_ms),
            silent_since,
            silence_announced: self.silence_announced,
        }
    }
}

/// An entry of an incident's timeline.
#[derive(Serialize, Deserialize)]
pub(in crate::sqlite) struct StoredEntry<'a> {
    at: i64,
    what: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<Named<EventId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<Cow<'a, str>>,
}

impl<'a> From<&'a TimelineEntry> for StoredEntry<'a> {
    fn from(entry: &'a TimelineEntry) -> Self {
        let TimelineEntry { at, what, event, note } = entry;
        Self {
            at: at.as_unix_ms(),
            what: Cow::Borrowed(what),
            event: event.map(Named),
            note: note.as_deref().map(Cow::Borrowed),
        }
    }
}

impl From<StoredEntry<'_>> for TimelineEntry {
    fn from(stored: StoredEntry<'_>) -> Self {
        Self {
            at: Timestamp::from_unix_ms(stored.at),
            what: stored.what.into_owned(),
            event: stored.event.map(|event| event.0),
            note: stored.note.map(Cow::into_owned),
        }
    }
}
