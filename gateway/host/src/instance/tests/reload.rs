//! Another file or other settings while deliveries go on.

use postroom_core::event::Event;

use super::*;
use crate::{
    supervisor::{ReloadError, Reloaded},
    testing::{gone, rebuild},
};

const DRAIN: Duration = Duration::from_secs(60);

async fn version(instance: &Instance) -> String {
    let version = |status: &Status| {
        if let Status::Ready { version, .. } = status { Some(version.clone()) } else { None }
    };
    status(instance, version).await
}

#[tokio::test]
async fn a_reload_goes_over_to_a_new_process_and_ends_the_old_one() {
    let instance = start();
    let first = ready_pid(&instance).await;
    let secrets = [("token".to_owned(), Secret::new("another"))].into();
    let reloaded = instance.reload(InstanceConfig { secrets, ..config(&PLUGIN, "") }, DRAIN).await.unwrap();
    assert_ne!(reloaded.pid, first);
    assert_eq!(ready_pid(&instance).await, reloaded.pid);
    assert_eq!(outcome(&instance, "secret").await.message, "wrong", "it has the new settings");
    gone(first).await;
    // It is no restart.
    let restarts =
        |status: &Status| if let Status::Ready { restarts, .. } = status { Some(*restarts) } else { None };
    assert_eq!(status(&instance, restarts).await, 0);
}

#[track_caller]
fn check_failure(error: &ReloadError, expected: &str) {
    assert!(error.to_string().contains(expected), "{error} lacks {expected}");
}

#[tokio::test]
async fn whatever_cannot_start_leaves_the_old_one_serving() {
    let instance = start();
    let first = ready_pid(&instance).await;
    let vanished = scripted("0", "0");
    let lost = config(&vanished, "");
    drop(vanished);
    let other = scripted("0", "0");
    let renamed = config(&other, "");
    rebuild(&other.path, "other", "1.0.0");
    for (new, expected) in [
        (config(&PLUGIN, "refuse-validate"), "the plugin refuses its config: /url: is no URL"),
        (config(&PLUGIN, "refuse-create"), "root not there"),
        (config(&PLUGIN, "crash-create"), "the plugin process ended while starting: signal 6"),
        (lost, "No such file"),
        (renamed, "is now the plugin \"other\""),
    ] {
        check_failure(&instance.reload(new, DRAIN).await.unwrap_err(), expected);
        assert_eq!(ready_pid(&instance).await, first);
        assert_eq!(outcome(&instance, "secret").await.message, "right");
    }
}

#[tokio::test]
async fn what_the_old_process_holds_ends_there_while_the_new_one_delivers() {
    let instance = start();
    let first = ready_pid(&instance).await;
    let held = instance.deliver(delivery("hold"));
    tokio::pin!(held);
    assert!(waits(held.as_mut()).await);
    let before = outcome(&instance, "pid").await.message;
    instance.reload(config(&PLUGIN, ""), Duration::from_millis(300)).await.unwrap();
    assert_ne!(outcome(&instance, "pid").await.message, before, "it went to the new process");
    assert!(waits(held.as_mut()).await, "the old one still has it");
    let Delivered::Outcome(held) = held.await else { panic!("not accepted") };
    assert_eq!((held.kind, &*held.message), (OutcomeKind::Delivered, "late"));
    gone(first).await;
}

#[tokio::test]
async fn what_the_old_process_does_not_end_by_the_deadline_is_tried_again() {
    let instance = Instance::start(config(&PLUGIN, "deaf"));
    ready_pid(&instance).await;
    let held = instance.deliver(delivery("hold"));
    tokio::pin!(held);
    assert!(waits(held.as_mut()).await);
    instance.reload(config(&PLUGIN, ""), Duration::from_millis(50)).await.unwrap();
    let Delivered::Interrupted(held) = held.await else { panic!("it was not interrupted") };
    assert_eq!(held.kind, OutcomeKind::Retry, "{held:?}");
    assert_eq!(outcome(&instance, "ok").await.kind, OutcomeKind::Delivered);
}

#[tokio::test]
async fn what_waits_for_a_place_goes_to_the_new_process() {
    let plugin = scripted("POSTROOM_PF_SERIAL", "0");
    let instance = Instance::start(config(&plugin, ""));
    let first = ready_pid(&instance).await;
    let held = instance.deliver(delivery("hold"));
    tokio::pin!(held);
    assert!(waits(held.as_mut()).await);
    let waiting = instance.deliver(delivery("pid"));
    tokio::pin!(waiting);
    assert!(waits(waiting.as_mut()).await);
    let reloaded = instance.reload(config(&plugin, ""), Duration::from_millis(500)).await.unwrap();
    let Delivered::Outcome(moved) = waiting.await else { panic!("it cost a try") };
    assert_eq!(moved.message, format!("{} no PATH", reloaded.pid));
    assert!(waits(held.as_mut()).await, "the old one still has its own");
    held.await;
    gone(first).await;
}

/// Failures that would last a minute.
fn patient(plugin: &Compiled, mode: &str) -> InstanceConfig {
    let minute = Duration::from_secs(60);
    InstanceConfig {
        backoff: Backoff { first: minute, max: minute, refused: minute, ..Backoff::default() },
        ..config(plugin, mode)
    }
}

#[tokio::test]
async fn a_plugin_that_fails_or_is_refused_is_started_at_once_by_a_reload() {
    for mode in ["crash-create", "refuse-create"] {
        let instance = Instance::start(patient(&PLUGIN, mode));
        let down =
            |status: &Status| matches!(status, Status::Backoff { .. } | Status::Refused { .. }).then_some(());
        status(&instance, down).await;
        let error = instance.reload(patient(&PLUGIN, "refuse-validate"), DRAIN).await.unwrap_err();
        check_failure(&error, "is no URL");
        status(&instance, down).await;
        let Reloaded { pid, .. } = instance.reload(patient(&PLUGIN, ""), DRAIN).await.unwrap();
        assert_eq!(ready_pid(&instance).await, pid);
        assert_eq!(outcome(&instance, "ok").await.kind, OutcomeKind::Delivered);
    }
}

#[tokio::test]
async fn a_crash_brings_back_what_ran_and_only_a_reload_the_new_build() {
    let plugin = scripted("0", "0");
    let instance = Instance::start(config(&plugin, ""));
    ready_pid(&instance).await;
    rebuild(&plugin.path, "scripted", "2.0.0");
    outcome(&instance, "abort").await;
    assert_eq!(outcome(&instance, "ok").await.kind, OutcomeKind::Delivered);
    assert_eq!(version(&instance).await, "1.0.0");
    assert_eq!(instance.reload(config(&plugin, ""), DRAIN).await.unwrap().version, "2.0.0");
    assert_eq!(version(&instance).await, "2.0.0");
}

#[tokio::test]
async fn what_is_prepared_and_not_committed_is_ended() {
    let instance = start();
    let first = ready_pid(&instance).await;
    drop(instance.prepare(config(&PLUGIN, ""), DRAIN).await.unwrap());
    let superseded = instance.prepare(config(&PLUGIN, ""), DRAIN).await.unwrap();
    let prepared = instance.prepare(config(&PLUGIN, ""), DRAIN).await.unwrap();
    assert_eq!(superseded.commit().await, Err(ReloadError::Withdrawn));
    assert_eq!(ready_pid(&instance).await, first);
    let Reloaded { pid, .. } = prepared.commit().await.unwrap();
    assert_eq!(ready_pid(&instance).await, pid);
}

#[tokio::test]
async fn a_stopped_plugin_is_not_reloaded() {
    let instance = start();
    ready_pid(&instance).await;
    let prepared = instance.prepare(config(&PLUGIN, ""), DRAIN).await.unwrap();
    instance.stop(DRAIN).await;
    assert_eq!(prepared.commit().await, Err(ReloadError::Withdrawn));
    assert_eq!(instance.reload(config(&PLUGIN, ""), DRAIN).await, Err(ReloadError::Stopped));
    assert_eq!(*instance.status().borrow(), Status::Stopped);
}

#[tokio::test]
async fn a_stop_waits_for_the_process_that_drains_too() {
    let instance = start();
    let first = ready_pid(&instance).await;
    let held = instance.deliver(delivery("hold"));
    tokio::pin!(held);
    assert!(waits(held.as_mut()).await);
    let second = instance.reload(config(&PLUGIN, ""), Duration::from_millis(200)).await.unwrap().pid;
    let (held, ()) = tokio::join!(held, instance.stop(DRAIN));
    assert!(matches!(held, Delivered::Outcome(Outcome { kind: OutcomeKind::Delivered, .. })), "{held:?}");
    for pid in [first, second] {
        assert!(!std::fs::exists(format!("/proc/{pid}")).unwrap(), "{pid} is there");
    }
}

#[tokio::test]
async fn reloads_under_load_cost_no_delivery_and_no_attempt() {
    let instance = start();
    ready_pid(&instance).await;
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (instance, done) = (instance.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let mut delivered = 0;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    assert_eq!(outcome(&instance, "ok").await.kind, OutcomeKind::Delivered);
                    delivered += 1;
                }
                delivered
            })
        })
        .collect();
    for _ in 0..5 {
        instance.reload(config(&PLUGIN, ""), DRAIN).await.unwrap();
    }
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    for caller in callers {
        assert!(caller.await.unwrap() > 0);
    }
}

#[tokio::test]
async fn new_secrets_do_not_go_to_a_process_that_had_other_settings() {
    let instance = start();
    ready_pid(&instance).await;
    let held = instance.deliver(delivery("hold secret"));
    tokio::pin!(held);
    assert!(waits(held.as_mut()).await);
    instance.reload(config(&PLUGIN, ""), Duration::from_millis(300)).await.unwrap();
    instance.rotate([("token".to_owned(), Secret::new("another"))].into()).await;
    let Delivered::Outcome(held) = held.await else { panic!("not accepted") };
    assert_eq!(held.message, "right", "it has what it was started with");
}

/// One of many secrets that are alike.
fn token(number: u8) -> BTreeMap<String, Secret> {
    [("token".to_owned(), Secret::new(format!("s3cret-token-{number}")))].into()
}

#[tokio::test]
async fn a_plugin_that_fails_or_is_refused_is_started_at_once_with_new_secrets() {
    for mode in ["leak-create", "leak-create refuse"] {
        let instance = Instance::start(InstanceConfig { secrets: token(1), ..patient(&PLUGIN, mode) });
        let words = |status: &Status| match status {
            Status::Backoff { last_error: words, failures, .. } => Some((words.clone(), *failures)),
            Status::Refused { reason } => Some((reason.clone(), 0)),
            _ => None,
        };
        let (before, failures) = status(&instance, words).await;
        assert!(before.ends_with("no entry with ***"), "{before}");
        // Too short to be masked, so that it can be seen.
        instance.rotate([("token".to_owned(), Secret::new("new"))].into()).await;
        let with_new =
            |status: &Status| words(status).filter(|(words, _)| words.ends_with("no entry with new"));
        let (_, failures_then) = status(&instance, with_new).await;
        assert_eq!(failures_then, 2 * failures, "{mode}: nobody waited for it");
    }
}

#[tokio::test]
async fn secrets_of_processes_before_stay_masked() {
    let show = |number: u8| {
        let any = delivery("show");
        let ordering_key = format!("s3cret-token-{number}").into();
        PluginDelivery { event: Arc::new(Event { ordering_key, ..(*any.event).clone() }), ..any }
    };
    let instance = Instance::start(InstanceConfig { secrets: token(1), ..config(&PLUGIN, "") });
    ready_pid(&instance).await;
    instance.rotate(token(2)).await;
    outcome(&instance, "abort").await;
    instance.reload(InstanceConfig { secrets: token(3), ..config(&PLUGIN, "") }, DRAIN).await.unwrap();
    for number in 1..=3 {
        let shown = outcome_of(&instance, show(number)).await.message;
        assert!(shown.contains(" acme *** "), "{number}: {shown}");
    }
    let other = outcome_of(&instance, show(4)).await.message;
    assert!(other.contains("s3cret-token-4"), "{other}");
}

#[tokio::test]
async fn nothing_waits_for_the_old_process_while_none_serves() {
    for crash_first in [true, false] {
        let instance = start();
        ready_pid(&instance).await;
        let held = instance.deliver(delivery("hold"));
        tokio::pin!(held);
        assert!(waits(held.as_mut()).await);
        let second = instance.reload(patient(&PLUGIN, ""), DRAIN).await.unwrap().pid;
        let third = instance.reload(config(&PLUGIN, ""), DRAIN);
        tokio::pin!(third);
        if !crash_first {
            assert!(waits(third.as_mut()).await, "at most two processes are alive");
        }
        outcome(&instance, "abort").await;
        gone(second).await;
        let third = third.await.unwrap().pid;
        assert_eq!(ready_pid(&instance).await, third);
        assert!(waits(held.as_mut()).await, "the first still has it");
    }
}
