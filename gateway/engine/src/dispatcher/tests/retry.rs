//! A person has a delivery made once more.

use std::time::Duration;

use postroom_core::{delivery::DeliveryState, id::DeliveryId};
use tokio::time::Instant;

use super::{
    actor::{Scripted, fails},
    stage::Setup,
};

#[tokio::test(start_paused = true)]
async fn a_final_delivery_is_made_anew_with_a_full_budget() {
    let script = Scripted::default().first("a1", std::array::from_fn::<_, 7, _>(|_| fails()));
    let mut stage = Setup::keep(script).start();
    stage.accept(&["a1"]).await;
    stage.seen(4).await;
    stage.until("a1", DeliveryState::Dead).await;
    let old = stage.id("a1");
    let new = stage.handle().retry(old).await.unwrap().unwrap();
    assert!(new > old);
    // Three more fail: with the attempts of the old one it would be dead after the first.
    assert_eq!(stage.seen(4).await.len(), 4);
    stage.drain().await;
    let detail = stage.delivery(new).await;
    assert_eq!((detail.delivery.state, detail.delivery.attempts), (DeliveryState::Delivered, 4));
    assert_eq!(detail.delivery.replay_of, Some(old));
    assert_eq!(stage.state_of("a1").await, (DeliveryState::Dead, 4), "the old one stays as it was");
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_waits_is_tried_at_once() {
    let wait = Duration::from_secs(60 * 60);
    let script = Scripted::default().first("a1", [fails()]);
    let mut stage = Setup { retry: vec![wait], ..Setup::keep(script) }.start();
    stage.accept(&["a1"]).await;
    stage.seen(1).await;
    stage.load_when(|load| load.in_flight == 0).await;
    let (began, id) = (Instant::now(), stage.id("a1"));
    assert_eq!(stage.handle().retry(id).await.unwrap(), Some(id));
    stage.seen(1).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_comes_while_the_failure_is_recorded_is_carried_out() {
    let wait = Duration::from_secs(60 * 60);
    let script = Scripted::default().first("a1", [fails()]);
    let mut stage = Setup { retry: vec![wait], ..Setup::keep(script) }.start();
    stage.hold_records();
    stage.accept(&["a1"]).await;
    stage.seen(1).await;
    stage.until("a1", DeliveryState::Retrying).await;
    let (began, id) = (Instant::now(), stage.id("a1"));
    let (answer, ()) = tokio::join!(stage.handle().retry(id), async {
        stage.all_taken_in().await;
        stage.release_records();
    });
    assert_eq!(answer.unwrap(), Some(id));
    stage.seen(1).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_lane_of_a_delivery_that_waits_behind_others_goes_at_once() {
    let wait = Duration::from_secs(60 * 60);
    // The window of the lane holds the one, and only the store the other.
    for wanted in ["a2", "a90"] {
        let script = Scripted::default().first("a1", [fails()]);
        let mut stage = Setup { retry: vec![wait], ..Setup::keep(script) }.start();
        let names: Vec<String> = (1..=99).map(|number| format!("a{number}")).collect();
        stage.accept(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        stage.seen(1).await;
        stage.until("a1", DeliveryState::Retrying).await;
        stage.all_taken_in().await;
        let (began, id) = (Instant::now(), stage.id(wanted));
        assert_eq!(stage.handle().retry(id).await.unwrap(), Some(id));
        assert_eq!(stage.seen(99).await, names, "in order all the same");
        assert!(began.elapsed() < Duration::from_secs(60), "{wanted}: {:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_in_flight_is_left_alone() {
    let mut stage = Setup::keep(Scripted::default().holding("a1")).start();
    stage.accept(&["a1"]).await;
    stage.seen(1).await;
    let id = stage.id("a1");
    assert_eq!(stage.handle().retry(id).await.unwrap(), Some(id));
    stage.release();
    stage.drain().await;
    assert!(stage.seen_so_far().is_empty());
    assert_eq!(stage.state_of("a1").await, (DeliveryState::Delivered, 1));
}

#[tokio::test(start_paused = true)]
async fn of_a_chain_the_newest_goes_whichever_is_asked_for() {
    let wait = Duration::from_secs(60 * 60);
    let script = Scripted::default().first("a1", std::array::from_fn::<_, 3, _>(|_| fails()));
    let mut stage = Setup { retry: vec![wait], ..Setup::keep(script) }.start();
    stage.accept(&["a1"]).await;
    stage.seen(2).await;
    stage.until("a1", DeliveryState::Dead).await;
    let first = stage.id("a1");
    let second = stage.handle().retry(first).await.unwrap().unwrap();
    stage.seen(1).await;
    stage.load_when(|load| load.in_flight == 0).await;
    // It waits for an hour; that of the first one is meant as a wish for it.
    let began = Instant::now();
    assert_eq!(stage.handle().retry(first).await.unwrap(), Some(second));
    stage.seen(1).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    while stage.delivery(second).await.delivery.state != DeliveryState::Delivered {
        tokio::task::yield_now().await;
    }
    let third = stage.handle().retry(first).await.unwrap().unwrap();
    stage.seen(1).await;
    stage.drain().await;
    assert_eq!(stage.delivery(third).await.delivery.replay_of, Some(second));
    assert_eq!(stage.delivery(second).await.delivery.replayed_by, Some(third));
    assert!(stage.seen_so_far().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_delivery_is_not_made() {
    let stage = Setup::keep(Scripted::default()).start();
    assert_eq!(stage.handle().retry(DeliveryId::new(7)).await.unwrap(), None);
}
