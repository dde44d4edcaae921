//! One change on its way: monitors and collections that were looked at, and what came of it.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use postroom_core::{
    event::{Event, Facts, MadeKind},
    id::EventId,
    monitor::{CollectionWatch, Effect, Identity, Input, Monitor, OpenIncident, Policy, Run, Watch, step},
    time::Timestamp,
};
use postroom_store::{CollectionChange, MonitorChange, MonitorRow};

use super::{
    incident_id,
    told::{Quiet, Told},
};

/// A monitor that was looked at.
#[derive(Debug)]
pub(super) struct Touched {
    pub(super) monitor: Monitor,
    /// Its open incident, as the store has it.
    pub(super) incident_before: Option<OpenIncident>,
    pub(super) runs: Vec<Run>,
    /// What came of it, each with the run that brought it about.
    pub(super) effects: Vec<(Effect, Option<EventId>)>,
    pub(super) due_at: Option<Timestamp>,
}

/// One change on its way.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// In the order in which they were touched first.
    pub(super) monitors: Vec<Touched>,
    places: HashMap<String, usize>,
    pub(super) collections: BTreeMap<String, CollectionChange>,
    /// Collections whose backups have become overdue, with since when.
    pub(super) overdue: Vec<(CollectionWatch, Timestamp)>,
}

/// What a monitor is judged by.
#[derive(Debug)]
pub(super) struct Judgement<'a> {
    pub(super) policy: &'a Policy,
    pub(super) watch: Watch,
    pub(super) now: Timestamp,
}

impl Work {
    /// Takes monitors that are known.
    pub(super) fn add(&mut self, rows: impl IntoIterator<Item = MonitorRow>) {
        for MonitorRow { monitor, due_at } in rows {
            self.places.insert(monitor.identity.uid.clone(), self.monitors.len());
            self.monitors.push(Touched { due_at, ..Touched::new(monitor) });
        }
    }

    /// Takes in a run, of a monitor that may be new.
    pub(super) fn run(
        &mut self,
        identity: Identity,
        run: Run,
        judge: impl FnOnce(&Identity) -> (Policy, Watch),
    ) {
        let place = *self.places.entry(identity.uid.clone()).or_insert_with(|| {
            self.monitors.push(Touched::new(Monitor::new(identity.clone(), run.at)));
            self.monitors.len() - 1
        });
        let touched = &mut self.monitors[place];
        let known = std::mem::replace(&mut touched.monitor.identity, identity);
        keep_known(&mut touched.monitor.identity, known);
        let (policy, watch) = judge(&touched.monitor.identity);
        touched.step(Input::Run(&run), &Judgement { policy: &policy, watch, now: run.at });
        touched.runs.push(run);
    }

    /// Groups of so many monitors, and what is left.
    pub(super) fn split(mut self, monitors: usize) -> (Vec<Self>, Self) {
        let mut groups = Vec::new();
        while self.monitors.len() > monitors {
            let rest = self.monitors.split_off(monitors);
            groups.push(Self { monitors: std::mem::replace(&mut self.monitors, rest), ..Self::default() });
        }
        (groups, self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.monitors.is_empty() && self.collections.is_empty()
    }

    /// All that is told, in order: of which monitor, by which of its effects, and how.
    pub(super) fn told(&self) -> Vec<(usize, usize, Told)> {
        let effects = self.monitors.iter().enumerate().flat_map(|(place, touched)| {
            touched.effects.iter().enumerate().map(move |(number, effect)| (place, number, touched, effect))
        });
        effects
            .filter_map(|(place, number, touched, (effect, cause))| {
                Some((place, number, touched.told(effect, *cause)?))
            })
            .collect()
    }

    pub(super) fn due_first(&self) -> Option<Timestamp> {
        let monitors = self.monitors.iter().filter_map(|touched| touched.due_at);
        monitors.chain(self.collections.values().filter_map(|change| change.due_at)).min()
    }
}

impl Touched {
    pub(super) fn new(monitor: Monitor) -> Self {
        let incident_before = monitor.track.incident.clone();
        Self { monitor, incident_before, runs: Vec::new(), effects: Vec::new(), due_at: None }
    }

    pub(super) fn step(&mut self, input: Input<'_>, judgement: &Judgement<'_>) {
        let Judgement { policy, watch, now } = judgement;
        let cause = match input {
            Input::Run(run) => Some(run.event),
            Input::Tick => None,
        };
        let effects = step(&mut self.monitor, input, *now, policy, watch, incident_id(*now));
        self.effects.extend(effects.into_iter().map(|effect| (effect, cause)));
    }

    /// Whether the record of its incident changes. What each run counts up is read from the monitor itself.
    pub(super) fn incident_changes(&self) -> bool {
        let said = |incident: &Option<OpenIncident>| {
            incident.as_ref().map(|open| (open.id, open.severity, open.reminders, open.announced))
        };
        !self.effects.is_empty() || said(&self.monitor.track.incident) != said(&self.incident_before)
    }

    /// How an effect is told; `None` when nobody is.
    fn told(&self, effect: &Effect, cause: Option<EventId>) -> Option<Told> {
        let run_of = |event: EventId| self.runs.iter().find(|run| run.event == event);
        let run = cause.and_then(run_of).or(self.monitor.last_run.as_ref());
        let told = |kind| Told {
            kind,
            monitor: self.monitor.identity.clone(),
            incident: None,
            resolved_at: None,
            silence: None,
            run: run.cloned(),
            caused_by: cause,
            failures: Vec::new(),
            forgotten_by: None,
        };
        let of = |kind, incident: &OpenIncident| {
            incident.announced.then(|| Told { incident: Some(incident.clone()), ..told(kind) })
        };
        match effect {
            Effect::Opened(incident) => of(MadeKind::IncidentOpened, incident),
            Effect::Reminder(incident) => of(MadeKind::IncidentReminder, incident),
            Effect::Resolved { incident, at, .. } => {
                of(MadeKind::IncidentResolved, incident).map(|told| Told { resolved_at: Some(*at), ..told })
            }
            Effect::Silent { since, expected_every } => {
                let silence = Quiet { since: *since, expected_every: Some(*expected_every), lasted: None };
                Some(Told { silence: Some(silence), ..told(MadeKind::MonitorSilent) })
            }
            Effect::Resumed { silent_since, gap } => {
                let silence = Quiet { since: *silent_since, expected_every: None, lasted: Some(*gap) };
                Some(Told { silence: Some(silence), ..told(MadeKind::MonitorResumed) })
            }
        }
    }

    pub(super) fn into_change(self) -> MonitorChange {
        MonitorChange { monitor: self.monitor, due_at: self.due_at, runs: self.runs }
    }
}

/// What the event of a run says about its monitor; `None` without an id, for such a monitor is not followed.
pub(super) fn identity(event: &Event) -> Option<Identity> {
    let Facts { monitor_name, collection_name, collection_id, environment_name, environment_id, .. } =
        &event.facts;
    Some(Identity {
        uid: event.subject.clone()?,
        name: monitor_name.clone(),
        collection_name: collection_name.clone(),
        collection_id: collection_id.clone(),
        environment_name: environment_name.clone(),
        environment_id: environment_id.clone(),
        source: event.source.clone(),
        labels: event.labels.clone(),
    })
}

/// What a run says nothing about is as it was.
fn keep_known(identity: &mut Identity, known: Identity) {
    let fill = |said: &mut Option<String>, known| *said = said.take().or(known);
    fill(&mut identity.name, known.name);
    fill(&mut identity.collection_name, known.collection_name);
    fill(&mut identity.collection_id, known.collection_id);
    fill(&mut identity.environment_name, known.environment_name);
    fill(&mut identity.environment_id, known.environment_id);
}

/// What is due by then was due, whatever a step says: nothing may be due again at once, for ever.
pub(super) fn later(due: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    due.map(|due| due.max(now.plus(DUE_AGAIN_MIN)))
}

const DUE_AGAIN_MIN: Duration = Duration::from_secs(1);
