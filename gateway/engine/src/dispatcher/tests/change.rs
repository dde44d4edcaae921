//! Destinations get other settings, come and go while events are delivered.

use std::{sync::atomic::Ordering, time::Duration};

use postroom_core::{
    delivery::DeliveryState,
    id::DestinationName,
    lane::{GateState, LaneSettings},
    outcome::OutcomeKind,
    schedule::Schedule,
};

use super::{
    actor::{Scripted, ends, fails},
    stage::{DESTINATION, Setup},
};
use crate::{Destination, SteerError, testing::new_event};

fn with_concurrency(destination: Destination, concurrency: u32) -> Destination {
    Destination { lanes: LaneSettings { concurrency, ..destination.lanes }, ..destination }
}

#[tokio::test(start_paused = true)]
async fn other_settings_hold_for_what_starts_next() {
    let mut stage = Setup::keep(Scripted::default().holding("a1")).start();
    stage.handle().put(vec![with_concurrency(stage.destination(), 1)]).await.unwrap();
    stage.accept(&["a1", "b1"]).await;
    assert_eq!(stage.seen(1).await, ["a1"]);
    stage.all_taken_in().await;
    assert!(stage.seen_so_far().is_empty(), "one at a time");
    stage.handle().put(vec![with_concurrency(stage.destination(), 2)]).await.unwrap();
    assert_eq!(stage.seen(1).await, ["b1"]);
    stage.release();
    stage.drain().await;
}

#[tokio::test(start_paused = true)]
async fn a_pause_and_its_backlog_stand() {
    let mut stage = Setup::keep(Scripted::default()).start();
    stage.handle().pause(DESTINATION, "ada").await.unwrap();
    stage.accept(&["a1", "a2"]).await;
    stage.handle().put(vec![with_concurrency(stage.destination(), 3)]).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60 * 60)).await;
    assert!(stage.seen_so_far().is_empty());
    assert_eq!(stage.load().await.paused_by.unwrap().by, "ada");
    stage.handle().resume(DESTINATION).await.unwrap();
    assert_eq!(stage.seen(2).await, ["a1", "a2"]);
}

#[tokio::test(start_paused = true)]
async fn the_breaker_stands() {
    let mut stage = Setup::keep(Scripted::default()).start();
    stage.down(true);
    let lanes = ["a1", "b1", "c1", "d1", "e1", "f1", "g1", "h1", "i1", "j1", "k1", "l1"];
    stage.accept(&lanes).await;
    let open = stage.load_when(|load| load.gate == GateState::Breaker && load.in_flight == 0).await;
    stage.handle().put(vec![with_concurrency(stage.destination(), 3)]).await.unwrap();
    let after = stage.load().await;
    assert_eq!((after.gate, after.paused_until), (GateState::Breaker, open.paused_until));
    assert!(after.trouble.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_retry_goes_by_the_waits_of_the_moment_at_which_it_fails() {
    let mut stage = Setup::keep(Scripted::default().first("a1", [fails()])).start();
    let retry = postroom_core::retry::RetryPolicy::new(vec![Duration::from_secs(1000)]);
    stage.handle().put(vec![Destination { retry, ..stage.destination() }]).await.unwrap();
    stage.accept(&["a1"]).await;
    stage.seen(1).await;
    let began = tokio::time::Instant::now();
    stage.seen(1).await;
    assert!(began.elapsed() >= Duration::from_secs(500), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_schedule_comes_and_goes() {
    let mut stage = Setup::keep(Scripted::default()).start();
    let schedule = Some(Schedule::parse(&["tue 14:00-16:00"], "UTC").unwrap());
    stage.handle().put(vec![Destination { schedule, ..stage.destination() }]).await.unwrap();
    stage.accept(&["a1"]).await;
    stage.load_when(|load| load.gate == GateState::Closed).await;
    stage.all_taken_in().await;
    assert!(stage.seen_so_far().is_empty());
    stage.handle().put(vec![stage.destination()]).await.unwrap();
    assert_eq!(stage.seen(1).await, ["a1"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_more_goes_to_a_destination_that_is_gone_until_it_is_back() {
    let mut stage = Setup::keep(Scripted::default().holding("a1")).start();
    stage.accept(&["a1", "a2"]).await;
    assert_eq!(stage.seen(1).await, ["a1"]);
    stage.handle().remove(vec![DestinationName::new(DESTINATION)]).await.unwrap();
    assert!(stage.handle().loads().await.is_empty());
    let failed = stage.handle().pause(DESTINATION, "ada").await;
    assert!(matches!(failed, Err(SteerError::UnknownDestination { .. })), "{failed:?}");
    // What it had ends, and is recorded.
    stage.release();
    stage.until("a1", DeliveryState::Delivered).await;
    stage.accept(&["b1"]).await;
    tokio::time::sleep(Duration::from_secs(60 * 60)).await;
    assert!(stage.seen_so_far().is_empty());

    stage.handle().put(vec![stage.destination()]).await.unwrap();
    let mut seen = stage.seen(2).await;
    seen.sort();
    assert_eq!(seen, ["a2", "b1"]);
    stage.drain().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_was_paused_when_it_went_is_paused_when_it_is_back() {
    let mut stage = Setup::keep(Scripted::default()).start();
    stage.handle().pause(DESTINATION, "ada").await.unwrap();
    stage.handle().remove(vec![DestinationName::new(DESTINATION)]).await.unwrap();
    stage.accept(&["a1"]).await;
    stage.handle().put(vec![stage.destination()]).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60 * 60)).await;
    assert!(stage.seen_so_far().is_empty());
    stage.handle().resume(DESTINATION).await.unwrap();
    assert_eq!(stage.seen(1).await, ["a1"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_destination_gets_what_waits_for_it_and_what_comes() {
    let mut stage = Setup::keep(Scripted::default()).start();
    let accept = |name: &str| stage.store.accept(new_event("new", name.to_owned()));
    accept("n1").await.unwrap();
    stage.all_taken_in().await;
    let new = Destination { name: DestinationName::new("new"), ..stage.destination() };
    stage.handle().put(vec![new]).await.unwrap();
    accept("n2").await.unwrap();
    assert_eq!(stage.seen(2).await, ["n1", "n2"]);
    stage.handle().pause("new", "ada").await.unwrap();
    assert_eq!(stage.handle().loads().await.len(), 2);
}

/// What is being written when the destination goes is about a destination that is gone.
#[tokio::test(start_paused = true)]
async fn a_pause_or_resumption_under_way_does_not_open_a_destination_that_goes() {
    for (fails, resumes) in [(false, true), (true, false)] {
        let mut stage = Setup::keep(Scripted::default()).start();
        // The pauses have been read.
        stage.load_when(|load| load.gate == GateState::Open).await;
        let handle = stage.handle();
        if resumes {
            handle.pause(DESTINATION, "ada").await.unwrap();
        }
        stage.memory().fails.store(fails, Ordering::SeqCst);
        let steer = async {
            if resumes { handle.resume(DESTINATION).await } else { handle.pause(DESTINATION, "ada").await }
        };
        let (steered, removed) = tokio::join!(steer, handle.remove(vec![DestinationName::new(DESTINATION)]));
        stage.memory().fails.store(false, Ordering::SeqCst);
        assert_eq!((steered.is_err(), removed.is_ok()), (fails, true));
        stage.accept(&["a1"]).await;
        tokio::time::sleep(Duration::from_secs(60 * 60)).await;
        assert!(stage.seen_so_far().is_empty(), "it is gone; fails: {fails}");
        stage.handle().put(vec![stage.destination()]).await.unwrap();
        assert_eq!(stage.seen(1).await, ["a1"], "it is back; fails: {fails}");
    }
}

#[tokio::test(start_paused = true)]
async fn other_settings_end_a_pause_because_of_settings_at_once() {
    let script = Scripted::default().first("a1", [ends(OutcomeKind::Misconfigured)]);
    let mut stage = Setup::keep(script).start();
    stage.accept(&["a1"]).await;
    stage.load_when(|load| load.paused_until.is_some() && load.in_flight == 0).await;
    let began = tokio::time::Instant::now();
    stage.handle().mended(vec![DestinationName::new(DESTINATION)]).await.unwrap();
    stage.until("a1", DeliveryState::Delivered).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}
