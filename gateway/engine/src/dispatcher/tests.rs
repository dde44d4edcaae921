//! The dispatcher over the real store, with deliverers that do as they are told.

mod stage;

use std::time::Duration;

use postroom_core::{
    delivery::DeliveryState,
    lane::Backlog,
    outcome::{Outcome, OutcomeKind},
};
use postroom_host::Delivered;

use self::stage::{Scripted, Stage};
use crate::Drained;

fn fails() -> Delivered {
    Delivered::Outcome(Outcome::retry("http_503", "busy"))
}

fn ends(kind: OutcomeKind) -> Delivered {
    Delivered::Outcome(Outcome::of(kind))
}

#[tokio::test]
async fn a_failed_delivery_holds_its_lane_and_no_other() {
    let mut stage = Stage::new(Backlog::Keep, Scripted::default().first("a1", [fails(), fails()])).await;
    for name in ["a1", "a2", "b1", "b2"] {
        stage.accept(name).await;
    }
    let seen = stage.seen(6).await;
    let of = |lane: char| seen.iter().filter(|name| name.starts_with(lane)).cloned().collect::<Vec<_>>();
    assert_eq!(of('a'), ["a1", "a1", "a1", "a2"]);
    assert_eq!(of('b'), ["b1", "b2"]);
    stage.drain().await;
    assert_eq!(stage.attempts_of("a1").await, (DeliveryState::Delivered, 3));
}

#[tokio::test]
async fn a_lane_longer_than_its_window_keeps_its_order() {
    let mut stage = Stage::new(Backlog::Keep, Scripted::default()).await;
    let names: Vec<String> = (0..150).map(|number| format!("a{number}")).collect();
    for name in &names {
        stage.accept(name).await;
    }
    assert_eq!(stage.seen(150).await, names);
}

#[tokio::test]
async fn what_came_in_before_the_start_is_delivered_too() {
    let mut stage = Stage::stopped(Backlog::Keep, Scripted::default()).await;
    // Far more commits than the feed holds: the rest has to be read from the store.
    let names: Vec<String> = (0..100).map(|number| format!("a{number}")).collect();
    for name in &names {
        stage.accept(name).await;
    }
    stage.start();
    assert_eq!(stage.seen(100).await, names);
}

#[tokio::test]
async fn after_a_restart_the_lane_goes_on_where_it_stood() {
    let stuck = Scripted::default().never("a2");
    let mut stage = Stage::new(Backlog::Keep, stuck).await;
    for name in ["a1", "a2", "a3"] {
        stage.accept(name).await;
    }
    assert_eq!(stage.seen(2).await, ["a1", "a2"]);
    stage.crash_and_restart(Scripted::default()).await;
    assert_eq!(stage.seen(2).await, ["a2", "a3"]);
}

#[tokio::test]
async fn a_dead_letter_lets_the_lane_go_on() {
    let script = Scripted::default().first("a1", [fails(), fails(), fails(), fails()]);
    let mut stage = Stage::new(Backlog::Keep, script).await;
    stage.accept("a1").await;
    stage.accept("a2").await;
    assert_eq!(stage.seen(5).await, ["a1", "a1", "a1", "a1", "a2"]);
    stage.drain().await;
    assert_eq!(stage.attempts_of("a1").await, (DeliveryState::Dead, 4));
}

#[tokio::test]
async fn bad_settings_pause_the_destination_and_cost_no_attempt() {
    let script = Scripted::default().first("a1", [ends(OutcomeKind::Misconfigured)]);
    let mut stage = Stage::new(Backlog::Keep, script).await;
    stage.accept("a1").await;
    assert_eq!(stage.seen(1).await, ["a1"]);
    stage.load_when(|load| load.paused_until.is_some() && load.in_flight == 0).await;
    stage.accept("b1").await;
    stage.drain().await;
    assert_eq!(stage.attempts_of("a1").await, (DeliveryState::Pending, 0));
    assert_eq!(stage.attempts_of("b1").await, (DeliveryState::Pending, 0));
}

#[tokio::test]
async fn a_delivery_that_is_not_accepted_is_offered_again_and_costs_no_attempt() {
    let script = Scripted::default().first("a1", [Delivered::NotAccepted]);
    let mut stage = Stage::new(Backlog::Keep, script).await;
    stage.accept("a1").await;
    assert_eq!(stage.seen(2).await, ["a1", "a1"]);
    stage.drain().await;
    assert_eq!(stage.attempts_of("a1").await, (DeliveryState::Delivered, 1));
}

#[tokio::test]
async fn latest_sends_only_the_newest_of_a_lane_that_is_held_up() {
    let script = Scripted::default().holding("a1").first("a1", [fails()]);
    let mut stage = Stage::new(Backlog::Latest, script).await;
    for name in ["a1", "a2", "a3"] {
        stage.accept(name).await;
    }
    assert_eq!(stage.seen(1).await, ["a1"]);
    stage.all_taken_in().await;
    stage.release();
    assert_eq!(stage.seen(1).await, ["a3"]);
    stage.drain().await;
    assert_eq!(stage.attempts_of("a1").await, (DeliveryState::Superseded, 1));
    assert_eq!(stage.attempts_of("a2").await, (DeliveryState::Superseded, 0));
    assert_eq!(stage.attempts_of("a3").await, (DeliveryState::Delivered, 1));
}

#[tokio::test]
async fn a_lane_does_not_go_on_before_its_outcome_is_stored() {
    let mut stage = Stage::new(Backlog::Keep, Scripted::default()).await;
    stage.refuse_records(2);
    stage.accept("a1").await;
    stage.accept("a2").await;
    assert_eq!(stage.seen(2).await, ["a1", "a2"]);
    assert_eq!(stage.records_when_started("a2"), Some(3), "two refused, the third stored");
}

#[tokio::test]
async fn a_drain_waits_for_what_is_in_flight() {
    let mut stage = Stage::new(Backlog::Keep, Scripted::default().holding("a1")).await;
    stage.accept("a1").await;
    stage.accept("a2").await;
    assert_eq!(stage.seen(1).await, ["a1"]);
    let (drained, ()) =
        tokio::join!(stage.handle().drain(Duration::from_secs(30)), async { stage.release() });
    assert_eq!(drained, Drained::Complete);
    assert_eq!(stage.attempts_of("a1").await, (DeliveryState::Delivered, 1));
    assert_eq!(stage.attempts_of("a2").await, (DeliveryState::Pending, 0), "nothing new is started");
}

#[tokio::test]
async fn a_drain_gives_up_on_what_does_not_end() {
    let mut stage = Stage::new(Backlog::Keep, Scripted::default().never("a1")).await;
    stage.accept("a1").await;
    assert_eq!(stage.seen(1).await, ["a1"]);
    assert_eq!(stage.handle().drain(Duration::from_millis(10)).await, Drained::TimedOut);
    assert_eq!(stage.attempts_of("a1").await, (DeliveryState::Pending, 0));
}

#[tokio::test]
async fn a_drain_can_be_asked_for_twice() {
    let stage = Stage::new(Backlog::Keep, Scripted::default()).await;
    stage.drain().await;
    stage.drain().await;
}

#[tokio::test]
async fn a_body_that_is_lost_does_not_hold_up_its_lane() {
    let mut stage = Stage::stopped(Backlog::Keep, Scripted::default()).await;
    stage.accept_large("a1").await;
    stage.accept("a2").await;
    stage.remove_files();
    stage.start();
    assert_eq!(stage.seen(1).await, ["a2"]);
    assert_eq!(stage.attempts_of("a1").await, (DeliveryState::Dead, 1));
}

#[tokio::test]
async fn a_panic_in_an_attempt_is_a_failed_attempt() {
    let mut stage = Stage::new(Backlog::Keep, Scripted::default().panicking("a1")).await;
    stage.accept("a1").await;
    stage.accept("a2").await;
    assert_eq!(stage.seen(3).await, ["a1", "a1", "a2"]);
    stage.drain().await;
    assert_eq!(stage.attempts_of("a1").await, (DeliveryState::Delivered, 2));
}

#[tokio::test]
async fn the_reason_of_a_pause_stays_until_the_pause_is_over() {
    let limited = Outcome { message: "slow down".to_owned(), ..Outcome::of(OutcomeKind::RateLimited) };
    let script = Scripted::default().holding("b1").first("a1", [Delivered::Outcome(limited)]);
    let mut stage = Stage::new(Backlog::Keep, script).await;
    stage.accept("b1").await;
    stage.accept("a1").await;
    stage.seen(2).await;
    stage.load_when(|load| load.paused_until.is_some() && load.in_flight == 1).await;
    stage.release();
    let load = stage.load_when(|load| load.in_flight == 0).await;
    assert!(load.paused_until.is_some());
    let trouble = load.trouble.expect("another lane that gets through does not end it");
    assert_eq!(trouble.reason, "slow down");
}

#[tokio::test]
async fn what_goes_wrong_is_told_until_something_gets_through() {
    let script = Scripted::default().holding("a2").first("a1", [fails(), fails(), fails(), fails()]);
    let mut stage = Stage::new(Backlog::Keep, script).await;
    stage.accept("a1").await;
    let load = stage.load_when(|load| load.trouble.is_some()).await;
    assert_eq!(load.trouble.unwrap().reason, "busy");
    stage.accept("a2").await;
    stage.seen(5).await;
    stage.release();
    stage.load_when(|load| load.trouble.is_none()).await;
}
