//! The dispatcher with deliverers that do as they are told. Most of it runs over a store in memory with paused time;
//! what needs a real store is in `disk`.

mod actor;
mod breaker;
mod cancel;
mod change;
mod disk;
mod hours;
mod latest;
mod logged;
mod pause;
mod replay;
mod retry;
mod stage;
mod stop;
mod unread;

use std::time::Duration;

use postroom_core::{
    delivery::DeliveryState,
    outcome::{Outcome, OutcomeKind},
};
use postroom_host::Delivered;
use tokio::time::Instant;

use self::{
    actor::{Scripted, ends, fails},
    stage::Setup,
};

#[tokio::test(start_paused = true)]
async fn a_failed_delivery_holds_its_lane_and_no_other() {
    let mut stage = Setup::keep(Scripted::default().first("a1", [fails(), fails()])).start();
    stage.accept(&["a1", "a2", "b1", "b2"]).await;
    let seen = stage.seen(6).await;
    let of = |lane: char| seen.iter().filter(|name| name.starts_with(lane)).cloned().collect::<Vec<_>>();
    assert_eq!(of('a'), ["a1", "a1", "a1", "a2"]);
    assert_eq!(of('b'), ["b1", "b2"]);
    stage.drain().await;
    assert_eq!(stage.state_of("a1").await, (DeliveryState::Delivered, 3));
}

#[tokio::test(start_paused = true)]
async fn a_retry_starts_when_it_is_due_though_nothing_else_happens() {
    let wait = Duration::from_secs(2 * 60 * 60);
    let script = Scripted::default().first("a1", [fails()]);
    let mut stage = Setup { retry: vec![wait], ..Setup::keep(script) }.start();
    stage.accept(&["a1"]).await;
    stage.seen(1).await;
    let began = Instant::now();
    stage.seen(1).await;
    let waited = began.elapsed();
    assert!(waited >= wait * 8 / 10 && waited <= wait * 12 / 10 + Duration::from_secs(1), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_lets_the_lane_go_on() {
    let script = Scripted::default().first("a1", [fails(), fails(), fails(), fails()]);
    let mut stage = Setup::keep(script).start();
    stage.accept(&["a1", "a2"]).await;
    assert_eq!(stage.seen(5).await, ["a1", "a1", "a1", "a1", "a2"]);
    stage.drain().await;
    assert_eq!(stage.state_of("a1").await, (DeliveryState::Dead, 4));
}

#[tokio::test(start_paused = true)]
async fn bad_settings_pause_the_destination_and_cost_no_attempt() {
    let script = Scripted::default().first("a1", [ends(OutcomeKind::Misconfigured)]);
    let mut stage = Setup::keep(script).start();
    stage.accept(&["a1"]).await;
    assert_eq!(stage.seen(1).await, ["a1"]);
    stage.load_when(|load| load.paused_until.is_some() && load.in_flight == 0).await;
    stage.accept(&["b1"]).await;
    stage.drain().await;
    assert_eq!(stage.state_of("a1").await, (DeliveryState::Pending, 0));
    assert_eq!(stage.state_of("b1").await, (DeliveryState::Pending, 0));
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_with_a_probe_that_gets_through() {
    let script = Scripted::default().holding("a1").first("a1", [ends(OutcomeKind::RateLimited)]);
    let mut stage = Setup::keep(script).start();
    stage.accept(&["a1"]).await;
    stage.seen(1).await;
    stage.accept(&["b1", "c1"]).await;
    assert_eq!(stage.seen(2).await.len(), 2, "other lanes go on until the pause is asked for");
    stage.release();
    stage.load_when(|load| load.paused_until.is_some()).await;
    stage.accept(&["d1", "e1"]).await;
    let mut seen = stage.seen(3).await;
    seen.sort();
    assert_eq!(seen, ["a1", "d1", "e1"]);
    stage.drain().await;
    assert_eq!(stage.state_of("a1").await, (DeliveryState::Delivered, 1), "a rate limit costs no attempt");
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_is_not_accepted_is_offered_again_and_costs_no_attempt() {
    let script = Scripted::default().first("a1", [Delivered::NotAccepted]);
    let mut stage = Setup::keep(script).start();
    stage.accept(&["a1"]).await;
    assert_eq!(stage.seen(2).await, ["a1", "a1"]);
    stage.drain().await;
    assert_eq!(stage.state_of("a1").await, (DeliveryState::Delivered, 1));
}

#[tokio::test(start_paused = true)]
async fn a_lane_goes_on_only_when_its_outcome_is_stored() {
    let mut stage = Setup::keep(Scripted::default().holding("a1")).start();
    stage.accept(&["a1", "a2"]).await;
    stage.seen(1).await;
    stage.refuse_records(2);
    stage.release();
    assert_eq!(stage.seen(1).await, ["a2"]);
    assert_eq!(stage.state_of("a1").await, (DeliveryState::Delivered, 1), "stored before the next one began");
}

#[tokio::test(start_paused = true)]
async fn other_lanes_do_not_wait_for_the_disk() {
    let mut stage = Setup::keep(Scripted::default()).start();
    stage.hold_records();
    // Far more lanes than may be in flight at once, and a second event for each.
    let lanes: Vec<String> = ('A'..='Z').chain('a'..='z').map(String::from).collect();
    for event in ["1", "2"] {
        let names: Vec<String> = lanes.iter().map(|lane| format!("{lane}{event}")).collect();
        stage.accept(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    let first = stage.seen(lanes.len()).await;
    assert!(first.iter().all(|name| name.ends_with('1')), "{first:?}");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(stage.seen_so_far().is_empty(), "no lane goes on before its outcome is recorded");
    assert_eq!(stage.load().await.in_flight, 0);
    stage.release_records();
    let second = stage.seen(lanes.len()).await;
    assert!(second.iter().all(|name| name.ends_with('2')), "{second:?}");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_an_attempt_is_a_failed_attempt() {
    let mut stage = Setup::keep(Scripted::default().panicking("a1")).start();
    stage.accept(&["a1", "a2"]).await;
    assert_eq!(stage.seen(3).await, ["a1", "a1", "a2"]);
    stage.drain().await;
    assert_eq!(stage.state_of("a1").await, (DeliveryState::Delivered, 2));
}

#[tokio::test(start_paused = true)]
async fn a_gap_in_the_feed_is_read_from_the_store() {
    let mut stage = Setup::keep(Scripted::default().holding("a0")).start();
    stage.accept(&["a0"]).await;
    stage.seen(1).await;
    // Without a turn of the dispatcher in between, far more commits than the feed holds.
    let names: Vec<String> = (1..300).map(|number| format!("a{number}")).collect();
    stage.accept(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    stage.release();
    assert_eq!(stage.seen(299).await, names);
}

#[tokio::test(start_paused = true)]
async fn events_at_hand_are_not_read_again_though_their_deliveries_waited_in_the_store() {
    let mut stage = Setup::keep(Scripted::default().holding("a0")).start();
    // What comes before the start is read from the store.
    stage.all_taken_in().await;
    for number in 0..200 {
        stage.accept(&[&format!("a{number}")]).await;
        stage.all_taken_in().await;
    }
    stage.release();
    stage.seen(200).await;
    assert_eq!(stage.memory().event_reads.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn the_events_of_a_backlog_are_read_together() {
    let mut stage = Setup::keep(Scripted::default()).start();
    stage.all_taken_in().await;
    // Far more lanes than may be in flight at once, and nothing of them at hand after the restart.
    stage.handle().pause(stage::DESTINATION, "ada").await.unwrap();
    let names: Vec<String> = ('A'..='Z').chain('a'..='z').map(|lane| format!("{lane}1")).collect();
    stage.accept(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    stage.crash_and_restart().await;
    stage.load_when(|load| !load.behind).await;
    stage.handle().resume(stage::DESTINATION).await.unwrap();
    let mut seen = stage.seen(names.len()).await;
    seen.sort();
    assert_eq!(seen, names);
    assert_eq!(stage.memory().event_reads.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn the_reason_of_a_pause_stays_until_the_pause_is_over() {
    let limited = Outcome { message: "slow down".to_owned(), ..Outcome::of(OutcomeKind::RateLimited) };
    let script = Scripted::default().holding("b1").first("a1", [Delivered::Outcome(limited)]);
    let mut stage = Setup::keep(script).start();
    stage.accept(&["b1", "a1"]).await;
    stage.seen(2).await;
    stage.load_when(|load| load.paused_until.is_some() && load.in_flight == 1).await;
    stage.release();
    let load = stage.load_when(|load| load.in_flight == 0).await;
    assert!(load.paused_until.is_some());
    let trouble = load.trouble.expect("another lane that gets through does not end it");
    assert_eq!(trouble.reason, "slow down");
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_is_told_until_something_gets_through() {
    let script = Scripted::default().holding("a2").first("a1", [fails(), fails(), fails(), fails()]);
    let mut stage = Setup::keep(script).start();
    stage.accept(&["a1"]).await;
    let load = stage.load_when(|load| load.trouble.is_some()).await;
    assert_eq!(load.trouble.unwrap().reason, "busy");
    stage.accept(&["a2"]).await;
    stage.seen(5).await;
    stage.release();
    stage.load_when(|load| load.trouble.is_none()).await;
}
