//! Any sequence of runs, with a tracker that is killed anywhere, comes to what a single pass over the runs comes to.

use std::{collections::BTreeMap, time::Duration};

use postroom_core::{
    event::{MadeKind, Verdict},
    id::{EventId, IncidentId},
    monitor::{Effect, Flap, Input, Monitor, PolicySettings, Rules, Run, Watch, step},
};
use proptest::prelude::*;

use super::desk::{Desk, MINUTE, quiet, tracking};

#[derive(Debug, Clone)]
enum Step {
    Run(u8, Verdict),
    /// Together less than an hour: what is older than that when it is read is history.
    Seconds(u64),
    /// The tracker works for so many awaits and is killed.
    Work(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let verdict = prop_oneof![Just(Verdict::Failed), Just(Verdict::Passed), Just(Verdict::Unknown)];
    let step = prop_oneof![
        4 => (0..3_u8, verdict).prop_map(|(monitor, verdict)| Step::Run(monitor, verdict)),
        1 => (1..80_u64).prop_map(Step::Seconds),
        2 => (0..40_usize).prop_map(Step::Work),
    ];
    prop::collection::vec(step, 1..40)
}

fn settings() -> impl Strategy<Value = PolicySettings> {
    (1..4_u32, 1..4_u32, prop::option::of(2..5_u32)).prop_map(|(open, resolve, changes)| PolicySettings {
        open_after: Some(open),
        resolve_after: Some(resolve),
        flap: Some(changes.map(|changes| Flap { changes, of: 6 })),
        ..quiet()
    })
}

/// What became of a monitor, without what is made anew each time.
#[derive(Debug, Default, PartialEq, Eq)]
struct Story {
    runs: Vec<EventId>,
    told: Vec<(MadeKind, Option<EventId>)>,
    /// First and last failing run, runs, failed runs, and what resolved it.
    incidents: Vec<(EventId, EventId, u32, u32, Option<EventId>)>,
}

/// What a single pass over the runs comes to, if what `watch` says was heard.
fn expected(runs: &[(String, Run)], settings: &PolicySettings, watch: &Watch) -> BTreeMap<String, Story> {
    let rules = Rules { defaults: settings.clone(), rules: Vec::new() };
    let mut monitors: BTreeMap<String, (Monitor, Story)> = BTreeMap::new();
    for (uid, run) in runs {
        let (monitor, story) = monitors.entry(uid.clone()).or_insert_with(|| {
            let identity = postroom_core::monitor::Identity {
                uid: uid.clone(),
                name: None,
                collection_name: None,
                collection_id: None,
                environment_name: None,
                environment_id: None,
                source: postroom_core::id::SourceName::new("acme"),
                labels: BTreeMap::new(),
            };
            (Monitor::new(identity, run.at), Story::default())
        });
        let policy = rules.policy(&monitor.identity);
        let id = IncidentId::from_bytes([1; 16]);
        story.runs.push(run.event);
        for effect in step(monitor, Input::Run(run), run.at, &policy, watch, id) {
            match effect {
                Effect::Opened(_) => story.told.push((MadeKind::IncidentOpened, Some(run.event))),
                Effect::Resolved { incident, .. } => {
                    story.told.push((MadeKind::IncidentResolved, Some(run.event)));
                    let (first, last) = (incident.first_failing.event, incident.last_failing.event);
                    let counts = (incident.runs, incident.failed_runs);
                    story.incidents.push((first, last, counts.0, counts.1, Some(run.event)));
                }
                other => unreachable!("{other:?}"),
            }
        }
    }
    let finish = |(monitor, mut story): (Monitor, Story)| {
        story.incidents.extend(monitor.track.incident.map(|incident| {
            let (first, last) = (incident.first_failing.event, incident.last_failing.event);
            (first, last, incident.runs, incident.failed_runs, None)
        }));
        story
    };
    monitors.into_iter().map(|(uid, monitor)| (uid, finish(monitor))).collect()
}

fn seen(desk: &Desk) -> BTreeMap<String, Story> {
    let mut stories: BTreeMap<String, Story> = BTreeMap::new();
    for (uid, runs) in &desk.store.state().following().runs {
        stories.entry(uid.clone()).or_default().runs = runs.iter().map(|run| run.event).collect();
    }
    for (event, body) in desk.made() {
        let postroom_core::event::Kind::Made(kind) = event.kind else { unreachable!() };
        let cause = body["caused_by"].as_str().map(|id| id.parse().unwrap());
        stories.entry(event.subject.clone().unwrap()).or_default().told.push((kind, cause));
    }
    for incident in desk.incidents() {
        let resolved = incident.resolved_by.map(|run| run.event);
        stories.entry(incident.monitor).or_default().incidents.push((
            incident.first_failing.event,
            incident.last_failing.event,
            incident.runs,
            incident.failed_runs,
            resolved,
        ));
    }
    stories
}

async fn check(steps: Vec<Step>, settings: PolicySettings) {
    let mut desk = Desk::new(tracking(settings.clone()));
    // A part becomes several changes, so it may be killed between them.
    desk.changed_max = Some(1);
    for step in steps {
        match step {
            Step::Run(monitor, verdict) => {
                desk.run(&format!("m{monitor}"), verdict).await;
            }
            Step::Seconds(seconds) => desk.wait(Duration::from_secs(seconds)).await,
            Step::Work(steps) => desk.run_for(steps).await,
        }
    }
    desk.start();
    desk.wait(MINUTE).await;
    let runs: Vec<(String, Run)> = desk.runs_in_order();
    let heard = expected(&runs, &settings, &Watch::always());
    // Runs that alternate look like Postman's other policy where their rhythm was not heard, and whoever is killed hears less.
    if heard == expected(&runs, &settings, &Watch::since(desk.clock.now())) {
        assert_eq!(seen(&desk), heard);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_tracker_that_is_killed_anywhere_comes_to_the_same(steps in steps(), settings in settings()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(check(steps, settings));
    }
}
