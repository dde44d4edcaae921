//! What a plugin can break, and what is left of that: nothing. `docs/plugin-failures.md` lists all of it.
//!
//! Each group of failures has a process to itself, which is this test binary once more: there alone can be seen that the
//! gateway keeps no thread and no descriptor. Where root runs the tests there is a second one, of an ordinary user without
//! capabilities: the gateway and its plugins.

mod alone;
mod one_process;

use std::{future::pending, pin::Pin, sync::Arc, time::Duration};

use tokio::sync::Notify;

use self::alone::{LIBRARIES, check, once_more};
use super::{Launch, Limits, Process, check_killed, code, impatient, launch_file};
use crate::plugin_state::{PluginState, StateOperation, StateReply};

/// Something that a plugin does, and what must come of it.
#[derive(Debug, Clone, Copy)]
struct Failure {
    /// Which library: see [`alone::Libraries`].
    library: &'static str,
    /// The plugin's setting.
    mode: &'static str,
    /// The body of the event that it is given.
    body: &'static str,
    /// In what becomes of the delivery, or of the start.
    outcome: &'static str,
    /// In what becomes of the process, which is told to stop after the delivery.
    end: &'static str,
    /// In the log.
    log: &'static str,
    limits: fn() -> Limits,
}

const WHOLE: Failure = Failure {
    library: "broken",
    mode: "",
    body: "ok",
    outcome: "kind: Delivered",
    end: "exit code 0",
    log: "",
    limits: Limits::default,
};

/// A plugin that does this with an event, and is gone then.
const fn crash(body: &'static str, end: &'static str) -> Failure {
    Failure { body, outcome: "code: \"plugin_crashed\"", end, ..WHOLE }
}

/// A plugin that does this instead of starting.
const fn no_start(mode: &'static str, outcome: &'static str) -> Failure {
    Failure { mode, outcome, end: "", ..WHOLE }
}

/// A plugin that does this with an event and works on.
const fn lives(body: &'static str) -> Failure {
    Failure { body, ..WHOLE }
}

/// A plugin that delivers, and does this when it is to end.
const fn at_end(mode: &'static str, end: &'static str) -> Failure {
    Failure { mode, end, ..WHOLE }
}

/// Gives a start a moment.
fn short_start() -> Limits {
    Limits { start: Duration::from_millis(200), ..Limits::default() }
}

/// Gives the end a moment.
fn short_end() -> Limits {
    Limits { destroy: Duration::from_millis(200), ..Limits::default() }
}

#[test]
fn a_crash_costs_the_delivery_a_retry_and_the_gateway_nothing() {
    check(
        a_crash_costs_the_delivery_a_retry_and_the_gateway_nothing,
        &[
            crash("abort", "signal 6"),
            crash("segfault", "signal 11"),
            crash("illegal", "signal 4"),
            crash("overflow", "signal "),
            crash("exit", "exit code 0"),
            // Nobody catches this panic: no SDK is there. It must not get into the code that called.
            Failure { library: "panic", log: "no SDK catches this", ..crash("", "signal 6") },
        ],
    );
}

#[test]
fn a_plugin_that_fails_before_it_is_ready_is_not_started() {
    let ended = "the plugin process ended while starting: signal 6";
    check(
        a_plugin_that_fails_before_it_is_ready_is_not_started,
        &[
            Failure { library: "constructor", ..no_start("", ended) },
            no_start("validate abort", ended),
            no_start("create abort", ended),
            no_start("create exit", "the plugin process ended while starting: exit code 0"),
            no_start("create lie", "the plugin could not be started"),
            Failure { limits: short_start, ..no_start("validate spin", "was not ready within") },
            Failure { limits: short_start, ..no_start("create spin", "was not ready within") },
            Failure { limits: short_start, ..no_start("create stop", "was not ready within") },
        ],
    );
}

#[test]
fn a_plugin_that_does_not_answer_is_ended() {
    check(
        a_plugin_that_does_not_answer_is_ended,
        &[
            Failure { limits: impatient, ..crash("spin", "did not answer for") },
            Failure { limits: impatient, ..crash("stop", "did not answer for") },
            // It is asked as soon as it is ready; whether the event comes first is a matter of luck.
            Failure {
                mode: "health spin",
                outcome: "",
                limits: || Limits { health: Duration::from_millis(100), ..impatient() },
                ..crash("keep", "did not say how it is for")
            },
            Failure { mode: "health abort", outcome: "", ..crash("keep", "signal 6") },
        ],
    );
}

#[test]
fn a_plugin_that_fails_at_its_end_has_delivered_and_is_gone() {
    check(
        a_plugin_that_fails_at_its_end_has_delivered_and_is_gone,
        &[
            at_end("drain abort", "signal 6"),
            at_end("destroy abort", "signal 6"),
            at_end("destroy exit", "exit code 0"),
            Failure { limits: short_end, ..at_end("drain spin", "no longer needed") },
            Failure { limits: short_end, ..at_end("destroy spin", "no longer needed") },
            Failure { limits: short_end, ..at_end("destroy stop", "no longer needed") },
            // Threads that go on calling the gateway end with the process.
            Failure { outcome: "\"late\"", ..lives("threads") },
        ],
    );
}

#[test]
fn a_plugin_that_contradicts_itself_is_taken_by_its_first_word() {
    check(
        a_plugin_that_contradicts_itself_is_taken_by_its_first_word,
        &[
            Failure { outcome: "\"twice\"", ..lives("twice") },
            Failure { outcome: "\"refuse\"", ..lives("refuse") },
            // A small body is the plugin's own copy.
            lives("write"),
        ],
    );
}

#[test]
fn what_is_too_much_is_cut_or_dropped() {
    check(
        what_is_too_much_is_cut_or_dropped,
        &[
            Failure { outcome: "record_json: None", log: "the record has more than", ..lives("large") },
            Failure { log: "of no use to anybody", ..lives("flood log") },
            Failure { log: "xxxxxxxx", ..lives("flood output") },
        ],
    );
}

#[test]
fn whatever_a_plugin_does_to_its_socket_ends_its_process_and_nothing_else() {
    check(
        whatever_a_plugin_does_to_its_socket_ends_its_process_and_nothing_else,
        &[
            crash("close", ""),
            crash("frame garbage", "broke the protocol: a frame of"),
            crash("frame huge", "broke the protocol: a frame of"),
            crash("frame empty", "broke the protocol: a frame of 0 bytes"),
            crash("frame unknown", "broke the protocol: unknown frame type 200"),
            crash("frame short", "broke the protocol: a frame ends early"),
            crash("frame ready", "broke the protocol: it started twice"),
            crash("frame of another", "broke the protocol: it ended delivery 1001, which it does not hold"),
            // It can forge what it may say anyway.
            Failure { limits: short_end, end: "", ..lives("frame of its own") },
        ],
    );
}

#[test]
fn what_a_plugin_takes_it_takes_from_itself() {
    let hostile = Failure { library: "hostile", ..WHOLE };
    let refused = Failure { outcome: "\"EPERM\"", ..hostile };
    check(
        what_a_plugin_takes_it_takes_from_itself,
        &[
            // Without memory its process cannot even begin an orderly end.
            Failure { body: "take memory", end: "", ..hostile },
            Failure { body: "take descriptors", ..hostile },
            Failure {
                limits: || Limits { ping_interval: Duration::from_millis(10), ..Limits::default() },
                ..Failure { library: "hostile", ..crash("take threads", "threads, at most") }
            },
            Failure { body: "fork", ..refused },
            Failure { body: "exec", ..refused },
            Failure { body: "kill", ..refused },
            Failure { body: "ptrace", ..refused },
            Failure { body: "gateway environ", outcome: "\"EACCES\"", ..hostile },
        ],
    );
}

/// Whoever waits for a store that does not answer is not waited for.
#[tokio::test]
async fn a_plugin_that_waits_for_its_state_is_ended_all_the_same() {
    #[derive(Debug)]
    struct Silent(Notify);
    impl PluginState for Silent {
        fn run(&self, _: StateOperation) -> Pin<Box<dyn Future<Output = StateReply> + Send + '_>> {
            self.0.notify_one();
            Box::pin(pending())
        }
    }
    let state = Arc::new(Silent(Notify::new()));
    let limits = Limits { state: Duration::from_secs(60), ..short_end() };
    let library = LIBRARIES.path().join("libblocking.so");
    let launch = Launch { state: Some(Arc::clone(&state) as _), ..launch_file(&library, "", limits) };
    let process = Arc::new(Process::start(&launch).await.unwrap());
    let waits = tokio::spawn({
        let process = Arc::clone(&process);
        async move { code(&process, "wait", Duration::from_secs(60)).await }
    });
    state.0.notified().await;
    process.stop(Duration::from_millis(100)).await;
    check_killed(&process.exited().await, "no longer needed");
    assert_eq!(waits.await.unwrap(), "plugin_crashed");
}

/// What protects the gateway is the process: the same plugins in the gateway's own would end it. Written down so that nobody
/// takes the sandbox or the SDK for it.
#[test]
fn in_one_process_a_broken_plugin_takes_its_host_along() {
    if let Some(trial) = once_more() {
        return one_process::run(&trial);
    }
    for (library, mode, body, expected) in [
        ("broken", "", "abort", "signal 6"),
        ("broken", "", "segfault", "signal 11"),
        ("broken", "", "illegal", "signal 4"),
        ("broken", "", "overflow", "signal 6"),
        ("broken", "", "exit", "exit code 0"),
        ("broken", "", "stop", "stopped"),
        ("broken", "", "spin", "never came back"),
        ("broken", "", "close", "the host's files are closed"),
        ("broken", "create abort", "", "signal 6"),
        ("broken", "create spin", "", "never came back"),
        ("broken", "destroy abort", "ok", "signal 6"),
        ("constructor", "", "", "signal 6"),
        ("panic", "", "", "signal 6"),
        ("hostile", "", "open /proc/self/environ", "message: \"ok\""),
        ("hostile", "", "fork", "message: \"ok\""),
        ("hostile", "", "exec", "exit code 0"),
    ] {
        let met = one_process::meet(in_one_process_a_broken_plugin_takes_its_host_along, library, mode, body);
        assert!(met.contains(expected), "{library} {mode:?} {body:?}: {met}");
    }
}
