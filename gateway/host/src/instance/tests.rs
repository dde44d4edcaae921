//! Whole processes: the gateway's side in the test, the plugin's in children that run `examples/plugin-host`.

mod bodies;
mod probation;
mod reload;
mod services;
mod state;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use postroom_core::{
    id::DestinationName,
    outcome::{Outcome, OutcomeKind},
    secret::Secret,
};
use serde_json::json;

use super::{Instance, InstanceConfig};
use crate::{
    check::{CheckError, check_config},
    delivery::{Delivered, PluginDelivery},
    inspect::inspect,
    plugin_state::MemoryState,
    program::Program,
    sandbox::{Layer, Sandbox},
    supervisor::{Backoff, Status},
    testing::{Compiled, Log, PLUGIN, delivery, program, scripted},
};

fn config(plugin: &Compiled, mode: &str) -> InstanceConfig {
    InstanceConfig {
        destination: DestinationName::new("test"),
        plugin: inspect(&plugin.path).unwrap(),
        config: json!({ "mode": mode }),
        secrets: [("token".to_owned(), Secret::new("s3cret"))].into(),
        state: Some(Arc::new(MemoryState::default())),
        emit: None,
        metrics: None,
        program: program(),
        sandbox: Sandbox::default(),
        concurrency: 8,
        drain: Duration::from_secs(60),
        backoff: Backoff {
            first: Duration::from_millis(10),
            max: Duration::from_millis(50),
            refused: Duration::from_millis(10),
            ..Backoff::default()
        },
    }
}

fn start() -> Instance {
    Instance::start(config(&PLUGIN, ""))
}

async fn outcome_of(instance: &Instance, delivery: PluginDelivery) -> Outcome {
    match instance.deliver(delivery).await {
        Delivered::Outcome(outcome) | Delivered::Interrupted(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

async fn outcome(instance: &Instance, body: &'static str) -> Outcome {
    outcome_of(instance, delivery(body)).await
}

/// Waits for a status and gives what `pick` makes of it.
async fn status<T>(instance: &Instance, pick: impl Fn(&Status) -> Option<T>) -> T {
    let mut statuses = instance.status();
    let status = statuses.wait_for(|status| pick(status).is_some()).await.unwrap().clone();
    pick(&status).unwrap()
}

async fn ready_pid(instance: &Instance) -> u32 {
    status(instance, |status| if let Status::Ready { pid, .. } = status { Some(*pid) } else { None }).await
}

#[tokio::test]
async fn a_delivery_goes_to_the_plugin_and_its_outcome_comes_back() {
    let instance = start();
    let outcome = outcome(&instance, "anything").await;
    assert_eq!(outcome.kind, OutcomeKind::Delivered);
    assert_eq!((&*outcome.code, &*outcome.message), ("done", "8 bytes"));
    assert_eq!(outcome.record_json.as_deref(), Some(r#"{"id":"7"}"#));
}

#[tokio::test]
async fn the_event_arrives_whole_and_secrets_are_at_hand() {
    let instance = start();
    let shown = outcome(&instance, "show").await.message;
    assert_eq!(shown, "monitor_run monitor-1 failed acme key-1 team=payments 2 111");
    assert_eq!(outcome(&instance, "secret").await.message, "right");
}

#[tokio::test]
async fn the_plugin_runs_in_a_process_of_its_own_without_our_environment() {
    let instance = start();
    let pid = ready_pid(&instance).await;
    assert_ne!(pid, std::process::id());
    assert_eq!(outcome(&instance, "pid").await.message, format!("{pid} no PATH"));
}

#[tokio::test]
async fn a_delivery_cancelled_while_the_plugin_is_down_comes_back_at_once() {
    let instance = Instance::start(config(&PLUGIN, "crash-create"));
    let delivery = delivery("ok");
    let cancel = delivery.cancel.clone();
    let (delivered, ()) = tokio::join!(instance.deliver(delivery), async { cancel.cancel() });
    assert_eq!(delivered, Delivered::NotAccepted);
}

#[tokio::test]
async fn a_crash_comes_back_as_a_retry_and_the_plugin_is_started_again() {
    let instance = start();
    let first = ready_pid(&instance).await;
    let crashed = outcome(&instance, "abort").await;
    assert_eq!((crashed.kind, &*crashed.code), (OutcomeKind::Retry, "plugin_crashed"));
    assert!(crashed.message.contains("signal 6"), "{}", crashed.message);

    // The next delivery waits for the new process instead of failing.
    assert_eq!(outcome(&instance, "ok").await.kind, OutcomeKind::Delivered);
    assert_ne!(ready_pid(&instance).await, first);
}

#[tokio::test]
async fn deliveries_in_flight_at_a_crash_all_come_back() {
    let instance = start();
    ready_pid(&instance).await;
    let (held, crashed) = tokio::join!(outcome(&instance, "never"), outcome(&instance, "abort"));
    assert_eq!((&*held.code, &*crashed.code), ("plugin_crashed", "plugin_crashed"));
}

#[tokio::test]
async fn a_plugin_that_exits_counts_as_crashed() {
    let instance = start();
    let exited = outcome(&instance, "exit").await;
    assert!(exited.code == "plugin_crashed" && exited.message.contains("exit code 0"), "{exited:?}");
}

#[tokio::test]
async fn garbage_on_the_socket_ends_the_process() {
    let instance = start();
    let outcome = outcome(&instance, "garbage").await;
    assert!(outcome.message.contains("broke the protocol: a frame of 4294967295 bytes"), "{outcome:?}");
}

#[tokio::test]
async fn a_missed_deadline_is_cancelled_and_retried() {
    let instance = start();
    ready_pid(&instance).await;
    let hurried = PluginDelivery { time_limit: Duration::from_millis(50), ..delivery("hold") };
    let missed = outcome_of(&instance, hurried).await;
    assert_eq!((missed.kind, &*missed.code), (OutcomeKind::Retry, "timeout"));
    // The plugin was told, let go, and lives on.
    assert_eq!(outcome(&instance, "ok").await.kind, OutcomeKind::Delivered);
}

#[tokio::test]
async fn back_pressure_costs_no_attempt_and_a_broken_plugin_does() {
    let instance = start();
    assert_eq!(instance.deliver(delivery("busy")).await, Delivered::NotAccepted);
    let broken = outcome(&instance, "broken").await;
    assert_eq!((broken.kind, &*broken.code), (OutcomeKind::Retry, "plugin_refused"));
}

#[tokio::test]
async fn a_blocking_plugin_holds_up_nobody_else() {
    let plugin = scripted("POSTROOM_PF_BLOCKING", "0");
    let instance = Instance::start(config(&plugin, ""));
    ready_pid(&instance).await;
    let hanging = tokio::spawn({
        let instance = instance.clone();
        async move { instance.deliver(delivery("hang")).await }
    });
    for _ in 0..20 {
        assert_eq!(outcome(&instance, "ok").await.kind, OutcomeKind::Delivered);
    }
    hanging.abort();
}

#[tokio::test]
async fn a_serial_plugin_gets_one_delivery_at_a_time() {
    let plugin = scripted("POSTROOM_PF_SERIAL", "0");
    let instance = Instance::start(config(&plugin, ""));
    ready_pid(&instance).await;
    let impatient = PluginDelivery { time_limit: Duration::from_millis(100), ..delivery("ok") };
    let held = instance.deliver(delivery("never"));
    tokio::pin!(held);
    assert!(waits(held.as_mut()).await);
    assert_eq!(instance.deliver(impatient).await, Delivered::NotAccepted);
}

/// Polls a future until it waits for something; true when it is not done.
async fn waits(future: impl Future) -> bool {
    tokio::select! {
        biased;
        _ = future => false,
        () = std::future::ready(()) => true,
    }
}

#[tokio::test]
async fn a_refused_config_is_misconfigured_until_it_is_accepted() {
    let instance = Instance::start(config(&PLUGIN, "refuse-validate"));
    let refused = outcome(&instance, "ok").await;
    assert_eq!((refused.kind, &*refused.code), (OutcomeKind::Misconfigured, "config_refused"));
    assert_eq!(refused.message, "/url: is no URL");
    let reason =
        |status: &Status| if let Status::Refused { reason } = status { Some(reason.clone()) } else { None };
    assert_eq!(status(&instance, reason).await, "/url: is no URL");

    let instance = Instance::start(config(&PLUGIN, "refuse-create"));
    assert_eq!(outcome(&instance, "ok").await.message, "root not there");
}

#[tokio::test]
async fn a_plugin_that_cannot_start_backs_off_and_costs_no_attempts() {
    let instance = Instance::start(config(&PLUGIN, "crash-create"));
    let failing = |status: &Status| match status {
        Status::Backoff { failures: 3.., last_error, .. } => Some(last_error.clone()),
        _ => None,
    };
    let error = status(&instance, failing).await;
    assert_eq!(error, "the plugin process ended while starting: signal 6");
    let delivery = PluginDelivery { time_limit: Duration::from_millis(50), ..delivery("ok") };
    assert_eq!(instance.deliver(delivery).await, Delivered::NotAccepted);
}

#[tokio::test]
async fn missing_files_and_capabilities_are_named() {
    let error = |status: &Status| match status {
        Status::Backoff { last_error, .. } => Some(last_error.clone()),
        _ => None,
    };
    let gone = scripted("0", "0");
    let starts = config(&gone, "");
    drop(gone);
    let instance = Instance::start(starts);
    let message = status(&instance, error).await;
    assert!(message.contains("cannot read") && message.contains("No such file"), "{message}");

    let demanding = scripted("0", "(1ull << 40)");
    let instance = Instance::start(config(&demanding, ""));
    assert!(status(&instance, error).await.contains("needs capabilities 0x10000000000"));

    let no_program =
        InstanceConfig { program: Program::File("/no/such/program".into()), ..config(&PLUGIN, "") };
    let message = status(&Instance::start(no_program), error).await;
    assert!(message.contains("cannot start a plugin process from /no/such/program"), "{message}");
}

#[tokio::test]
async fn stop_lets_the_plugin_end_what_it_has() {
    let instance = start();
    ready_pid(&instance).await;
    let held = instance.deliver(delivery("hold"));
    tokio::pin!(held);
    assert!(waits(held.as_mut()).await);
    // The plugin holds on until the deadline, and is told then to be done with it.
    let (held, ()) = tokio::join!(held, instance.stop(Duration::from_millis(100)));
    let Delivered::Outcome(held) = held else { panic!("not accepted") };
    assert_eq!((held.kind, &*held.message), (OutcomeKind::Delivered, "late"));
    assert_eq!(*instance.status().borrow(), Status::Stopped);
    assert_eq!(instance.deliver(delivery("ok")).await, Delivered::NotAccepted);
    instance.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn the_process_ends_with_the_last_handle() {
    let instance = start();
    let pid = ready_pid(&instance).await;
    let mut statuses = instance.status();
    drop(instance);
    statuses.wait_for(|status| *status == Status::Stopped).await.unwrap();
    while std::fs::exists(format!("/proc/{pid}")).unwrap() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_config_can_be_checked_without_making_an_instance() {
    let plugin = inspect(&PLUGIN.path).unwrap();
    let check = async |mode| {
        let config = json!({ "mode": mode });
        check_config(&program(), &Sandbox::default(), &plugin, &config, &BTreeMap::new()).await
    };
    assert!(check("").await.unwrap().active().any(|layer| layer == Layer::NoNewPrivs));
    // Only `create` would refuse this, and it is not called.
    assert!(check("refuse-create").await.is_ok());
    let Err(CheckError::Refused { faults }) = check("refuse-validate").await else { panic!("not refused") };
    assert_eq!((&*faults[0].path, &*faults[0].message), ("/url", "is no URL"));
    let error = check("crash-validate").await.unwrap_err().to_string();
    assert_eq!(error, "cannot ask the plugin: the plugin process ended while starting: signal 6");
}

#[tokio::test]
async fn what_a_plugin_logs_and_prints_is_in_our_log_and_its_secrets_are_not() {
    let log = Log::of("logged");
    let instance = Instance::start(InstanceConfig {
        destination: DestinationName::new("logged"),
        // Long enough not to miss the status in between.
        backoff: Backoff { first: Duration::from_secs(60), ..Backoff::default() },
        ..config(&PLUGIN, "")
    });
    outcome(&instance, "secret").await;
    outcome(&instance, "print").await;
    // The end of a process is reported after its last line.
    outcome(&instance, "abort").await;
    status(&instance, |status| matches!(status, Status::Backoff { .. }).then_some(())).await;

    let log = log.text();
    let event = "event=07070707-0707-0707-0707-070707070707";
    for expected in [
        &*format!(r#"plugin: secret: 0 destination="logged" {event} module="scripted" fields="{{\"a\":1}}""#),
        r#"INFO plugin: printed destination="logged" stream="stdout""#,
        r#"INFO plugin: in two lines destination="logged" stream="stdout""#,
        r#"INFO plugin: complained destination="logged" stream="stderr""#,
        "signal 6",
    ] {
        assert!(log.contains(expected), "{expected} is not in\n{log}");
    }
    assert!(!log.contains("s3cret"), "{log}");
}

/// A secret as ITOC360 hands it out, with characters that JSON may escape.
const URL: &str = r#"https://itoc360.test/events?token="s3cret""#;

fn leaking(destination: &'static str, mode: &str) -> Instance {
    Instance::start(InstanceConfig {
        destination: DestinationName::new(destination),
        secrets: [("token".to_owned(), Secret::new(URL))].into(),
        backoff: Backoff { first: Duration::from_secs(60), ..Backoff::default() },
        ..config(&PLUGIN, mode)
    })
}

#[tokio::test]
async fn a_secret_that_a_plugin_tells_is_masked_wherever_it_tells_it() {
    let log = Log::of("leaking");
    let instance = leaking("leaking", "");
    let outcome = outcome(&instance, "leak").await;
    assert_eq!((&*outcome.code, &*outcome.message), ("___", "***"));
    assert_eq!(outcome.record_json.as_deref(), Some(r#"{"***":["to ***"]}"#));
    instance.deliver(delivery("abort")).await;
    status(&instance, |status| matches!(status, Status::Backoff { .. }).then_some(())).await;

    let log = log.text();
    for expected in [
        r#"ERROR plugin: *** destination="leaking""#,
        r#"module="***" fields="{\"***\":[\"to ***\"]}""#,
        "plugin: out ***",
        "plugin: err ***",
    ] {
        assert!(log.contains(expected), "{expected} is not in\n{log}");
    }
    assert!(!log.contains("s3cret"), "{log}");
}

#[tokio::test]
async fn a_secret_in_the_reason_for_not_starting_is_masked() {
    let log = Log::of("leaking-create");
    let instance = leaking("leaking-create", "leak-create refuse");
    assert_eq!(outcome(&instance, "ok").await.message, "no entry with ***");
    let refused =
        |status: &Status| if let Status::Refused { reason } = status { Some(reason.clone()) } else { None };
    assert_eq!(status(&instance, refused).await, "no entry with ***");

    let instance = leaking("leaking-create", "leak-create");
    let failed = |status: &Status| match status {
        Status::Backoff { last_error, .. } => Some(last_error.clone()),
        _ => None,
    };
    let error = status(&instance, failed).await;
    assert!(error.ends_with(": no entry with ***"), "{error}");
    assert!(log.text().contains("no entry with ***") && !log.text().contains("s3cret"), "{}", log.text());
}
