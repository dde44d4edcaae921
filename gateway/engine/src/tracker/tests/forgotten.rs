//! Monitors that are no more, because a person says so.

use std::sync::atomic::Ordering;

use postroom_core::{
    event::{MadeKind::*, Verdict},
    monitor::{Monitor, PolicySettings, Silence},
};
use postroom_store::IncidentState;
use serde_json::json;

use super::{
    super::Wish,
    desk::{Desk, HOUR, MINUTE, quiet, tracking},
};

async fn forget(desk: &Desk, uid: &str) -> Option<Monitor> {
    desk.ask(uid, Wish::Forget { by: "ann".to_owned() }).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_open_of_a_forgotten_monitor_ends_and_is_told() {
    let silence = Some(Silence::After(10 * MINUTE));
    let remind_every = Some(Some(HOUR));
    let mut desk = Desk::new(tracking(PolicySettings { silence, remind_every, ..PolicySettings::default() }));
    desk.start();
    desk.run("m", Verdict::Passed).await;
    desk.run("m", Verdict::Failed).await;
    desk.run("other", Verdict::Failed).await;
    desk.wait(30 * MINUTE).await;
    assert_eq!(desk.told_of("m"), [IncidentOpened, MonitorSilent]);
    desk.mute("m", Some(desk.clock.now().plus(HOUR))).await;

    let was = forget(&desk, "m").await.unwrap();
    assert_eq!((was.counts.passed, was.counts.failed, was.track.incident.is_some()), (1, 1, true));
    desk.wait(3 * HOUR).await;
    let told = desk.told_of("m");
    assert_eq!(told, [IncidentOpened, MonitorSilent, IncidentResolved, MonitorResumed], "and no reminder");
    let made: Vec<_> =
        desk.made().into_iter().filter(|(event, _)| event.subject.as_deref() == Some("m")).collect();
    for (event, body) in &made[2..] {
        assert_eq!((event.verdict, &body["forgotten_by"]), (Some(Verdict::Passed), &json!("ann")));
        assert_eq!((&body["caused_by"], &body["run"]["verdict"]), (&json!(null), &json!("failed")));
    }
    let incidents = desk.incidents();
    let incident = incidents.iter().find(|incident| incident.monitor == "m").unwrap();
    assert_eq!((incident.state, incident.resolved_by), (IncidentState::Resolved, None));
    let last = incident.timeline.last().unwrap();
    assert_eq!(
        (last.what.as_str(), last.note.as_deref(), last.event),
        ("resolved", Some("forgotten by ann"), Some(made[2].0.id))
    );
    let monitors: Vec<_> = desk.store.state().following().monitors.keys().cloned().collect();
    assert_eq!(monitors, ["other"]);
    assert!(!desk.store.state().following().runs.contains_key("m"));
}

#[tokio::test(start_paused = true)]
async fn of_a_monitor_of_which_nothing_was_told_nothing_is_told() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.run("m", Verdict::Passed).await;
    desk.settle().await;
    desk.mute("m", Some(desk.clock.now().plus(HOUR))).await;
    desk.run("m", Verdict::Failed).await;
    desk.wait(MINUTE).await;
    forget(&desk, "m").await.unwrap();
    desk.wait(2 * HOUR).await;
    assert_eq!(desk.told(), []);
    let [incident] = &desk.incidents()[..] else { panic!("one incident") };
    assert_eq!(incident.state, IncidentState::Resolved, "and yet it is over");
    assert_eq!(forget(&desk, "m").await, None, "there is none any more");
    assert_eq!(forget(&desk, "nobody").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_monitor_that_runs_again_is_a_new_one() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.run("m", Verdict::Failed).await;
    desk.wait(MINUTE).await;
    forget(&desk, "m").await.unwrap();
    desk.run("m", Verdict::Failed).await;
    desk.wait(MINUTE).await;
    assert_eq!(desk.told_of("m"), [IncidentOpened, IncidentResolved, IncidentOpened]);
    assert_eq!(desk.monitor("m").counts.failed, 1);
    assert_eq!(desk.incidents().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_monitor_is_forgotten_also_while_nothing_is_followed() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.run("m", Verdict::Failed).await;
    desk.wait(MINUTE).await;
    desk.put(super::super::Tracking { enabled: false, ..tracking(quiet()) });
    desk.settle().await;
    forget(&desk, "m").await.unwrap();
    assert_eq!(desk.told_of("m"), [IncidentOpened, IncidentResolved]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_forgets_nothing_and_says_so() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.run("m", Verdict::Failed).await;
    desk.wait(MINUTE).await;
    desk.store.fails.store(true, Ordering::SeqCst);
    desk.ask("m", Wish::Forget { by: "ann".to_owned() }).await.unwrap_err();
    desk.store.fails.store(false, Ordering::SeqCst);
    desk.wait(HOUR).await;
    assert_eq!(desk.told_of("m"), [IncidentOpened]);
    desk.monitor("m");
}
