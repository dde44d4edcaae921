//! Monitors: what their runs say, when an incident opens and resolves, and when a monitor has fallen silent.
//!
//! [`step`] is the whole of it: a monitor, what happened, the time and the policy go in, and what is worth telling
//! comes out. It keeps no clock and makes no random numbers, so a history gives the same incidents however often it is
//! gone through.

mod cadence;
mod collection;
pub mod history;
mod policy;
mod rules;
mod run;
mod severity;
mod step;
pub mod summary;
mod track;
mod watch;

use std::collections::BTreeMap;

pub use self::{
    cadence::{Cadence, Pause},
    collection::{BackupRule, CollectionWatch},
    policy::{Flap, Policy, Silence, Treat},
    rules::{Matching, PolicySettings, Rule, Rules},
    run::{Numbers, Run, RunRef},
    severity::{Severity, SeverityRule, SeverityWhen},
    step::{Effect, Input, ResolvedBy, step},
    track::{OpenIncident, Phase, PolicyHint, Track},
    watch::{Absence, Watch},
};
use crate::{event::Verdict, id::SourceName, time::Timestamp};

/// What is shown of a monitor, and what rules match on: the latest names and ids seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The monitor's id without owner prefix. A monitor whose runs carry none is not tracked.
    pub uid: String,
    /// The monitor's name, as sent.
    pub name: Option<String>,
    /// The collection's name.
    pub collection_name: Option<String>,
    /// The collection's id without owner prefix.
    pub collection_id: Option<String>,
    /// The environment's name.
    pub environment_name: Option<String>,
    /// The environment's id without owner prefix.
    pub environment_id: Option<String>,
    /// The source that the last run came in by.
    pub source: SourceName,
    /// The labels of the last run.
    pub labels: BTreeMap<String, String>,
}

/// Everything durable about a monitor but its runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitor {
    /// What it is called.
    pub identity: Identity,
    /// When its first run came in.
    pub first_seen: Timestamp,
    /// The run accepted last.
    pub last_run: Option<Run>,
    /// Its runs, counted.
    pub counts: Counts,
    /// What the incident machine keeps.
    pub track: Track,
    /// What is known about when its runs come.
    pub cadence: Cadence,
    /// Until when somebody wants to hear nothing of it; one that has passed counts no more.
    pub mute: Option<Mute>,
}

/// Runs by verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Runs that passed.
    pub passed: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Runs without a usable failure counter.
    pub unknown: u64,
}

/// Somebody wants to hear nothing of a monitor for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mute {
    /// When it ends.
    pub until: Timestamp,
    /// Who wants it.
    pub by: String,
    /// Why, in their words.
    pub reason: Option<String>,
}

impl Monitor {
    /// A monitor of which nothing is known yet.
    #[must_use]
    pub fn new(identity: Identity, first_seen: Timestamp) -> Self {
        Self {
            identity,
            first_seen,
            last_run: None,
            counts: Counts::default(),
            track: Track::default(),
            cadence: Cadence::default(),
            mute: None,
        }
    }
}

impl Counts {
    fn add(&mut self, verdict: Verdict) {
        let count = match verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::Failed => &mut self.failed,
            Verdict::Unknown => &mut self.unknown,
        };
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests;
