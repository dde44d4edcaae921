//! What the gateway does with processes that hang. The limits are short here, and every process overstays them.

mod dropped;
mod ending;
mod failures;
mod golden;
mod health;
mod hostile;

use std::{path::Path, sync::Arc, time::Duration};

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
    delivery::{Delivered, PluginDelivery},
    inspect::inspect,
    mask::Mask,
    outcome::Report,
    sandbox::Sandbox,
    testing::{Compiled, PLUGIN, bytes_of, delivery, program, scripted},
    wire::{Frame, ToChild},
};

pub(super) fn launch(plugin: &Compiled, mode: &str, limits: Limits) -> Launch {
    launch_file(&plugin.path, mode, limits)
}

fn launch_file(plugin: &Path, mode: &str, limits: Limits) -> Launch {
    Launch {
        destination: DestinationName::new("test"),
        plugin: inspect(plugin).unwrap(),
        config: json!({ "mode": mode }),
        secrets: [].into(),
        mask: Arc::default(),
        state: None,
        emit: None,
        metrics: None,
        program: program(),
        sandbox: Sandbox::default(),
        sealed: None,
        left_out: [].into(),
        concurrency: 1,
        drain: Duration::from_secs(60),
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

#[track_caller]
fn check_held_on(exit: &Exit) {
    assert!(matches!(exit, Exit::HeldOn(reason) if reason.contains("held on to a delivery")), "{exit}");
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
    check_held_on(&process.exited().await);
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
    check_held_on(&process.exited().await);
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
fn played() -> (Process, mpsc::Receiver<Frame>) {
    let (outgoing, sent) = mpsc::channel(1);
    let process = Process {
        pid: 0,
        destination: DestinationName::new("test"),
        sealed: crate::sealed::seal(&inspect(&PLUGIN.path).unwrap()).unwrap(),
        mask: Arc::default(),
        given: Mask::default().give([]).into(),
        outgoing,
        pending: Arc::new(Pending::default()),
        actions: Arc::default(),
        slots: Arc::new(Semaphore::new(2)),
        layers: Arc::default(),
        moved: watch::channel(false).1,
        faults: watch::channel(crate::faults::Faults::default()).1,
        next_token: 1.into(),
        secrets_number: 0.into(),
        exit: watch::channel(None).1,
        stopping: false.into(),
        health: watch::channel(None).1,
        limits: Limits::default(),
        kill: CancellationToken::new(),
    };
    (process, sent)
}

/// The next frame to the child, as the child reads it.
async fn next(sent: &mut mpsc::Receiver<Frame>) -> ToChild {
    ToChild::decode(bytes_of(sent.recv().await.unwrap())).unwrap()
}

/// Cancels a delivery that the plugin holds; `reply` is what the child says then.
async fn cancelled(reply: Reply) -> Delivered {
    let (process, mut sent) = played();
    let delivery = delivery("any");
    let until = Instant::now() + Duration::from_secs(60);
    let child = async {
        assert!(matches!(next(&mut sent).await, ToChild::Deliver(_)));
        delivery.cancel.cancel();
        assert_eq!(next(&mut sent).await, ToChild::Cancel { token: 1 });
        process.pending.end(1, reply).unwrap();
    };
    let (delivered, ()) = tokio::join!(process.deliver(&delivery, until, until), child);
    delivered.unwrap()
}

fn report(kind: u32) -> Report {
    Report { kind, ..Report::default() }
}

#[tokio::test]
async fn a_cancelled_delivery_comes_back_as_cancelled_once_the_plugin_has_let_go() {
    let retry = || report(postroom_abi::POSTROOM_OUT_RETRY);
    for reply in [
        Reply::Released(retry()),
        Reply::Released(report(postroom_abi::POSTROOM_OUT_SKIPPED)),
        Reply::Lost(Exit::Signal(6)),
    ] {
        assert_eq!(cancelled(reply).await, Delivered::Cancelled);
    }
}

/// The outcome was on its way when the cancel was sent.
#[tokio::test]
async fn a_plugin_that_ended_a_delivery_before_it_heard_of_the_cancel_is_believed() {
    for (said, kind) in [
        (postroom_abi::POSTROOM_OUT_DELIVERED, OutcomeKind::Delivered),
        (postroom_abi::POSTROOM_OUT_RETRY, OutcomeKind::Retry),
        (postroom_abi::POSTROOM_OUT_PERMANENT, OutcomeKind::Permanent),
        (postroom_abi::POSTROOM_OUT_SKIPPED, OutcomeKind::Skipped),
    ] {
        let delivered = cancelled(Reply::Ended(report(said))).await;
        assert!(
            matches!(&delivered, Delivered::Outcome(outcome) if outcome.kind == kind),
            "{kind}: {delivered:?}"
        );
    }
}

#[tokio::test]
async fn a_plugin_never_had_a_cancelled_delivery_that_it_did_not_take() {
    for status in [postroom_abi::POSTROOM_E_BUSY, postroom_abi::POSTROOM_E_CONFIG] {
        assert_eq!(cancelled(Reply::Refused(status)).await, Delivered::NotAccepted);
    }
}

#[tokio::test]
async fn a_plugin_that_delivered_although_it_was_told_to_stop_is_believed() {
    let delivered = cancelled(Reply::Released(report(postroom_abi::POSTROOM_OUT_DELIVERED))).await;
    assert!(
        matches!(&delivered, Delivered::Outcome(outcome) if outcome.kind == OutcomeKind::Delivered),
        "{delivered:?}"
    );
}

#[tokio::test]
async fn a_delivery_cancelled_while_it_waits_for_a_place_never_reaches_the_plugin() {
    let (process, mut sent) = played();
    process.slots.forget_permits(2);
    let delivery = delivery("any");
    let until = Instant::now() + Duration::from_secs(60);
    let delivered =
        tokio::join!(process.deliver(&delivery, until, until), async { delivery.cancel.cancel() }).0;
    assert_eq!(delivered, Some(Delivered::NotAccepted));
    assert!(sent.try_recv().is_err());
}

#[tokio::test]
async fn the_plugin_is_told_of_a_cancel_and_holds_its_lane_until_it_lets_go() {
    let launch = Launch { concurrency: 2, ..launch(&PLUGIN, "deaf", Limits::default()) };
    let process = Arc::new(Process::start(&launch).await.unwrap());
    let held = delivery("hold");
    let cancel = held.cancel.clone();
    let holding = tokio::spawn({
        let process = Arc::clone(&process);
        let until = Instant::now() + Duration::from_secs(60);
        async move { process.deliver(&held, until, until).await }
    });
    while process.slots.available_permits() > 1 {
        tokio::task::yield_now().await;
    }
    cancel.cancel();
    while message(&process, "cancels").await != "1" {}
    assert!(!holding.is_finished(), "the plugin still holds it");
    assert_eq!(message(&process, "free").await, "free");
    let Some(Delivered::Outcome(outcome)) = holding.await.unwrap() else { panic!("it was delivered") };
    assert_eq!((outcome.kind, &*outcome.message), (OutcomeKind::Delivered, "held"));
}

#[tokio::test]
async fn a_plugin_that_holds_on_to_a_cancelled_delivery_is_ended() {
    let limits = Limits { cancel: Duration::from_millis(50), ping: Duration::from_secs(60), ..impatient() };
    let process = Process::start(&launch(&PLUGIN, "", limits)).await.unwrap();
    let delivery = delivery("never");
    delivery.cancel.cancel();
    let until = Instant::now() + Duration::from_secs(60);
    // Cancelled before it has a place, it does not even get there.
    assert_eq!(process.deliver(&delivery, until, until).await, Some(Delivered::NotAccepted));
    let delivery = PluginDelivery { cancel: CancellationToken::new(), ..delivery };
    let (delivered, ()) = tokio::join!(process.deliver(&delivery, until, until), async {
        while process.slots.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        delivery.cancel.cancel();
    });
    assert_eq!(delivered, Some(Delivered::Cancelled));
    check_held_on(&process.exited().await);
}

#[tokio::test]
async fn a_completion_after_the_time_limit_is_too_late() {
    let (process, mut sent) = played();
    let child = async {
        assert!(matches!(next(&mut sent).await, ToChild::Deliver(_)));
        assert_eq!(next(&mut sent).await, ToChild::Cancel { token: 1 });
        let report = report(postroom_abi::POSTROOM_OUT_DELIVERED);
        process.pending.end(1, Reply::Ended(report)).unwrap();
    };
    let (code, ()) = tokio::join!(code(&process, "any", Duration::from_millis(1)), child);
    assert_eq!(code, "timeout");
}

#[tokio::test]
async fn an_event_that_cannot_even_be_sent_costs_no_attempt() {
    let (process, _sent) = played();
    process.outgoing.try_send(Frame::ping()).unwrap();
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
