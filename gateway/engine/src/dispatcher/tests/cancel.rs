//! Whatever a delivery does when a person cancels it, exactly one thing becomes of it.

use std::{sync::atomic::Ordering, time::Duration};

use postroom_core::{
    delivery::DeliveryState::{Cancelled, Delivered, Pending, Retrying, Superseded},
    id::{DeliveryId, DestinationName},
    lane::LaneKey,
    outcome::{Outcome, OutcomeKind},
};
use postroom_store::StoreError;
use tokio::sync::oneshot;

use super::{
    actor::{Scripted, fails},
    stage::{DESTINATION, Setup, Stage},
};
use crate::{
    CancelAnswer, SteerError,
    dispatcher::{CancelWish, Question},
};

async fn cancel(stage: &Stage, name: &str) -> Option<CancelAnswer> {
    stage.handle().cancel(stage.id(name), "ada").await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_waiting_delivery_is_taken_out_of_its_lane() {
    let mut stage = Setup::keep(Scripted::default().holding("a1")).start();
    stage.accept(&["a1", "a2", "a3"]).await;
    stage.seen(1).await;
    stage.all_taken_in().await;
    assert_eq!(cancel(&stage, "a2").await, Some(CancelAnswer::Cancelled));
    assert_eq!(stage.state_of("a2").await, (Cancelled, 0), "it is on disk when it is answered");
    stage.release();
    assert_eq!(stage.seen(1).await, ["a3"]);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_waits_for_a_retry_lets_its_lane_go_on() {
    let mut stage = Setup::keep(Scripted::default().first("a1", [fails()])).start();
    stage.accept(&["a1", "a2"]).await;
    stage.seen(1).await;
    stage.load_when(|load| load.in_flight == 0).await;
    assert_eq!(cancel(&stage, "a1").await, Some(CancelAnswer::Cancelled));
    assert_eq!(stage.seen(1).await, ["a2"]);
    assert_eq!(stage.state_of("a1").await, (Cancelled, 1));
}

#[tokio::test(start_paused = true)]
async fn a_plugin_is_asked_to_let_go() {
    let mut stage = Setup::keep(Scripted::default().lets_go("a1")).start();
    stage.accept(&["a1", "a2"]).await;
    stage.seen(1).await;
    assert_eq!(cancel(&stage, "a1").await, Some(CancelAnswer::InFlight));
    assert_eq!(stage.seen(1).await, ["a2"]);
    assert_eq!(stage.state_of("a1").await, (Cancelled, 1));
    let detail = stage.delivery(stage.id("a1")).await;
    let [(1, attempt)] = detail.attempts.as_slice() else { panic!("{:?}", detail.attempts) };
    let Outcome { kind, code, message, .. } = &attempt.outcome;
    assert_eq!((*kind, code.as_str()), (OutcomeKind::Retry, "cancelled"));
    assert_eq!(message, "cancelled by ada while the plugin had it: it may have arrived");
}

#[tokio::test(start_paused = true)]
async fn the_last_attempt_that_is_cancelled_makes_no_dead_letter() {
    let script = Scripted::default().lets_go("a1");
    let mut stage = Setup { retry: Vec::new(), ..Setup::keep(script) }.start();
    stage.accept(&["a1"]).await;
    stage.seen(1).await;
    assert_eq!(cancel(&stage, "a1").await, Some(CancelAnswer::InFlight));
    stage.until("a1", Cancelled).await;
}

#[tokio::test(start_paused = true)]
async fn a_plugin_never_hears_of_a_delivery_that_is_cancelled_while_its_event_is_read() {
    let mut stage = Setup::keep(Scripted::default().never("a1")).start();
    stage.accept(&["a1", "a2"]).await;
    stage.seen(1).await;
    let loads = stage.memory().loads.available_permits();
    stage.memory().loads.forget_permits(loads);
    stage.crash_and_restart().await;
    stage.load_when(|load| load.in_flight == 1).await;
    assert_eq!(cancel(&stage, "a1").await, Some(CancelAnswer::InFlight));
    stage.memory().loads.add_permits(loads);
    assert_eq!(stage.seen(1).await, ["a2"]);
    assert_eq!(stage.state_of("a1").await, (Cancelled, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_delivered_all_the_same_stays_delivered() {
    let mut stage = Setup::keep(Scripted::default().holding("a1")).start();
    stage.accept(&["a1"]).await;
    stage.seen(1).await;
    assert_eq!(cancel(&stage, "a1").await, Some(CancelAnswer::InFlight));
    stage.release();
    stage.until("a1", Delivered).await;
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_fails_after_it_was_cancelled_is_the_last_one() {
    let mut stage = Setup::keep(Scripted::default().holding("a1").first("a1", [fails()])).start();
    stage.accept(&["a1", "a2"]).await;
    stage.seen(1).await;
    cancel(&stage, "a1").await;
    stage.release();
    assert_eq!(stage.seen(1).await, ["a2"]);
    let detail = stage.delivery(stage.id("a1")).await;
    assert_eq!((detail.delivery.state, detail.attempts.len()), (Cancelled, 1));
}

#[tokio::test(start_paused = true)]
async fn a_final_delivery_stays_as_it_is() {
    let mut stage = Setup::keep(Scripted::default()).start();
    stage.accept(&["a1"]).await;
    stage.until("a1", Delivered).await;
    assert_eq!(cancel(&stage, "a1").await, Some(CancelAnswer::AlreadyFinal));
    assert_eq!(stage.state_of("a1").await, (Delivered, 1));
    assert_eq!(stage.handle().cancel(DeliveryId::new(99), "ada").await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_comes_while_the_failure_is_recorded_is_carried_out() {
    let mut stage = Setup::keep(Scripted::default().first("a1", [fails()])).start();
    stage.hold_records();
    stage.accept(&["a1", "a2"]).await;
    stage.seen(1).await;
    stage.until("a1", Retrying).await;
    let (answer, ()) = tokio::join!(cancel(&stage, "a1"), async {
        stage.all_taken_in().await;
        stage.release_records();
    });
    assert_eq!(answer, Some(CancelAnswer::Cancelled));
    assert_eq!(stage.state_of("a1").await, (Cancelled, 1), "it is on disk when it is answered");
    assert_eq!(stage.seen(1).await, ["a2"]);
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_comes_while_the_success_is_recorded_is_too_late() {
    let mut stage = Setup::keep(Scripted::default().holding("a1")).start();
    stage.accept(&["a1"]).await;
    stage.seen(1).await;
    stage.refuse_records(3);
    stage.release();
    stage.records_tried(1).await;
    assert_eq!(cancel(&stage, "a1").await, Some(CancelAnswer::AlreadyFinal));
    assert_eq!(stage.state_of("a1").await, (Delivered, 1));
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_is_being_superseded_is_not_cancelled_as_well() {
    let mut stage = Setup::latest(Scripted::default().first("a1", [fails()])).start();
    stage.accept(&["a1"]).await;
    stage.until("a1", Retrying).await;
    stage.all_taken_in().await;
    let tried = stage.records();
    stage.refuse_records(3);
    stage.accept(&["a2"]).await;
    stage.records_tried(tried + 1).await;
    assert_eq!(cancel(&stage, "a1").await, Some(CancelAnswer::AlreadyFinal));
    assert_eq!(stage.state_of("a1").await, (Superseded, 1));
    assert_eq!(stage.seen(2).await, ["a1", "a2"]);
}

#[tokio::test(start_paused = true)]
async fn of_two_who_cancel_at_once_one_has_done_it() {
    for name in ["a1", "a90"] {
        let (stage, _) = long_lane().await;
        let answers = tokio::join!(cancel(&stage, name), cancel(&stage, name));
        assert_eq!(answers, (Some(CancelAnswer::Cancelled), Some(CancelAnswer::AlreadyFinal)), "{name}");
        stage.release();
        stage.drain().await;
    }
}

/// A lane with far more than memory holds of it; the first is with the plugin.
async fn long_lane() -> (Stage, Vec<String>) {
    let mut stage = Setup::keep(Scripted::default().holding("a0")).start();
    let names: Vec<String> = (0..100).map(|number| format!("a{number}")).collect();
    stage.accept(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    stage.seen(1).await;
    stage.all_taken_in().await;
    (stage, names)
}

async fn check_goes_without(mut stage: Stage, names: &[String], cancelled: &str) {
    let rest: Vec<_> = names[1..].iter().filter(|name| *name != cancelled).cloned().collect();
    assert_eq!(stage.seen(rest.len()).await, rest);
    stage.drain().await;
    assert!(stage.seen_so_far().is_empty());
    assert_eq!(stage.state_of(cancelled).await, (Cancelled, 0));
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_is_only_in_the_store_is_never_read() {
    let (stage, names) = long_lane().await;
    assert_eq!(cancel(&stage, "a90").await, Some(CancelAnswer::Cancelled));
    stage.release();
    check_goes_without(stage, &names, "a90").await;
}

#[tokio::test(start_paused = true)]
async fn a_read_under_way_does_not_bring_a_cancelled_delivery_back() {
    let (mut stage, names) = long_lane().await;
    let permits = stage.memory().reads.available_permits();
    stage.memory().reads.forget_permits(permits);
    stage.release();
    // What memory holds of the lane goes, so that more of it is read: the read has looked at the store, found this one,
    // and does not answer yet.
    let next = stage.seen(16).await.len() + 1;
    let cancelled = names[50].clone();
    assert_eq!(cancel(&stage, &cancelled).await, Some(CancelAnswer::Cancelled));
    stage.memory().reads.add_permits(permits);
    check_goes_without(stage, &[vec![names[0].clone()], names[next..].to_vec()].concat(), &cancelled).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_keep_it_is_tried_until_it_can() {
    let mut stage = Setup::keep(Scripted::default().holding("a1")).start();
    stage.accept(&["a1", "a2", "a3"]).await;
    stage.seen(1).await;
    stage.all_taken_in().await;
    stage.refuse_records(3);
    assert_eq!(cancel(&stage, "a2").await, Some(CancelAnswer::Cancelled));
    assert_eq!(stage.state_of("a2").await, (Cancelled, 0));
}

/// The store cannot be read for a while after the wish has reached the dispatcher, and a read of the lane is under way.
#[tokio::test(start_paused = true)]
async fn a_wish_outlives_a_store_that_cannot_be_read() {
    let (mut stage, names) = long_lane().await;
    let permits = stage.memory().reads.available_permits();
    stage.memory().reads.forget_permits(permits);
    stage.release();
    let next = stage.seen(16).await.len() + 1;
    stage.memory().fails.store(true, Ordering::SeqCst);
    let (answer, mut answered) = oneshot::channel();
    let lane = LaneKey { destination: DestinationName::new(DESTINATION), key: "a".into() };
    let wish = Question::Cancel(CancelWish { lane, id: stage.id("a50"), by: "ada".into(), answer });
    stage.handle().questions.send(wish).unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(answered.try_recv().is_err(), "nobody can say yet what becomes of it");
    stage.memory().fails.store(false, Ordering::SeqCst);
    stage.memory().reads.add_permits(permits);
    assert_eq!(answered.await.unwrap().unwrap(), Some(CancelAnswer::Cancelled));
    check_goes_without(stage, &[vec![names[0].clone()], names[next..].to_vec()].concat(), "a50").await;
}

/// The row is damaged after the wish has been let in, so that the dispatcher is the one who finds out.
#[tokio::test(start_paused = true)]
async fn a_wish_for_a_damaged_row_is_answered_once_and_its_lane_goes_on() {
    let (mut stage, names) = long_lane().await;
    stage.memory().state().damage(stage.id("a50"));
    let (answer, answered) = oneshot::channel();
    let lane = LaneKey { destination: DestinationName::new(DESTINATION), key: "a".into() };
    let wish = CancelWish { lane, id: stage.id("a50"), by: "ada".into(), answer };
    stage.handle().questions.send(Question::Cancel(wish)).unwrap();
    let patience = Duration::from_secs(60 * 60);
    let answer = tokio::time::timeout(patience, answered).await.expect("it is answered").unwrap();
    assert!(matches!(answer, Err(SteerError::Store(StoreError::Corrupt { .. }))), "{answer:?}");
    stage.release();
    let others: Vec<_> = names[1..].iter().filter(|name| *name != "a50").cloned().collect();
    assert_eq!(stage.seen(others.len()).await, others);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_cancelled_when_the_store_cannot_be_read() {
    let mut stage = Setup::keep(Scripted::default().holding("a1")).start();
    stage.accept(&["a1", "a2"]).await;
    stage.seen(1).await;
    stage.memory().fails.store(true, Ordering::SeqCst);
    let failed = stage.handle().cancel(stage.id("a2"), "ada").await;
    assert!(matches!(failed, Err(SteerError::Store(_))), "{failed:?}");
    stage.memory().fails.store(false, Ordering::SeqCst);
    assert_eq!(stage.state_of("a2").await, (Pending, 0));
}

/// Lists read less of a delivery than this question does: what they find is not lost.
#[tokio::test(start_paused = true)]
async fn a_delivery_of_which_only_an_attempt_is_damaged_is_cancelled() {
    let (mut stage, names) = long_lane().await;
    let permits = stage.memory().reads.available_permits();
    stage.memory().reads.forget_permits(permits);
    stage.release();
    let next = stage.seen(16).await.len() + 1;
    let id = stage.id("a50");
    stage.memory().state().damage_attempts(id);
    let (answer, answered) = oneshot::channel();
    let lane = LaneKey { destination: DestinationName::new(DESTINATION), key: "a".into() };
    let wish = CancelWish { lane, id, by: "ada".into(), answer };
    stage.handle().questions.send(Question::Cancel(wish)).unwrap();
    stage.memory().reads.add_permits(permits);
    assert_eq!(answered.await.unwrap().unwrap(), Some(CancelAnswer::Cancelled));
    stage.memory().state().mend_attempts(id);
    check_goes_without(stage, &[vec![names[0].clone()], names[next..].to_vec()].concat(), "a50").await;
}
