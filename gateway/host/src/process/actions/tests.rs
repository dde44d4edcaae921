//! Whole processes, with the plugin of `faulty/actor.c`.

use std::{sync::LazyLock, time::Duration};

use postroom_core::{id::DestinationName, outcome::OutcomeKind, secret::Secret};
use serde_json::json;

use super::*;
use crate::{
    delivery::Delivered,
    process::{Launch, Limits, tests::launch},
    testing::{Compiled, Log, compile, delivery},
};

static ACTOR: LazyLock<Compiled> = LazyLock::new(|| {
    compile(include_str!("../../../../../tests/faulty/actor.c"), &["-shared", "-fPIC", "-Wno-unused-result"])
});

async fn start() -> Process {
    Process::start(&launch(&ACTOR, "", Limits::default())).await.unwrap()
}

fn call(name: &str, input: Value) -> ActionCall {
    let Value::Object(input) = input else { panic!("{input} is no object") };
    ActionCall { name: name.to_owned(), input, time_limit: Duration::from_secs(60) }
}

async fn act(process: &Process, name: &str) -> Result<Map<String, Value>, ActionError> {
    process.act(call(name, json!({}))).await
}

async fn given(process: &Process, name: &str) -> Value {
    Value::Object(act(process, name).await.unwrap())
}

async fn refused(process: &Process, name: &str) -> String {
    act(process, name).await.unwrap_err().to_string()
}

async fn delivers(process: &Process) -> bool {
    let until = tokio::time::Instant::now() + Duration::from_secs(60);
    let delivered = process.deliver(&delivery("any"), until, until).await;
    matches!(delivered, Some(Delivered::Outcome(outcome)) if outcome.kind == OutcomeKind::Delivered)
}

#[tokio::test]
async fn an_action_gives_what_the_plugin_gives_without_its_secrets() {
    let secrets = [("token".to_owned(), Secret::new("s3cret-token"))].into();
    let process = Process::start(&Launch { secrets, ..launch(&ACTOR, "", Limits::default()) }).await.unwrap();
    let echo = process.act(call("echo", json!({ "text": "hä" }))).await.unwrap();
    assert_eq!(Value::Object(echo), json!({ "text": "hä" }));
    assert_eq!(given(&process, "count").await, json!({ "cancels": 0, "kept": 0, "time": 1 }));
    assert_eq!(given(&process, "tell").await, json!({ "said": "it is ***" }));
}

#[tokio::test]
async fn what_the_manifest_does_not_name_or_take_never_reaches_the_plugin() {
    let process = start().await;
    assert_eq!(act(&process, "other").await, Err(ActionError::Unknown));
    let faults = |input| async { process.act(call("echo", input)).await.unwrap_err().to_string() };
    assert_eq!(faults(json!({ "text": 7 })).await, "the input does not fit: /text: expected a text");
    assert_eq!(faults(json!({ "txt": "" })).await, "the input does not fit: /txt: there is no such member");
    let large = json!({ "text": "a".repeat(ACTION_INPUT_BYTES_MAX) });
    assert_eq!(process.act(call("echo", large)).await, Err(ActionError::InputTooLarge));
}

#[tokio::test]
async fn each_bad_end_is_told_and_the_plugin_works_on() {
    let process = start().await;
    let pid = process.pid;
    assert_eq!(refused(&process, "refuse").await, "the input does not fit: /name: is no name");
    assert_eq!(refused(&process, "conflict").await, "the plugin refuses: it is there already");
    assert_eq!(refused(&process, "later").await, "the plugin cannot do this now: the remote side is away");
    let said = "the plugin cannot do this now: status -8 (unavailable)";
    assert_eq!(refused(&process, "not-now").await, said);
    assert_eq!(refused(&process, "fail").await, "the plugin failed: it broke");
    assert!(refused(&process, "no-object").await.contains("not a JSON object"));
    assert_eq!(refused(&process, "no-text").await, "the plugin failed: its output is not UTF-8");
    assert_eq!(given(&process, "both").await, json!({ "n": 1 }));
    assert_eq!(given(&process, "short").await, json!({ "whole": true }));
    assert_eq!(process.pid, pid);
    assert!(delivers(&process).await);
}

#[tokio::test]
async fn the_first_end_counts() {
    let log = Log::of("action-twice");
    let destination = DestinationName::new("action-twice");
    let process =
        Process::start(&Launch { destination, ..launch(&ACTOR, "", Limits::default()) }).await.unwrap();
    assert_eq!(given(&process, "twice").await, json!({ "n": 1 }));
    // Both are said before this action can end.
    assert_eq!(given(&process, "twice").await, json!({ "n": 1 }));
    assert!(log.text().contains("second: -3") && log.text().contains("forged: -3"), "{}", log.text());
}

#[tokio::test]
async fn an_output_of_the_largest_size_passes_and_no_larger_one() {
    let process = start().await;
    let largest = process.act(call("large", json!({ "a": 1 }))).await.unwrap();
    assert_eq!(largest["a"].as_str().unwrap().len(), 4 * 1024 * 1024 - 8);
    assert_eq!(refused(&process, "large").await, "the plugin failed: its output has more than 4194304 bytes");
    assert!(delivers(&process).await);
}

#[tokio::test]
async fn an_action_that_takes_too_long_is_cancelled_and_gives_its_place_back() {
    let process = start().await;
    let limit = Duration::from_millis(50);
    for _ in 0..2 * RUNNING_MAX {
        let hold = ActionCall { time_limit: limit, ..call("hold", json!({})) };
        let error = process.act(hold).await.unwrap_err();
        // The place of the one before may come back a moment later.
        assert!(matches!(error, ActionError::TimedOut { .. } | ActionError::Busy), "{error}");
    }
    assert!(delivers(&process).await);
}

#[tokio::test]
async fn plugins_that_never_end_actions_keep_their_places_and_deliver() {
    let process = start().await;
    let limit = Duration::from_millis(50);
    let stuck = ["block", "hold"].into_iter().cycle().take(RUNNING_MAX as usize);
    for name in stuck {
        let stuck = ActionCall { time_limit: limit, ..call(name, json!({ "patient": true })) };
        assert_eq!(process.act(stuck).await, Err(ActionError::TimedOut { limit }));
    }
    assert_eq!(act(&process, "echo").await, Err(ActionError::Busy));
    assert!(delivers(&process).await);
}

#[tokio::test]
async fn dropping_the_wait_cancels_the_action() {
    let process = start().await;
    let never = Duration::from_millis(50);
    assert!(timeout(never, process.act(call("hold", json!({})))).await.is_err());
    loop {
        // The cancel was sent before this is asked, but runs on another thread.
        if given(&process, "count").await["cancels"] == 1 {
            break;
        }
    }
}

#[tokio::test]
async fn a_crash_ends_the_actions_that_were_under_way() {
    let process = start().await;
    let hold = process.act(call("hold", json!({})));
    let (held, crashed) = tokio::join!(hold, act(&process, "abort"));
    for ended in [held, crashed] {
        let error = ended.unwrap_err().to_string();
        assert!(
            error.starts_with("the plugin's process ended before") && error.contains("signal 6"),
            "{error}"
        );
    }
    assert!(matches!(act(&process, "echo").await, Err(ActionError::NotRunning { .. })));
}

#[tokio::test]
async fn an_action_may_end_while_the_plugin_is_stopped() {
    let process = Arc::new(start().await);
    let (acting, asked) = (Arc::clone(&process), Duration::from_millis(300));
    let hold = tokio::spawn(async move { acting.act(call("hold", json!({}))).await });
    // Each action has a thread of its own.
    while given(&process, "count").await["kept"] == 0 {}
    process.stop(asked).await;
    // At the deadline the plugin is told to let go.
    assert_eq!(hold.await.unwrap(), Ok(Map::new()));
}

#[test]
fn whether_an_action_was_inside_at_the_end_is_known() {
    let (outgoing, _frames) = mpsc::channel(1);
    let (idle, busy) = (Arc::new(Actions::default()), Arc::new(Actions::default()));
    let _running = busy.begin(&outgoing).unwrap();
    for actions in [&idle, &busy] {
        actions.close();
    }
    assert!(!idle.were_interrupted() && busy.were_interrupted());
}
