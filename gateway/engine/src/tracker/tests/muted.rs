//! Monitors that nobody wants to hear of for a while.

use postroom_core::event::{MadeKind::*, Verdict};

use super::desk::{Desk, HOUR, MINUTE, quiet, tracking};

#[tokio::test(start_paused = true)]
async fn an_incident_of_a_muted_monitor_is_told_when_the_mute_ends() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.run("m", Verdict::Passed).await;
    desk.settle().await;
    let until = desk.clock.now().plus(HOUR);
    assert_eq!(desk.mute("m", Some(until)).await.unwrap().mute.unwrap().until, until);
    desk.run("m", Verdict::Failed).await;
    desk.wait(HOUR - MINUTE).await;
    assert_eq!(desk.told_of("m"), []);
    desk.wait(2 * MINUTE).await;
    assert_eq!(desk.told_of("m"), [IncidentOpened]);
    let [incident] = &desk.incidents()[..] else { panic!("one incident") };
    let timeline: Vec<_> = incident.timeline.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!((timeline, incident.announced), (vec!["opened", "announced"], true));
}

#[tokio::test(start_paused = true)]
async fn an_incident_that_resolves_before_is_never_told() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.run("m", Verdict::Passed).await;
    desk.settle().await;
    desk.mute("m", Some(desk.clock.now().plus(HOUR))).await;
    desk.run("m", Verdict::Failed).await;
    desk.run("m", Verdict::Passed).await;
    desk.wait(2 * HOUR).await;
    assert_eq!(desk.told_of("m"), []);
    assert_eq!(desk.incidents().len(), 1, "and yet it is known");
}

#[tokio::test(start_paused = true)]
async fn an_unmute_tells_at_once() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.run("m", Verdict::Passed).await;
    desk.settle().await;
    desk.mute("m", Some(desk.clock.now().plus(HOUR))).await;
    desk.run("m", Verdict::Failed).await;
    desk.wait(MINUTE).await;
    desk.kill().await;
    desk.start();
    desk.wait(MINUTE).await;
    assert_eq!(desk.told_of("m"), [], "a mute outlives a restart");
    assert_eq!(desk.mute("m", None).await.unwrap().mute, None);
    desk.settle().await;
    assert_eq!(desk.told_of("m"), [IncidentOpened]);
}

#[tokio::test(start_paused = true)]
async fn there_is_nothing_to_mute_of_an_unknown_monitor() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    assert_eq!(desk.mute("m", Some(desk.clock.now().plus(HOUR))).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_monitor_can_be_muted_while_nothing_is_followed() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.run("m", Verdict::Passed).await;
    desk.settle().await;
    desk.put(super::super::Tracking { enabled: false, ..tracking(quiet()) });
    desk.settle().await;
    let alive = desk.store.state().following().mark.alive.clone();
    desk.wait(MINUTE).await;
    assert!(desk.mute("m", Some(desk.clock.now().plus(HOUR))).await.is_some());
    assert_eq!(desk.store.state().following().mark.alive, alive, "it does not pretend to have followed");
}
