//! A person pauses a destination.

use std::sync::atomic::Ordering;

use postroom_core::{delivery::DeliveryState, lane::GateState, outcome::OutcomeKind};

use super::{
    actor::{Scripted, ends},
    stage::{DESTINATION, Setup, Stage},
};
use crate::SteerError;

async fn check_nothing_starts(stage: &mut Stage) {
    stage.accept(&["p1"]).await;
    tokio::time::sleep(std::time::Duration::from_secs(60 * 60)).await;
    assert!(stage.seen_so_far().is_empty());
    assert_eq!(stage.load().await.gate, GateState::Held);
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_until_the_destination_is_resumed() {
    let mut stage = Setup::keep(Scripted::default()).start();
    stage.handle().pause(DESTINATION, "ada").await.unwrap();
    assert_eq!(stage.load().await.paused_by.unwrap().by, "ada");
    check_nothing_starts(&mut stage).await;
    stage.handle().resume(DESTINATION).await.unwrap();
    assert_eq!(stage.seen(1).await, ["p1"]);
    assert_eq!(stage.load().await.paused_by, None);
}

#[tokio::test(start_paused = true)]
async fn a_pause_outlives_a_restart() {
    let mut stage = Setup::keep(Scripted::default()).start();
    stage.handle().pause(DESTINATION, "ada").await.unwrap();
    stage.crash_and_restart().await;
    check_nothing_starts(&mut stage).await;
    stage.handle().resume(DESTINATION).await.unwrap();
    stage.crash_and_restart().await;
    assert_eq!(stage.seen(1).await, ["p1"]);
}

#[tokio::test(start_paused = true)]
async fn the_first_pause_stands() {
    let stage = Setup::keep(Scripted::default()).start();
    stage.handle().pause(DESTINATION, "ada").await.unwrap();
    stage.handle().pause(DESTINATION, "grace").await.unwrap();
    assert_eq!(stage.load().await.paused_by.unwrap().by, "ada");
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_cannot_be_stored_is_none() {
    let mut stage = Setup::keep(Scripted::default()).start();
    stage.load_when(|load| load.gate == GateState::Open).await;
    stage.memory().fails.store(true, Ordering::SeqCst);
    let failed = stage.handle().pause(DESTINATION, "ada").await;
    assert!(matches!(failed, Err(SteerError::Store(_))), "{failed:?}");
    stage.memory().fails.store(false, Ordering::SeqCst);
    stage.accept(&["a1"]).await;
    assert_eq!(stage.seen(1).await, ["a1"]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_cannot_be_stored_leaves_one_that_an_outcome_asked_for() {
    let script = Scripted::default().first("a1", [ends(OutcomeKind::Misconfigured)]);
    let mut stage = Setup::keep(script).start();
    stage.accept(&["a1"]).await;
    let paused = stage.load_when(|load| load.paused_until.is_some() && load.in_flight == 0).await;
    stage.memory().fails.store(true, Ordering::SeqCst);
    stage.handle().pause(DESTINATION, "ada").await.unwrap_err();
    stage.memory().fails.store(false, Ordering::SeqCst);
    let after = stage.load().await;
    assert_eq!((after.gate, after.paused_until), (GateState::Paused, paused.paused_until));
}

#[tokio::test(start_paused = true)]
async fn a_resumption_that_cannot_be_stored_is_none() {
    let mut stage = Setup::keep(Scripted::default()).start();
    stage.handle().pause(DESTINATION, "ada").await.unwrap();
    stage.memory().fails.store(true, Ordering::SeqCst);
    let failed = stage.handle().resume(DESTINATION).await;
    assert!(matches!(failed, Err(SteerError::Store(_))), "{failed:?}");
    stage.memory().fails.store(false, Ordering::SeqCst);
    check_nothing_starts(&mut stage).await;
}

#[tokio::test(start_paused = true)]
async fn wishes_made_at_once_are_carried_out_one_after_the_other() {
    let mut stage = Setup::keep(Scripted::default()).start();
    let handle = stage.handle();
    let (paused, resumed, again) = tokio::join!(
        handle.pause(DESTINATION, "ada"),
        handle.resume(DESTINATION),
        handle.pause(DESTINATION, "grace"),
    );
    paused.and(resumed).and(again).unwrap();
    assert_eq!(stage.load().await.paused_by.unwrap().by, "grace");
    stage.crash_and_restart().await;
    check_nothing_starts(&mut stage).await;
}

#[tokio::test(start_paused = true)]
async fn a_person_ends_a_pause_that_an_outcome_has_asked_for() {
    let script = Scripted::default().first("a1", [ends(OutcomeKind::Misconfigured)]);
    let mut stage = Setup::keep(script).start();
    stage.accept(&["a1", "b1"]).await;
    stage.load_when(|load| load.paused_until.is_some() && load.in_flight == 0).await;
    stage.seen_so_far();
    let began = tokio::time::Instant::now();
    stage.handle().resume(DESTINATION).await.unwrap();
    stage.until("a1", DeliveryState::Delivered).await;
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn only_what_is_configured_can_be_paused() {
    let stage = Setup::keep(Scripted::default()).start();
    let failed = stage.handle().pause("nobody", "ada").await;
    assert!(matches!(failed, Err(SteerError::UnknownDestination { .. })), "{failed:?}");
}
