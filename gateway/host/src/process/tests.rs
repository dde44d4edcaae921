//! What the gateway does with processes that hang. The limits are short here, and every process overstays them.

use std::{sync::Arc, time::Duration};

use postroom_core::{id::DestinationName, outcome::OutcomeKind};
use serde_json::json;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    Exit, Launch, Limits, Process, StartError,
    pending::{Pending, Reply},
};
use crate::{
    delivery::Delivered,
    inspect::inspect,
    outcome::Report,
    testing::{Compiled, PLUGIN, delivery, program, scripted},
    wire::ToChild,
};

fn launch(plugin: &Compiled, mode: &str, limits: Limits) -> Launch {
    Launch {
        destination: DestinationName::new("test"),
        plugin: inspect(&plugin.path).unwrap(),
        config: json!({ "mode": mode }),
        secrets: [].into(),
        program: program(),
        concurrency: 1,
        limits,
    }
}

fn impatient() -> Limits {
    Limits { ping_interval: Duration::from_millis(10), ping: Duration::from_millis(100), ..Limits::default() }
}

/// Delivers with this much time; gives the outcome's code.
async fn code(process: &Process, body: &'static str, limit: Duration) -> String {
    let until = Instant::now() + limit;
    match process.deliver(&delivery(body), until, until).await {
        Some(Delivered::Outcome(outcome)) => {
            assert_eq!(outcome.kind, OutcomeKind::Retry);
            outcome.code
        }
        other => panic!("{other:?}"),
    }
}

async fn message(process: &Process, body: &'static str) -> String {
    let until = Instant::now() + Duration::from_secs(60);
    match process.deliver(&delivery(body), until, until).await {
        Some(Delivered::Outcome(outcome)) => outcome.message,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check_killed(exit: &Exit, expected: &str) {
    assert!(matches!(exit, Exit::Killed(reason) if reason.contains(expected)), "{exit}");
}

#[tokio::test]
async fn a_plugin_that_hangs_in_deliver_is_ended() {
    let process = Process::start(&launch(&PLUGIN, "", impatient())).await.unwrap();
    assert_eq!(code(&process, "hang", Duration::from_secs(60)).await, "plugin_crashed");
    check_killed(&process.exited().await, "did not answer for 100ms");
    let until = Instant::now() + Duration::from_secs(60);
    assert_eq!(process.deliver(&delivery("ok"), until, until).await, None);
}

#[tokio::test]
async fn a_plugin_that_never_lets_go_of_its_deliveries_is_ended() {
    let plugin = scripted("POSTROOM_PF_BLOCKING", "0");
    let limits = Limits { cancel: Duration::from_millis(50), ping: Duration::from_secs(60), ..impatient() };
    let process = Process::start(&launch(&plugin, "", limits)).await.unwrap();
    assert_eq!(code(&process, "hang", Duration::from_millis(50)).await, "timeout");
    check_killed(&process.exited().await, "held on to a delivery");
}

#[tokio::test]
async fn a_delivery_whose_time_is_up_comes_back_once_the_plugin_has_let_go_of_it() {
    let launch = Launch { concurrency: 2, ..launch(&PLUGIN, "deaf", Limits::default()) };
    let process = Arc::new(Process::start(&launch).await.unwrap());
    let held = tokio::spawn({
        let process = Arc::clone(&process);
        async move { code(&process, "hold", Duration::from_millis(50)).await }
    });
    while message(&process, "cancels").await != "1" {}
    assert!(!held.is_finished(), "the plugin still holds it");
    assert_eq!(message(&process, "free").await, "free");
    assert_eq!(held.await.unwrap(), "timeout");
}

#[tokio::test]
async fn a_plugin_that_does_not_let_go_of_a_delivery_is_ended_before_the_delivery_comes_back() {
    let limits = Limits { cancel: Duration::from_millis(50), ping: Duration::from_secs(60), ..impatient() };
    let launch = Launch { concurrency: 2, ..launch(&PLUGIN, "", limits) };
    let process = Process::start(&launch).await.unwrap();
    assert_eq!(code(&process, "never", Duration::from_millis(50)).await, "timeout");
    assert!(!std::fs::exists(format!("/proc/{}", process.pid)).unwrap());
    check_killed(&process.exited().await, "held on to a delivery");
}

#[tokio::test]
async fn many_deliveries_that_run_out_of_time_together_cost_no_process() {
    const DELIVERIES: u32 = 200;
    let launch = Launch { concurrency: DELIVERIES, ..launch(&PLUGIN, "obedient", Limits::default()) };
    let process = Arc::new(Process::start(&launch).await.unwrap());
    let mut deliveries = tokio::task::JoinSet::new();
    for _ in 0..DELIVERIES {
        let process = Arc::clone(&process);
        deliveries.spawn(async move { code(&process, "never", Duration::from_millis(100)).await });
    }
    for code in deliveries.join_all().await {
        assert_eq!(code, "timeout");
    }
    assert_eq!(message(&process, "cancels").await, DELIVERIES.to_string(), "every one of them was cancelled");
}

#[tokio::test]
async fn whoever_waits_for_a_place_gets_none_once_the_plugin_stops() {
    let process = Arc::new(Process::start(&launch(&PLUGIN, "obedient", Limits::default())).await.unwrap());
    let held = tokio::spawn({
        let process = Arc::clone(&process);
        async move { code(&process, "never", Duration::from_secs(60)).await }
    });
    while process.slots.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    let until = Instant::now() + Duration::from_secs(60);
    let (waits, next) = (Arc::clone(&process), delivery("ok"));
    let (waiting, ()) =
        tokio::join!(waits.deliver(&next, until, until), process.stop(Duration::from_millis(10)));
    assert_eq!(waiting, None);
    drop(held);
}

/// The gateway's side of a process, and the frames that it sends: the test is the other side.
fn played() -> (Process, mpsc::Receiver<ToChild>) {
    let (outgoing, sent) = mpsc::channel(1);
    let process = Process {
        pid: 0,
        destination: DestinationName::new("test"),
        mask: Arc::default(),
        outgoing,
        pending: Arc::new(Pending::default()),
        slots: Arc::new(Semaphore::new(2)),
        next_token: 1.into(),
        exit: watch::channel(None).1,
        limits: Limits::default(),
        kill: CancellationToken::new(),
    };
    (process, sent)
}

#[tokio::test]
async fn a_completion_that_crosses_the_cancel_is_too_late() {
    let (process, mut sent) = played();
    let child = async {
        assert!(matches!(sent.recv().await, Some(ToChild::Deliver(_))));
        assert_eq!(sent.recv().await, Some(ToChild::Cancel { token: 1 }));
        let report = Report { kind: postroom_abi::POSTROOM_OUT_DELIVERED, ..Report::default() };
        process.pending.end(1, Reply::Ended(report)).unwrap();
    };
    let (code, ()) = tokio::join!(code(&process, "any", Duration::from_millis(1)), child);
    assert_eq!(code, "timeout");
}

#[tokio::test]
async fn an_event_that_cannot_even_be_sent_costs_no_attempt() {
    let (process, _sent) = played();
    process.outgoing.try_send(ToChild::Ping).unwrap();
    let soon = Instant::now() + Duration::from_millis(1);
    let delivered = process.deliver(&delivery("any"), soon, soon + Duration::from_secs(60)).await;
    assert_eq!(delivered, Some(Delivered::NotAccepted));
    assert_eq!(process.slots.available_permits(), 2);
}

#[tokio::test]
async fn a_plugin_that_hangs_in_create_is_ended() {
    let limits = Limits { start: Duration::from_millis(100), ..Limits::default() };
    let error = Process::start(&launch(&PLUGIN, "hang-create", limits)).await.unwrap_err();
    assert!(matches!(error, StartError::TooSlow(_)), "{error}");
}

#[tokio::test]
async fn a_plugin_that_hangs_in_destroy_is_ended() {
    let limits = Limits { destroy: Duration::from_millis(50), ..Limits::default() };
    let process = Process::start(&launch(&PLUGIN, "hang-destroy", limits)).await.unwrap();
    process.stop(Duration::from_millis(50)).await;
    check_killed(&process.exited().await, "no longer needed");
}

#[tokio::test]
async fn a_plugin_that_is_stopped_ends_by_itself() {
    let process = Process::start(&launch(&PLUGIN, "", Limits::default())).await.unwrap();
    process.stop(Duration::from_secs(60)).await;
    assert_eq!(process.exited().await, Exit::Code(0));
}
