#![expect(unsafe_code, reason = "loads the plugin of the tests into the process of the tests")]

use std::sync::{Arc, Mutex, MutexGuard};

use postroom_abi::{POSTROOM_E_BUSY, POSTROOM_E_INTERNAL, POSTROOM_E_STALE, POSTROOM_OK};
use postroom_core::secret::Secret;

use super::{Host, Instance, Services, ValidateError, load};
use crate::{
    config_fault,
    outcome::Report,
    plugin_log::LogRecord,
    plugin_state::{StateOperation, StateReply, WAITING_MAX},
    testing::{self, Compiled},
};

/// What the plugin did, in order.
#[derive(Clone, Default)]
struct Recorded(Arc<Mutex<Vec<String>>>);

struct Recorder {
    recorded: Recorded,
    secret: Secret,
}

impl Recorded {
    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap()
    }
}

impl Services for Recorder {
    fn completed(&self, token: u64, report: Report) {
        let Report { kind, retry_after_ms, code, message, record_json } = report;
        let line = format!("completed {token}: {kind} {retry_after_ms} {code:?} {message:?} {record_json}");
        self.recorded.lock().push(line);
    }

    fn released(&self, token: u64, report: Report) {
        self.recorded.lock().push(format!("released {token}: {}", report.message));
    }

    fn log_level(&self) -> u32 {
        3
    }

    fn log(&self, record: LogRecord) {
        self.recorded.lock().push(format!("log {}: {}", record.token, record.message));
    }

    fn secret(&self, name: &str) -> Option<&Secret> {
        (name == "token").then_some(&self.secret)
    }

    fn state(&self, request: u64, operation: StateOperation) {
        self.recorded.lock().push(format!("state {request}: {operation:?}"));
    }
}

/// An instance of the scripted plugin. Every test compiles its own, because the plugin keeps state in statics and a
/// library is loaded once per file.
struct Rig {
    instance: Instance,
    host: Host,
    recorded: Recorded,
    _library: Compiled,
}

impl Rig {
    fn new() -> Self {
        let compiled = testing::scripted("0", "0");
        let recorded = Recorded::default();
        let recorder = Recorder { recorded: recorded.clone(), secret: Secret::new("s3cret") };
        // SAFETY: the library is the one of the tests.
        let library = unsafe { load(&compiled.path) }.unwrap();
        let host = Host::new(Box::new(recorder));
        let instance = Instance::create(library, "{}", host);
        Self { instance: instance.ok().unwrap(), host, recorded, _library: compiled }
    }

    fn deliver(&self, token: u64, body: &'static str) -> i32 {
        self.instance.deliver(testing::offer(token, &testing::delivery(body)))
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.recorded.lock())
    }
}

/// Delivers one event with token 1 and compares what the plugin did.
#[track_caller]
fn check(body: &'static str, expected: &[&str]) {
    let rig = Rig::new();
    assert_eq!(rig.deliver(1, body), POSTROOM_OK);
    assert_eq!(rig.take(), expected);
}

#[test]
fn the_plugin_gets_the_whole_event_and_the_host_its_outcome() {
    check(
        "show",
        &[
            r#"completed 1: 1 0 "done" "monitor_run monitor-1 failed acme key-1 team=payments 2 111" {"id":"7"}"#,
        ],
    );
}

#[test]
fn a_second_completion_is_stale_and_the_first_counts() {
    check("twice", &[r#"completed 1: 1 0 "done" "first" {"id":"7"}"#, "log 1: second: -3"]);
}

#[test]
fn a_forged_token_is_stale() {
    check("forged", &["log 1: forged: -3", r#"completed 1: 1 0 "done" "own" {"id":"7"}"#]);
}

#[test]
fn an_outcome_is_read_only_as_far_as_its_size_says() {
    check("short", &[r#"completed 1: 4 1500 "" "" "#]);
}

#[test]
fn an_outcome_without_its_kind_or_without_itself_is_invalid_and_ends_nothing() {
    check("tiny", &["log 1: tiny: -1", "log 1: null: -1", r#"completed 1: 1 0 "done" "whole" {"id":"7"}"#]);
}

#[test]
fn text_that_is_not_utf_8_is_mended() {
    check("not utf-8", &["completed 1: 99 0 \"done\" \"a\u{fffd}b\" {\"id\":\"7\"}"]);
}

#[test]
fn only_named_secrets_are_given() {
    check(
        "secret",
        &["log 1: unknown secret: -7", "log 1: secret: 0", r#"completed 1: 1 0 "done" "right" {"id":"7"}"#],
    );
}

#[test]
fn a_delivery_may_be_completed_later() {
    let rig = Rig::new();
    assert_eq!((rig.deliver(1, "hold"), rig.take().len()), (POSTROOM_OK, 0));
    rig.deliver(2, "free");
    assert_eq!(rig.take()[0], r#"completed 1: 1 0 "done" "held" {"id":"7"}"#);
}

#[test]
fn a_completion_after_a_cancel_is_stale_and_frees_the_place() {
    let rig = Rig::new();
    rig.deliver(1, "hold");
    rig.instance.cancel(1);
    assert_eq!(rig.take(), ["released 1: late", "log 1: cancelled: -3"]);
    rig.instance.cancel(1);
    rig.instance.cancel(99);
    assert_eq!(rig.take(), [""; 0]);
}

#[test]
fn a_refused_delivery_is_not_completed() {
    let rig = Rig::new();
    assert_eq!(rig.deliver(1, "busy"), POSTROOM_E_BUSY);
    assert_eq!(rig.deliver(2, "broken"), POSTROOM_E_INTERNAL);
    assert_eq!(rig.take(), [""; 0]);
    rig.instance.wait_idle(std::time::Duration::MAX);
}

#[test]
fn completing_and_then_refusing_counts_as_completed() {
    check("both", &[r#"completed 1: 1 0 "done" "taken" {"id":"7"}"#]);
}

#[test]
fn destroy_breaks_off_what_is_in_flight_and_refuses_everything_after() {
    let rig = Rig::new();
    rig.deliver(1, "hold");
    rig.deliver(2, "never");
    rig.instance.destroy();
    let late = r#"completed 1: 1 0 "done" "late" {"id":"7"}"#;
    assert_eq!(rig.take(), [late, "log 1: cancelled: 0", "log 0: destroyed: 0"]);
    rig.instance.destroy();
    assert_eq!(rig.deliver(3, "ok"), POSTROOM_E_STALE);
    rig.instance.cancel(2);
    assert_eq!(rig.take(), [""; 0]);
}

#[test]
fn a_refused_config_names_its_faults() {
    // SAFETY: the library is the one of the tests.
    let library = unsafe { load(&testing::PLUGIN.path) }.unwrap();
    assert!(library.validate("{}").is_ok());
    let Err(ValidateError::Refused(faults)) = library.validate(r#"{"mode":"refuse-validate"}"#) else {
        panic!("accepted");
    };
    assert_eq!(config_fault::list(&faults), "/url: is no URL");
}

#[test]
fn an_instance_that_cannot_be_made_says_why() {
    let create = |config| {
        // SAFETY: the library is the one of the tests.
        let library = unsafe { load(&testing::PLUGIN.path) }.unwrap();
        let recorder = Recorder { recorded: Recorded::default(), secret: Secret::new("") };
        Instance::create(library, config, Host::new(Box::new(recorder))).err().map(|error| error.to_string())
    };
    assert_eq!(create("refuse-create").unwrap(), "the plugin refuses its config: root not there");
    // A message longer than its buffer is a lie, and none of it is believed.
    assert_eq!(
        create("lie-create").unwrap(),
        "the plugin could not be started, status -11 (internal error): "
    );
}

#[track_caller]
fn check_load(source: &str, expected: &str) {
    let compiled = testing::compile(source, &["-shared", "-fPIC"]);
    // SAFETY: the library is the one of the test.
    let error = unsafe { load(&compiled.path) }.unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn faulty_tables_are_refused() {
    let table = |table: &str| {
        format!(
            "#include \"postroom_plugin.h\"\nstatic const postroom_plugin table = {{ {table} }};\n\
             POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t m, uint64_t c, postroom_errbuf *e)\n\
             {{ (void)m; (void)c; (void)e; return &table; }}"
        )
    };
    check_load(&table(".struct_size = 8, .abi_major = 1"), "has 8 bytes");
    check_load(&table(".struct_size = 100000, .abi_major = 1"), "has 100000 bytes");
    check_load(&table(".struct_size = sizeof table, .abi_major = 2"), "ABI major 2");
    check_load(&table(".struct_size = sizeof table, .abi_major = 1"), "lacks create");
    check_load(
        &table(
            ".struct_size = sizeof table, .abi_major = 1, .required_caps = POSTROOM_CAP_METRICS | POSTROOM_CAP_LOG",
        ),
        "needs capabilities 0x2",
    );
    check_load("int answer(void) { return 42; }", "cannot load the library");
    let reason = "e->len = 7; e->ptr[0] = 'n'; e->ptr[1] = 'o'; for (int i = 2; i < 7; i++) e->ptr[i] = '!'; return 0;";
    check_load(&table("").replace("return &table;", &format!("(void)table; {reason}")), "no table: no!!!!!");
}

#[test]
fn a_table_with_fields_of_the_future_is_welcome() {
    let source = "#include \"postroom_plugin.h\"\n\
        static postroom_status create(const postroom_host *h, postroom_str c, void **i, postroom_errbuf *e) { return 0; }\n\
        static postroom_status deliver(void *i, postroom_token t, const postroom_event *e) { return 0; }\n\
        static void destroy(void *i) {}\n\
        static const struct { postroom_plugin now; void *later[2]; } table = { .now = { .struct_size = sizeof table,\n\
        .abi_major = 1, .abi_minor = 9, .create = create, .deliver = deliver, .destroy = destroy } };\n\
        POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t m, uint64_t c, postroom_errbuf *e)\n\
        { return &table.now; }";
    let compiled = testing::compile(source, &["-shared", "-fPIC"]);
    // SAFETY: the library is the one of the test.
    assert!(unsafe { load(&compiled.path) }.is_ok());
}

const ASKED: &str = r#"state 1: Get { key: "k" }"#;

#[test]
fn an_answer_is_handed_on_once() {
    let rig = Rig::new();
    assert_eq!(rig.deliver(1, "ask"), POSTROOM_OK);
    assert_eq!(rig.take(), [ASKED]);
    rig.host.answer_state(2, StateReply::NotFound);
    assert_eq!(rig.take(), [""; 0], "nobody asked for that");
    rig.host.answer_state(1, StateReply::NotFound);
    rig.host.answer_state(1, StateReply::NotFound);
    let answered = ["log 1: answered: -4", r#"completed 1: 1 0 "done" "-4" {"id":"7"}"#];
    assert_eq!(rig.take(), answered);
}

#[test]
fn what_was_asked_is_stale_when_the_instance_ends_and_a_late_answer_is_dropped() {
    let rig = Rig::new();
    rig.deliver(1, "ask");
    rig.take();
    rig.instance.destroy();
    let ended = ["log 1: answered: -3", r#"completed 1: 1 0 "done" "-3" {"id":"7"}"#, "log 0: destroyed: 0"];
    assert_eq!(rig.take(), ended, "before the plugin frees what its callback needs");
    rig.host.answer_state(1, StateReply::NotFound);
    assert_eq!(rig.take(), [""; 0]);
}

#[test]
fn a_plugin_cannot_have_more_operations_waiting_than_the_host_bears() {
    let rig = Rig::new();
    for _ in 0..WAITING_MAX {
        rig.deliver(1, "ask");
    }
    rig.take();
    rig.deliver(1, "ask");
    assert_eq!(rig.take(), ["log 1: not asked: -8"]);
    rig.host.answer_state(1, StateReply::NotFound);
    rig.take();
    rig.deliver(2, "ask");
    assert_eq!(rig.take().len(), 1, "there is room again");
}
