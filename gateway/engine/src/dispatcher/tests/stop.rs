//! How the engine ends.

use std::{sync::atomic::Ordering, time::Duration};

use postroom_core::delivery::DeliveryState;

use super::{
    actor::{Scripted, fails},
    stage::Setup,
};
use crate::{Drained, SteerError};

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_what_is_in_flight() {
    let mut stage = Setup::keep(Scripted::default().holding("a1")).start();
    stage.accept(&["a1", "a2"]).await;
    assert_eq!(stage.seen(1).await, ["a1"]);
    let (drained, ()) =
        tokio::join!(stage.handle().drain(Duration::from_secs(30)), async { stage.release() });
    assert_eq!(drained, Drained::Complete);
    assert_eq!(stage.state_of("a1").await, (DeliveryState::Delivered, 1));
    assert_eq!(stage.state_of("a2").await, (DeliveryState::Pending, 0), "nothing new is started");
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_what_is_recorded() {
    let mut stage = Setup::keep(Scripted::default()).start();
    stage.hold_records();
    stage.accept(&["a1"]).await;
    stage.until("a1", DeliveryState::Delivered).await;
    assert_eq!(stage.load().await.in_flight, 0);
    let handle = stage.handle();
    let mut drain = std::pin::pin!(handle.drain(Duration::from_secs(3600)));
    let early = tokio::time::timeout(Duration::from_secs(60), &mut drain).await;
    assert!(early.is_err(), "{early:?}");
    stage.release_records();
    assert_eq!(drain.await, Drained::Complete);
}

#[tokio::test(start_paused = true)]
async fn a_drain_gives_up_on_what_does_not_end() {
    let mut stage = Setup::keep(Scripted::default().never("a1")).start();
    stage.accept(&["a1"]).await;
    assert_eq!(stage.seen(1).await, ["a1"]);
    assert_eq!(stage.handle().drain(Duration::from_millis(10)).await, Drained::Incomplete);
    assert_eq!(stage.state_of("a1").await, (DeliveryState::Pending, 0));
}

#[tokio::test(start_paused = true)]
async fn a_drain_can_be_asked_for_twice() {
    let stage = Setup::keep(Scripted::default()).start();
    stage.drain().await;
    stage.drain().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_drains_second_gets_the_same_answer() {
    let mut stage = Setup::keep(Scripted::default().holding("a1")).start();
    stage.accept(&["a1"]).await;
    assert_eq!(stage.seen(1).await, ["a1"]);
    let (first, second, ()) = tokio::join!(
        stage.handle().drain(Duration::from_secs(30)),
        async {
            let drained = stage.handle().drain(Duration::from_secs(30)).await;
            (drained, stage.state_of("a1").await.0)
        },
        async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            stage.release();
        }
    );
    assert_eq!((first, second), (Drained::Complete, (Drained::Complete, DeliveryState::Delivered)));

    let mut stage = Setup::keep(Scripted::default().never("a1")).start();
    stage.accept(&["a1"]).await;
    assert_eq!(stage.seen(1).await, ["a1"]);
    for deadline in [1, 0, 30].map(Duration::from_secs) {
        assert_eq!(stage.handle().drain(deadline).await, Drained::Incomplete);
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_fault_a_drain_does_not_say_that_all_is_well() {
    let mut stage = Setup::keep(Scripted::default().holding("a1")).start();
    stage.accept(&["a1"]).await;
    assert_eq!(stage.seen(1).await, ["a1"]);
    // The store in memory panics when it is to record what it does not have.
    stage.memory().state().forget(stage.id("a1"));
    stage.release();
    stage.handle().ended().await;
    assert_eq!(stage.handle().drain(Duration::from_secs(30)).await, Drained::Incomplete);
}

#[tokio::test(start_paused = true)]
async fn a_drain_does_not_wait_for_events_that_cannot_be_read() {
    let mut stage = Setup::keep(Scripted::default().first("a1", [fails()])).start();
    stage.accept(&["a1"]).await;
    stage.until("a1", DeliveryState::Retrying).await;
    stage.memory().fails.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(stage.load().await.in_flight, 1);
    stage.drain().await;
    stage.memory().fails.store(false, Ordering::SeqCst);
    assert_eq!(stage.state_of("a1").await, (DeliveryState::Retrying, 1));
}

#[tokio::test(start_paused = true)]
async fn a_stop_during_the_start_leaves_nothing_running() {
    let mut stage = Setup::keep(Scripted::default()).start();
    // The start is not through: it waits for a store that cannot be read.
    stage.memory().fails.store(true, Ordering::SeqCst);
    stage.accept(&["a1"]).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(stage.load().await.in_flight, 0, "questions are answered meanwhile");
    stage.drain().await;
    assert!(!stage.handle().is_running());
    stage.memory().fails.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(60 * 60)).await;
    assert!(stage.seen_so_far().is_empty(), "no dispatcher is left that could deliver");
    stage.crash_and_restart().await;
    stage.until("a1", DeliveryState::Delivered).await;
    assert_eq!(stage.seen_so_far(), ["a1"], "and the next one delivers it once");
}

#[tokio::test(start_paused = true)]
async fn what_is_finished_is_no_backlog_after_a_restart() {
    let mut stage = Setup::keep(Scripted::default()).start();
    let names: Vec<String> = (0..50).map(|number| format!("a{number}")).collect();
    stage.accept(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    stage.until("a49", DeliveryState::Delivered).await;
    stage.seen_so_far();
    stage.crash_and_restart().await;
    stage.load_when(|load| !load.behind).await;
    tokio::time::sleep(Duration::from_secs(60 * 60)).await;
    assert!(stage.seen_so_far().is_empty());
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_the_lane_goes_on_where_it_stood() {
    let mut stage = Setup::keep(Scripted::default().holding("a2")).start();
    stage.accept(&["a1", "a2", "a3"]).await;
    assert_eq!(stage.seen(2).await, ["a1", "a2"]);
    stage.crash_and_restart().await;
    assert_eq!(stage.seen(2).await, ["a2", "a3"]);
}

#[tokio::test(start_paused = true)]
async fn wishes_to_an_engine_that_has_stopped_fail() {
    let mut stage = Setup::keep(Scripted::default()).start();
    stage.accept(&["a1"]).await;
    stage.handle().drain(Duration::ZERO).await;
    let failed = stage.handle().cancel(stage.id("a1"), "ada").await;
    assert!(matches!(failed, Err(SteerError::Stopped)), "{failed:?}");
    assert!(stage.handle().loads().await.is_empty());
}
