//! What the gateway does with processes that hang. The limits are short here, and every process overstays them.

use std::time::Duration;

use postroom_core::{id::DestinationName, outcome::OutcomeKind};
use serde_json::json;
use tokio::time::Instant;

use super::{Exit, Launch, Limits, Process, StartError};
use crate::{
    delivery::Delivered,
    inspect::inspect,
    testing::{Compiled, PLUGIN, delivery, program, scripted},
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
    check_killed(&process.exited().await, "held on to deliveries");
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
