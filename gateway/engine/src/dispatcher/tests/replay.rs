//! Replays through the whole engine.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use postroom_core::{delivery::DeliveryState, id::DeliveryId, replay::ReplayState, time::Timestamp};
use postroom_store::DeliveryFilter;

use super::{
    actor::{Scripted, fails},
    stage::{Setup, Stage},
};
use crate::{Clock, testing::NOON};

/// Twenty delivered events in two lanes.
async fn delivered() -> Stage {
    delivered_by(Setup::keep(Scripted::default())).await
}

async fn delivered_by(setup: Setup) -> Stage {
    let mut stage = setup.start();
    let names: Vec<String> =
        (0..20).map(|number| format!("{}{number}", if number % 2 == 0 { 'a' } else { 'b' })).collect();
    stage.accept(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for name in &names {
        stage.until(name, DeliveryState::Delivered).await;
    }
    stage.seen_so_far();
    stage
}

fn all() -> DeliveryFilter {
    DeliveryFilter::default()
}

#[tokio::test(start_paused = true)]
async fn everything_that_matches_goes_once_more_at_the_rate_asked_for() {
    let mut stage = delivered().await;
    assert_eq!(stage.handle().count(all()).await.unwrap(), 20);
    let began = tokio::time::Instant::now();
    let replay = stage.handle().begin_replay(all(), Some(2), "ada").await.unwrap();
    assert_eq!((replay.count, replay.per_second, replay.by.as_str()), (20, 2, "ada"));
    let mut seen = stage.seen(20).await;
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(9) && took <= Duration::from_secs(12), "{took:?}");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 20, "each once");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(stage.seen_so_far().is_empty(), "and none of its own");
}

#[tokio::test(start_paused = true)]
async fn a_lane_keeps_its_order_while_new_events_come_in() {
    let mut stage = delivered().await;
    stage.handle().begin_replay(all(), Some(8), "ada").await.unwrap();
    let mut seen = Vec::new();
    for number in 100..110 {
        seen.extend(stage.seen(1).await);
        stage.accept(&[&format!("a{number}")]).await;
    }
    seen.extend(stage.seen(20).await);
    for lane in ["a", "b"] {
        let seen: Vec<_> = seen.iter().filter(|name| name.starts_with(lane)).cloned().collect();
        assert_eq!(seen, stage.memory().lane(lane)[10..], "in the order in which they were made");
    }
}

#[tokio::test(start_paused = true)]
async fn a_replay_goes_on_after_a_restart_where_it_stopped() {
    let mut stage = delivered().await;
    stage.handle().begin_replay(all(), Some(2), "ada").await.unwrap();
    let mut seen = stage.seen(5).await;
    stage.load_when(|load| load.in_flight == 0).await;
    stage.crash_and_restart().await;
    seen.extend(stage.seen(15).await);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 20, "each once");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_replay_makes_no_more() {
    let mut stage = delivered().await;
    let replay = stage.handle().begin_replay(all(), Some(2), "ada").await.unwrap();
    stage.seen(5).await;
    let cancelled = stage.handle().cancel_replay(replay.id).await.unwrap().unwrap();
    assert_eq!(cancelled.state, ReplayState::Cancelled);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(stage.seen_so_far().is_empty());
    let last = DeliveryId::new(20 + i64::try_from(cancelled.made).unwrap());
    assert_eq!(stage.delivery(last).await.delivery.state, DeliveryState::Delivered, "what it made stays");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_for_a_while_delays_a_replay_and_no_more() {
    let mut stage = delivered().await;
    stage.handle().begin_replay(all(), Some(2), "ada").await.unwrap();
    stage.seen(3).await;
    stage.load_when(|load| load.in_flight == 0).await;
    stage.memory().fails.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(60 * 60)).await;
    assert!(stage.seen_so_far().is_empty());
    stage.memory().fails.store(false, Ordering::SeqCst);
    assert_eq!(stage.seen(17).await.len(), 17);
}

#[tokio::test(start_paused = true)]
async fn dead_letters_that_are_asked_for_twice_go_once() {
    let names: Vec<String> = (0..20).map(|number| format!("a{number}")).collect();
    let script = names.iter().fold(Scripted::default(), |script, name| script.first(name, [fails()]));
    let mut stage = Setup { retry: Vec::new(), ..Setup::keep(script) }.start();
    stage.accept(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for name in &names {
        stage.until(name, DeliveryState::Dead).await;
    }
    stage.seen_so_far();
    let dead = DeliveryFilter { state: Some(DeliveryState::Dead), ..all() };
    let first = stage.handle().begin_replay(dead.clone(), Some(2), "ada").await.unwrap();
    // At two a second.
    tokio::time::sleep(Duration::from_millis(2_250)).await;
    let second = stage.handle().begin_replay(dead.clone(), Some(100), "ada").await.unwrap();
    assert_eq!((first.count, second.count), (20, 15));
    assert_eq!(stage.seen(20).await, names, "in the order of the lane");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(stage.seen_so_far().is_empty(), "each once");
    assert_eq!(stage.handle().count(dead).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_ended_before_the_clock_was_set_back_is_not_left_out() {
    let hour = Arc::new(AtomicU32::new(20));
    let clock = {
        let hour = Arc::clone(&hour);
        Clock::new(move || {
            let hours = Duration::from_secs(60 * 60) * hour.load(Ordering::SeqCst);
            Timestamp::from_unix_ms(NOON).plus(hours)
        })
    };
    let mut stage = delivered_by(Setup { clock, ..Setup::keep(Scripted::default()) }).await;
    hour.store(1, Ordering::SeqCst);
    assert_eq!(stage.handle().count(all()).await.unwrap(), 20);
    let replay = stage.handle().begin_replay(all(), Some(100), "ada").await.unwrap();
    assert_eq!(replay.count, 20);
    assert_eq!(stage.seen(20).await.len(), 20);
}
