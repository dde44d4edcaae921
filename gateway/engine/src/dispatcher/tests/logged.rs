//! What people read in the log of deliveries that do not go through.

use postroom_core::{
    delivery::DeliveryState,
    lane::GateState,
    outcome::{Outcome, OutcomeKind},
};
use postroom_host::Delivered;

use super::{
    actor::{Scripted, fails},
    stage::Setup,
};
use crate::testing::Log;

/// Where the first line that begins so stands.
#[track_caller]
fn place(lines: &[String], begins: &str) -> usize {
    let place = lines.iter().position(|line| line.starts_with(begins));
    place.unwrap_or_else(|| panic!("no line begins with {begins:?}: {lines:#?}"))
}

#[tokio::test(start_paused = true)]
async fn the_failure_that_opens_the_breaker_is_told_before_it() {
    let (log, _guard) = Log::start();
    let mut stage = Setup::keep(Scripted::default()).start();
    stage.down(true);
    stage.accept(&["a1", "b1", "c1", "d1", "e1"]).await;
    stage.load_when(|load| load.gate == GateState::Breaker).await;
    let lines = log.lines();
    let opened = place(&lines, "destination keeps failing");
    let failed = lines[..opened].iter().filter(|line| line.starts_with("attempt failed")).count();
    assert_eq!(failed, 5, "{lines:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_a_newer_delivery_supersedes_is_told_of() {
    let (log, _guard) = Log::start();
    let mut stage = Setup::latest(Scripted::default().first("a1", [fails()])).start();
    stage.accept(&["a1"]).await;
    stage.until("a1", DeliveryState::Retrying).await;
    stage.accept(&["a2"]).await;
    stage.until("a1", DeliveryState::Superseded).await;
    let lines = log.lines();
    let told = place(&lines, "delivery superseded by a newer one of its lane delivery=1 destination=d");
    assert!(place(&lines, "attempt failed, will be tried again delivery=1") < told, "{lines:#?}");
}

#[tokio::test(start_paused = true)]
async fn how_an_attempt_ended_is_told_also_when_its_destination_waits() {
    let limited = |message: &str| {
        Delivered::Outcome(Outcome { message: message.to_owned(), ..Outcome::of(OutcomeKind::RateLimited) })
    };
    let (log, _guard) = Log::start();
    let script = Scripted::default().holding("a1").holding("b1");
    let script = script.first("a1", [limited("slow down")]).first("b1", [limited("me too")]);
    let mut stage = Setup::keep(script).start();
    stage.accept(&["a1", "b1"]).await;
    stage.seen(2).await;
    for in_flight in [1, 0] {
        stage.release();
        stage.load_when(|load| load.in_flight == in_flight).await;
    }
    let lines = log.lines();
    for (delivery, reason) in [(1, "slow down"), (2, "me too")] {
        let line = &lines[place(&lines, "attempt ended, its destination has to wait")..];
        let of = format!("delivery={delivery} ");
        assert!(line.iter().any(|line| line.contains(&of) && line.contains(reason)), "{lines:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_waits_of_retries_are_plain_numbers() {
    let (log, _guard) = Log::start();
    let mut stage = Setup::keep(Scripted::default().first("a1", [fails()])).start();
    stage.accept(&["a1"]).await;
    stage.until("a1", DeliveryState::Retrying).await;
    let lines = log.lines();
    let line = &lines[place(&lines, "attempt failed, will be tried again")];
    let wait = line.split("wait_s=").nth(1).unwrap().split(' ').next().unwrap();
    let decimals = wait.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    assert!(decimals <= 1 && wait.parse::<f64>().unwrap() >= 8.0, "{line}");
    assert!(!line.contains("left_out"), "{line}");
}
