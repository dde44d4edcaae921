mod absences;
mod backups;
mod machine;
mod muting;
mod numbers;
mod properties;
mod rules;
mod silence;

use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::id::{EventId, IncidentId};

fn identity(uid: &str) -> Identity {
    Identity {
        uid: uid.to_owned(),
        name: None,
        collection_name: None,
        collection_id: None,
        environment_name: None,
        environment_id: None,
        source: SourceName::new("postman"),
        labels: BTreeMap::new(),
    }
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_unix_ms(second * 1000)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn event(number: u128) -> EventId {
    EventId::new(Uuid::from_u128(number))
}

fn incident(number: u128) -> IncidentId {
    IncidentId::new(Uuid::from_u128(number))
}

/// A gateway that was away once.
fn away(from: i64, until: i64) -> Watch {
    Watch::of([Absence { from: second(from), until: second(until) }])
}

/// A monitor, its policy, and a clock that steps with it.
struct Tracked {
    monitor: Monitor,
    policy: Policy,
    watch: Watch,
    steps: u128,
}

impl Tracked {
    fn new(policy: Policy) -> Self {
        let monitor = Monitor::new(identity("m"), Timestamp::EPOCH);
        Self { monitor, policy, watch: Watch::always(), steps: 0 }
    }

    fn step(&mut self, input: Input<'_>, now: Timestamp) -> Vec<Effect> {
        self.steps += 1;
        step(&mut self.monitor, input, now, &self.policy, &self.watch, incident(self.steps))
    }

    fn tick(&mut self, now: Timestamp) -> Vec<Effect> {
        self.step(Input::Tick, now)
    }

    fn run(&mut self, verdict: Verdict, now: Timestamp) -> Vec<Effect> {
        self.run_with(verdict, Numbers::default(), now)
    }

    fn run_with(&mut self, verdict: Verdict, numbers: Numbers, now: Timestamp) -> Vec<Effect> {
        let run = Run { event: event(self.steps + 1), at: now, verdict, numbers };
        self.step(Input::Run(&run), now)
    }

    fn due(&self, now: Timestamp) -> Option<Timestamp> {
        self.monitor.due(&self.policy, &self.watch, now)
    }
}

/// An effect in one word; small letters for one that is not told.
fn word(effect: &Effect) -> &'static str {
    match effect {
        Effect::Opened(incident) if incident.announced => "OPENED",
        Effect::Opened(_) => "opened",
        Effect::Reminder(_) => "REMINDER",
        Effect::Resolved { incident, .. } if incident.announced => "RESOLVED",
        Effect::Resolved { .. } => "resolved",
        Effect::Silent { .. } => "SILENT",
        Effect::Resumed { .. } => "RESUMED",
    }
}

fn words(effects: &[Effect]) -> String {
    effects.iter().map(word).collect::<Vec<_>>().join(" ")
}
