//! Backlog policy `latest`: when a lane is held up, only its newest goes.

use postroom_core::delivery::DeliveryState;

use super::{
    actor::{Scripted, fails},
    stage::Setup,
};

#[tokio::test(start_paused = true)]
async fn only_the_newest_of_a_lane_that_is_held_up_goes() {
    let script = Scripted::default().holding("a1").first("a1", [fails()]);
    let mut stage = Setup::latest(script).start();
    stage.accept(&["a1", "a2", "a3"]).await;
    assert_eq!(stage.seen(1).await, ["a1"]);
    stage.all_taken_in().await;
    stage.release();
    assert_eq!(stage.seen(1).await, ["a3"]);
    stage.drain().await;
    assert_eq!(stage.state_of("a1").await, (DeliveryState::Superseded, 1));
    assert_eq!(stage.state_of("a2").await, (DeliveryState::Superseded, 0));
    assert_eq!(stage.state_of("a3").await, (DeliveryState::Delivered, 1));
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_is_not_held_up_sends_all() {
    let mut stage = Setup::latest(Scripted::default().holding("a1")).start();
    stage.accept(&["a1", "a2", "a3"]).await;
    assert_eq!(stage.seen(1).await, ["a1"]);
    stage.release();
    assert_eq!(stage.seen(2).await, ["a2", "a3"]);
}

#[tokio::test(start_paused = true)]
async fn a_backlog_that_memory_does_not_hold_is_superseded_too() {
    let script = Scripted::default().holding("a0").first("a0", [fails()]);
    let mut stage = Setup::latest(script).start();
    let names: Vec<String> = (0..300).map(|number| format!("a{number}")).collect();
    stage.accept(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(stage.seen(1).await, ["a0"]);
    stage.all_taken_in().await;
    stage.release();
    stage.until("a299", DeliveryState::Delivered).await;
    let seen = stage.seen_so_far();
    assert_eq!(seen.last().map(String::as_str), Some("a299"));
    stage.drain().await;
    let mut superseded = 0;
    for name in &names[..299] {
        superseded += usize::from(stage.state_of(name).await.0 == DeliveryState::Superseded);
    }
    assert_eq!(superseded + seen.len(), 300, "each is delivered or superseded: {seen:?}");
    assert!(seen.len() <= 12, "what is read goes as one: {seen:?}");
}
